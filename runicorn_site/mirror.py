"""What the mirror process keeps in step, app by app; lower apps first."""

from experiments.mirror import RUNS

MIRRORS = [RUNS]
