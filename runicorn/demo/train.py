"""The training script of one demo run: what a user would write, with Runicorn's calls in it."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import click
import numpy as np

import runicorn as rn
from runicorn.demo import datasets, pictures
from runicorn.demo.model import Classifier, accuracy, cross_entropy
from runicorn.demo.plan import JOBS, Job

#: The same for all jobs.
HYPERPARAMETERS = {"momentum": 0.9, "weight_decay": 1e-4}
#: What the runs differ in.
CONFIG_KEYS = ("learning_rate", "hidden", "seed", "batch_size", "epochs", "schedule")
LOG_EVERY_BATCHES = 4
EPOCHS_BETWEEN_PICTURES = 5
#: The last epoch has a checkpoint, too.
EPOCHS_BETWEEN_CHECKPOINTS = 50


@click.command("demo-train", hidden=True)
@click.argument("number", type=int)
def command(number: int) -> None:
    """Train job NUMBER of the plan. RUNICORN_DIR says where its run is written."""
    train(JOBS[number])


def train(job: Job) -> None:
    """Train and log. Raises IndexError for the job that is meant to fail."""
    run = rn.init(
        project=job.dataset,
        name=job.experiment,
        config={name: getattr(job, name) for name in CONFIG_KEYS} | HYPERPARAMETERS,
        tags=list(job.tags),
        notes=job.notes or None,
        group=f"lr {job.learning_rate:g}",
    )
    rn.set_primary_metric("val/accuracy", mode="max")
    dataset = stored_dataset(run, job.dataset)
    sizes = (dataset.inputs.shape[1], *job.hidden, dataset.class_count)
    model = Classifier(sizes, seed=job.seed)
    print(f"run {run.id}: layers {sizes}, {dataset.train_count} examples")
    with np.errstate(all="ignore"):  # the diverging job overflows, and its log shows it
        for epoch in range(job.epochs):
            train_epoch(model, dataset, job, epoch)
            share = validate(model, dataset, job, epoch)
            if epoch + 1 == job.epochs or (epoch + 1) % EPOCHS_BETWEEN_CHECKPOINTS == 0:
                log_model(run, model, job, {"epoch": epoch + 1, "val/accuracy": share})
    rn.summary({"parameters": sum(weight.size for weight in (*model.weights, *model.biases)), "epochs": job.epochs})
    rn.finish()


def stored_dataset(run: rn.Run, name: str) -> datasets.Dataset:
    """The latest version of it, of which the run then says that it was trained on it."""
    with tempfile.TemporaryDirectory() as folder:
        run.use_artifact(f"{name}:latest", type="dataset").download(folder)
        return datasets.load(Path(folder, datasets.FILE_NAME))


def train_epoch(model: Classifier, dataset: datasets.Dataset, job: Job, epoch: int) -> None:
    """One pass over the training rows in a random order."""
    inputs, labels = dataset.train
    rate = job.learning_rate * job.schedule[epoch // 5]
    order = np.random.default_rng((job.seed, epoch)).permutation(len(labels))
    for number, batch in enumerate(np.array_split(order, len(order) // job.batch_size)):
        loss, norm = model.descend(inputs[batch], labels[batch], learning_rate=rate, **HYPERPARAMETERS)
        if number % LOG_EVERY_BATCHES == 0:
            rn.log({"train/loss": loss, "train/gradient_norm": norm, "learning_rate": rate}, stage="train")
        time.sleep(job.pause_s)


def log_model(run: rn.Run, model: Classifier, job: Job, metadata: dict[str, float]) -> None:
    """Store the weights as the next version of the experiment's model."""
    artifact = rn.Artifact(f"{job.dataset}-{job.experiment}", "model", metadata=metadata)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "weights.npz")
        model.save(path)
        run.log_artifact(artifact.add_file(path).add_tags(*job.tags))


def validate(model: Classifier, dataset: datasets.Dataset, job: Job, epoch: int) -> float:
    """Log how the model does on rows it has not seen, and now and then what that looks like. Returns the accuracy."""
    inputs, labels = dataset.validation
    probabilities = model.probabilities(inputs)
    loss, share = cross_entropy(probabilities, labels), accuracy(probabilities, labels)
    rn.log({"val/loss": loss, "val/accuracy": share, "epoch": epoch + 1}, stage="validation")
    print(f"epoch {epoch + 1}/{job.epochs}: validation loss {loss:.4f}, accuracy {share:.3f}")
    if job.pictures and epoch % EPOCHS_BETWEEN_PICTURES == EPOCHS_BETWEEN_PICTURES - 1:
        log_pictures(model, dataset, probabilities, epoch)
    return share


def log_pictures(model: Classifier, dataset: datasets.Dataset, probabilities: datasets.Floats, epoch: int) -> None:
    inputs, labels = dataset.validation
    if dataset.inputs.shape[1] == 2:
        caption = f"What the model says where, after epoch {epoch + 1}"
        rn.log_image("decision_map", pictures.png(pictures.decision_map(model)), step=epoch + 1, caption=caption)
        return
    wrong = probabilities.argmax(axis=1) != labels
    confusion = pictures.png(pictures.confusion(probabilities, labels))
    rn.log_image("confusion", confusion, step=epoch + 1, caption="Rows: the right digit; columns: the model's")
    sheet = pictures.png(pictures.digit_sheet(inputs[wrong]))
    rn.log_image("mistaken", sheet, step=epoch + 1, caption=f"{int(wrong.sum())} of {len(labels)} digits mistaken")
