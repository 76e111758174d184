"""A classifier of fully connected layers, trained by gradient descent with momentum; no hidden layer is softmax
regression."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np

from runicorn.demo.datasets import Floats, Labels


class Classifier:
    """Layers of the given sizes with tanh between them and softmax at the end.

    sizes: features, then hidden units, then classes.
    """

    def __init__(self, sizes: Sequence[int], *, seed: int) -> None:
        random = np.random.default_rng(seed)
        self.weights = [random.normal(0, before**-0.5, (before, after)) for before, after in pairwise(sizes)]
        self.biases = [np.zeros(after) for after in sizes[1:]]
        self._speeds = [np.zeros_like(parameter) for parameter in self._parameters()]

    def _parameters(self) -> list[Floats]:
        return [*self.weights, *self.biases]

    def save(self, path: Path) -> None:
        """As an ``.npz`` of arr_0, arr_1 and so on: the weights from the inputs to the classes, then the biases."""
        np.savez(path, *self._parameters())

    def probabilities(self, inputs: Floats) -> Floats:
        """float64 (n, classes), each row summing to 1."""
        return self._forward(inputs)[-1]

    def _forward(self, inputs: Floats) -> list[Floats]:
        """The inputs of each layer, and the probabilities last."""
        layers = [inputs]
        for weight, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
            layers.append(np.tanh(layers[-1] @ weight + bias))
        scores = layers[-1] @ self.weights[-1] + self.biases[-1]
        scores = np.exp(scores - scores.max(axis=1, keepdims=True))
        return [*layers, scores / scores.sum(axis=1, keepdims=True)]

    def descend(
        self, inputs: Floats, labels: Labels, *, learning_rate: float, momentum: float, weight_decay: float
    ) -> tuple[float, float]:
        """One step on one batch. Returns the batch's mean cross-entropy before it, and the gradient's norm.

        Both are NaN or infinite once the weights are.
        """
        *layers, probabilities = self._forward(inputs)
        loss = cross_entropy(probabilities, labels)
        error = probabilities.copy()
        error[np.arange(len(labels)), labels] -= 1
        error /= len(labels)
        weight_gradients: list[Floats] = []
        bias_gradients: list[Floats] = []
        for depth in range(len(self.weights) - 1, -1, -1):
            weight_gradients.insert(0, layers[depth].T @ error + weight_decay * self.weights[depth])
            bias_gradients.insert(0, error.sum(axis=0))
            if depth:
                error = (error @ self.weights[depth].T) * (1 - layers[depth] ** 2)
        gradients = [*weight_gradients, *bias_gradients]
        for parameter, speed, gradient in zip(self._parameters(), self._speeds, gradients, strict=True):
            speed *= momentum
            speed -= learning_rate * gradient
            parameter += speed
        return loss, float(sum(np.square(gradient).sum() for gradient in gradients) ** 0.5)


def cross_entropy(probabilities: Floats, labels: Labels) -> float:
    """The mean of -log(probability of the right class)."""
    return float(-np.log(probabilities[np.arange(len(labels)), labels]).mean())


def accuracy(probabilities: Floats, labels: Labels) -> float:
    """The share of rows whose most probable class is the right one."""
    return float((probabilities.argmax(axis=1) == labels).mean())
