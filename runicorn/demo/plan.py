"""What the demo trains."""

from __future__ import annotations

from dataclasses import dataclass

#: Functions of runicorn.demo.datasets, and what they make.
DATASETS = {
    "digits": "Digits as old displays draw them, with noise: 10 × 10 grey dots each.",
    "spirals": "Points of three noisy spiral arms around the origin.",
}


@dataclass(frozen=True)
class Job:
    """One run. hidden: units of the hidden layers. pause_s: after each batch, so that there is something to watch.

    schedule: the learning rate's factor in each fifth epoch. pictures: also log images. fails: the job is meant to
    end by an exception, as real ones do: its schedule is shorter than its training.
    """

    dataset: str
    experiment: str
    learning_rate: float
    seed: int = 1
    hidden: tuple[int, ...] = ()
    epochs: int = 15
    batch_size: int = 50
    pause_s: float = 0.01
    schedule: tuple[float, ...] = (1.0, 0.5, 0.2)
    pictures: bool = False
    fails: bool = False
    tags: tuple[str, ...] = ()
    notes: str = ""


#: Trains for about five minutes, so that a reader who just opened the page sees it move.
LIVE = Job(
    "digits", "live", 0.02, hidden=(64, 32), epochs=300, pause_s=0.04, pictures=True,
    schedule=tuple(0.96**drop for drop in range(60)),
    tags=("live",), notes="Trains for minutes: watch its charts, its log and its images grow.",
)  # fmt: skip

#: In the order they start: the live one, then in the first seconds one of each kind.
JOBS = (
    LIVE,
    Job("digits", "softmax", 0.1, tags=("baseline",), notes="No hidden layer: the baseline for the others."),
    Job("digits", "mlp", 0.05, hidden=(48,), pictures=True, tags=("images",)),
    Job(
        "digits", "mlp", 0.2, hidden=(48,), schedule=(1.0,), fails=True, notes="Its schedule ends before its epochs do."
    ),
    Job("digits", "mlp", 1e6, hidden=(48,), epochs=6, tags=("diverges",), notes="A learning rate far too high."),
    Job("spirals", "shallow", 0.5, hidden=(24,), pictures=True, tags=("images",)),
    Job("spirals", "deep", 0.2, hidden=(24, 24), epochs=30, schedule=(1.0,) * 6, pictures=True),
    *(Job("digits", "softmax", rate, seed) for rate in (0.01, 0.1, 1.0) for seed in (1, 2) if (rate, seed) != (0.1, 1)),
    *(Job("digits", "mlp", rate, seed, hidden=(48,)) for rate in (0.02, 0.2) for seed in (1, 2)),
)
