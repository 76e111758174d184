"""The script that makes the demo's datasets: a run that creates artifacts."""

from __future__ import annotations

import tempfile
from pathlib import Path

import click

import runicorn as rn
from runicorn.demo import datasets
from runicorn.demo.plan import DATASETS

SEED = 0


@click.command("demo-prepare", hidden=True)
def command() -> None:
    """Make the datasets. RUNICORN_DIR says where they are stored."""
    for name, description in DATASETS.items():
        prepare(name, description)


def prepare(name: str, description: str) -> None:
    """Make a dataset and store it for the training scripts."""
    run = rn.init(project=name, name="prepare", config={"seed": SEED})
    dataset: datasets.Dataset = getattr(datasets, name)(seed=SEED)
    examples, features = dataset.inputs.shape
    metadata = {"examples": examples, "features": features, "classes": dataset.class_count}
    artifact = rn.Artifact(name, "dataset", description, metadata)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, datasets.FILE_NAME)
        dataset.save(path)
        version = run.log_artifact(artifact.add_file(path), skip_unchanged=True)
    print(f"{name}:v{version}: {examples} examples of {dataset.class_count} classes")
    rn.finish()
