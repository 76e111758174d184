"""Two made-up classification problems, the same for a seed on every machine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]

#: Digits of 5 × 7 dots, as old displays draw them: one number a line, its bits are dots.
GLYPHS = {
    0: (14, 17, 19, 21, 25, 17, 14),
    1: (4, 12, 4, 4, 4, 4, 14),
    2: (14, 17, 1, 2, 4, 8, 31),
    3: (31, 2, 4, 2, 1, 17, 14),
    4: (2, 6, 10, 18, 31, 2, 2),
    5: (31, 16, 30, 1, 1, 17, 14),
    6: (6, 8, 16, 30, 17, 17, 14),
    7: (31, 1, 2, 4, 8, 8, 8),
    8: (14, 17, 17, 14, 17, 17, 14),
    9: (14, 17, 17, 15, 1, 2, 12),
}
SIDE = 10
SPIRAL_ARMS = 3
FILE_NAME = "examples.npz"


@dataclass(frozen=True)
class Dataset:
    """inputs: float64 (n, features). labels: int64 (n,), from 0. The first four fifths are for training."""

    inputs: Floats
    labels: Labels

    @property
    def train_count(self) -> int:
        return len(self.labels) * 4 // 5

    @property
    def class_count(self) -> int:
        return int(self.labels.max()) + 1

    @property
    def train(self) -> tuple[Floats, Labels]:
        return self.inputs[: self.train_count], self.labels[: self.train_count]

    @property
    def validation(self) -> tuple[Floats, Labels]:
        return self.inputs[self.train_count :], self.labels[self.train_count :]

    def save(self, path: Path) -> None:
        np.savez(path, inputs=self.inputs, labels=self.labels)


def load(path: str | Path) -> Dataset:
    """What ``Dataset.save`` wrote."""
    with np.load(path) as arrays:
        return Dataset(arrays["inputs"], arrays["labels"])


def digits(*, seed: int, count: int = 2000) -> Dataset:
    """Digits drawn near the middle of a 10 × 10 image, with random ink, dropped dots and noise; values 0 to 1."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, 10, count)
    images = np.zeros((count, SIDE, SIDE))
    for image, label in zip(images, labels, strict=True):
        dots = np.array([[row >> bit & 1 for bit in range(4, -1, -1)] for row in GLYPHS[int(label)]], float)
        dots *= random.random(dots.shape) > 0.15
        top, left = random.integers(1, 3), random.integers(2, 4)
        image[top : top + 7, left : left + 5] = dots * random.uniform(0.5, 1.0)
    images = np.clip(images + random.normal(0, 0.2, images.shape), 0, 1)
    return Dataset(images.reshape(count, -1), labels.astype(np.int64))


def spirals(*, seed: int, count: int = 900) -> Dataset:
    """Points of three noisy spiral arms around the origin, both coordinates about -1 to 1."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, SPIRAL_ARMS, count)
    radius = random.random(count) ** 0.5
    angle = 2 * np.pi * (labels / SPIRAL_ARMS + radius * 0.9) + random.normal(0, 0.12, count)
    points = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    return Dataset(points, labels.astype(np.int64))
