"""Bringing one run's row up to date at once, after a service changed its files."""

from __future__ import annotations

from pathlib import Path

from django.db import router, transaction

from experiments.mirror import write
from experiments.models import Change, Run, StorageRoot
from runicorn.errors import UnreadableDocument
from runicorn.storage.run_documents import read_older_curation, read_run_documents


def refresh_run(root: StorageRoot, path: str, *, now: float) -> Run | None:
    """Read the documents of one run directory again and write its row.

    None if the directory is gone: so is its row then.

    Points stay as they are: ingesting events is the mirror's alone. It may run beside the mirror: both write what the
    files say, and marks are left alone, so that the mirror looks once more.
    """
    if not Path(root.path, path).is_dir():
        _remove(root, path, now)
        return None
    try:
        older = read_older_curation(Path(root.path)).get(path.rpartition("/")[2])
    except UnreadableDocument:
        older = None  # the mirror lists it as a problem
    documents = read_run_documents(Path(root.path), path, older_curation=older if isinstance(older, dict) else None)
    known = Run.objects.filter(root=root, path=path).values_list("updated_at", flat=True).first()
    with transaction.atomic(using=router.db_for_write(Run)):
        write.write_runs([write.run_row(root.pk, path, documents, max(now, known or 0.0))])
        run = Run.objects.select_related("root").get(root=root, path=path)
        write.write_details([(run.pk, documents)])
        write.replace_tags([(run.pk, documents.tags)])
        write.add_changes([(run.pk, run.run_id, Change.Kind.RUN.value, None, now)])
    return run


def _remove(root: StorageRoot, path: str, now: float) -> None:
    with transaction.atomic(using=router.db_for_write(Run)):
        run = Run.objects.filter(root=root, path=path).first()
        if run is not None:
            key, run_id = run.pk, run.run_id
            run.delete()
            write.add_changes([(key, run_id, Change.Kind.REMOVED.value, None, now)])
