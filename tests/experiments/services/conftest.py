"""A storage root of the test's own, and a mirror over it."""

from tests.experiments.mirror.conftest import mirror, root, root_dir, tick  # noqa: F401
