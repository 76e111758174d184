"""Bringing one run's row up to date at once, after a service changed its files."""

from __future__ import annotations

from pathlib import Path

from django.db import router, transaction

from experiments.mirror import write
from experiments.mirror.keys import InternedKeys
from experiments.mirror.marks import document_marks
from experiments.mirror.values import replace_values
from experiments.models import Change, Run, StorageRoot
from runicorn.errors import UnreadableDocument
from runicorn.storage.run_documents import read_older_curation, read_run_documents

#: Looks at one run until its files stood still meanwhile. Files that change faster are the mirror's: it looks again.
MAX_LOOKS = 10


def refresh_run(root: StorageRoot, path: str, *, now: float) -> Run | None:
    """Read the documents of one run directory again and write its row.

    None if the directory is gone: so is its row then.

    Points stay as they are: ingesting events is the mirror's alone. It may run beside the mirror: both write what the
    files say, and marks are left alone, so that the mirror looks once more. Of several that refresh one run at once,
    one may have read before and write after a change by another: each looks whether the files are still as it read
    them, so the row is never left behind the files.
    """
    run_dir = Path(root.path, path)
    for _ in range(MAX_LOOKS):
        try:
            marks = document_marks(run_dir)
        except FileNotFoundError:
            break
        run = _write_row(root, path, now)
        try:
            if document_marks(run_dir) == marks:
                return run
        except FileNotFoundError:
            break
    else:
        return run
    _remove(root, path, now)
    return None


def _write_row(root: StorageRoot, path: str, now: float) -> Run:
    try:
        older = read_older_curation(Path(root.path)).get(path.rpartition("/")[2])
    except UnreadableDocument:
        older = None  # the mirror lists it as a problem
    documents = read_run_documents(Path(root.path), path, older_curation=older if isinstance(older, dict) else None)
    known = Run.objects.filter(root=root, path=path).values_list("updated_at", "status").first()
    updated_at = max(now, known[0]) if known else now
    # what people change is no sign of life of a process
    is_sign_of_life = known is not None and known[1] != documents.status.value
    with transaction.atomic(using=router.db_for_write(Run)):
        write.write_runs([write.run_row(root.pk, path, documents, updated_at)], are_signs_of_life=is_sign_of_life)
        run = Run.objects.select_related("root").get(root=root, path=path)
        write.write_details([(run.pk, documents)])
        replace_values([(run.pk, documents)], InternedKeys(), known=[run.pk])
        write.replace_tags([(run.pk, documents.tags)])
        write.add_changes([write.ChangeRow(Change.Kind.RUN.value, now, run.pk, run.run_id)])
    return run


def _remove(root: StorageRoot, path: str, now: float) -> None:
    with transaction.atomic(using=router.db_for_write(Run)):
        run = Run.objects.select_for_update().filter(root=root, path=path).first()
        if run is not None:
            key, run_id = run.pk, run.run_id
            run.delete()
            write.add_changes([write.ChangeRow(Change.Kind.REMOVED.value, now, key, run_id)])
