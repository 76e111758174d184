"""Removing what no blob needs. The steps and what a crash leaves: docs/design/0018-artifact-chunks.md."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path

from runicorn.artifacts.chunks.live import Needs, needs_of
from runicorn.artifacts.chunks.names import (
    BLOB_FOLDER,
    PACK_FILE,
    PACK_SUFFIX,
    PACKS_DIR,
    RECIPE_FILE,
    TEMPORARY_FILE,
    index_name,
    pack_name,
)
from runicorn.artifacts.chunks.repacking import use_living_part, write_living_part
from runicorn.errors import RunicornError
from runicorn.storage.digests import Digest
from runicorn.storage.disk_usage import stored_bytes
from runicorn.storage.documents import sync_folder

#: A pack of which more is dead is written anew. Less would copy three bytes and more to free one.
_DEAD_SHARE = 0.25
#: Which of these blobs somebody needs.
Named = Callable[[Collection[Digest]], Collection[Digest]]


@dataclass(frozen=True)
class Collected:
    """What a collection freed, or would free.

    freed_bytes: on the disk, as ``du`` counts. waiting_bytes: what a later one may free, too young now.
    problems: what is damaged and therefore stayed, with path and reason.
    """

    freed_bytes: int = 0
    waiting_bytes: int = 0
    blobs: int = 0
    packs: int = 0
    repacked: int = 0
    problems: tuple[str, ...] = ()


def collect(pool: Path, named: Named, *, at: float, min_age_s: float, dry_run: bool) -> Collected:
    """See ChunkStore.collect, which holds the lock meanwhile."""
    sweep = _Sweep(before=at - min_age_s, dry_run=dry_run)
    needs = _sweep_recipes(pool, named, sweep)
    if needs.problems:  # nobody knows what those blobs need
        sweep.problems += needs.problems
    else:
        _sweep_packs(pool, needs, sweep)
    return sweep.result()


@dataclass
class _Sweep:
    """What is removed, and the account of it. before: Unix seconds; what was changed later stays."""

    before: float
    dry_run: bool
    freed_bytes: int = 0
    waiting_bytes: int = 0
    blobs: int = 0
    packs: int = 0
    repacked: int = 0
    problems: list[str] = field(default_factory=list)

    def is_old(self, status: os.stat_result) -> bool:
        return status.st_mtime < self.before

    def remove(self, file: _File) -> bool:
        """False if the file stays."""
        if not self.is_old(file.status):
            self.waiting_bytes += stored_bytes(file.status)
            return False
        try:
            if not self.dry_run:
                file.path.unlink()
        except OSError as error:
            self.problems.append(f"{file.path} cannot be removed: {error.strerror}.")
            return False
        self.freed_bytes += stored_bytes(file.status)
        return True

    def result(self) -> Collected:
        return Collected(
            freed_bytes=self.freed_bytes,
            waiting_bytes=self.waiting_bytes,
            blobs=self.blobs,
            packs=self.packs,
            repacked=self.repacked,
            problems=tuple(self.problems),
        )


def _sweep_recipes(pool: Path, named: Named, sweep: _Sweep) -> Needs:
    """Remove what nobody names; what the others need."""
    recipes, strange = _recipes(pool, sweep)
    wanted = recipes.keys() & set(named(recipes.keys()))
    kept = [digest for digest, file in recipes.items() if digest in wanted or not sweep.remove(file)]
    removed = recipes.keys() - kept
    sweep.blobs += len(removed)
    # a pack must not be gone for good before the recipes that name it are
    for folder in sorted({recipes[digest].path.parent for digest in removed}):
        sync_folder(folder)
    needs = needs_of(pool, kept)
    needs.problems += strange
    if len(kept) > len(wanted):
        least = needs_of(pool, wanted)
        sweep.waiting_bytes += sum(needs.live_in(pack) - least.live_in(pack) for pack in needs.live)
    return needs


def _sweep_packs(pool: Path, needs: Needs, sweep: _Sweep) -> None:
    packs: dict[Digest, dict[str, _File]] = {}
    if (pool / PACKS_DIR).is_symlink():
        sweep.problems.append(f"{pool / PACKS_DIR} is a link; what lies behind it is not looked at.")
        return
    for file in _files(pool / PACKS_DIR):
        if not stat.S_ISREG(file.status.st_mode):
            continue
        if TEMPORARY_FILE.fullmatch(file.path.name):
            sweep.remove(file)
        elif match := PACK_FILE.fullmatch(file.path.name):
            packs.setdefault(Digest(match[1]), {})[file.path.suffix] = file
    written: set[Digest] = set()
    for pack, files in packs.items():
        # one that an interrupted collection left may just have been written again, and blobs need it now
        if pack in written:
            continue
        if pack not in needs.live:
            sweep.packs += sum(sweep.remove(file) and suffix == PACK_SUFFIX for suffix, file in files.items())
        elif _is_worth_it(pack, files.get(PACK_SUFFIX), needs, sweep) and _write_anew(
            pool, pack, needs, written, sweep
        ):
            for file in files.values():
                sweep.remove(file)


def _is_worth_it(pack: Digest, file: _File | None, needs: Needs, sweep: _Sweep) -> bool:
    """Whether enough of the pack is dead, and it is to be written anew now. file: None if there is only an index."""
    if file is None:
        return False
    dead = file.status.st_size - needs.live_in(pack)
    if dead <= _DEAD_SHARE * file.status.st_size:
        return False
    if not sweep.is_old(file.status):
        sweep.waiting_bytes += dead
        return False
    if sweep.dry_run:
        sweep.freed_bytes += dead
        return False
    return True


def _write_anew(pool: Path, pack: Digest, needs: Needs, written: set[Digest], sweep: _Sweep) -> bool:
    """False if the old pack is still needed. written: grows by the pack that has the living part."""
    try:
        part = write_living_part(pool, pack, needs.live[pack])
        written.add(part.new)
        for digest in needs.users[pack]:
            use_living_part(pool, digest, part)
        sweep.freed_bytes -= sum(stored_bytes(os.lstat(pool / name(part.new))) for name in (pack_name, index_name))
    except RunicornError as error:
        sweep.problems.append(str(error))
        return False
    except OSError as error:
        sweep.problems.append(f"{pool / pack_name(pack)} cannot be written anew: {error.strerror}.")
        return False
    sweep.repacked += 1
    return True


@dataclass(frozen=True)
class _File:
    path: Path
    status: os.stat_result


def _recipes(pool: Path, sweep: _Sweep) -> tuple[dict[Digest, _File], list[str]]:
    """Every recipe, and what stands where one should be; what writers of recipes left is removed on the way."""
    recipes, strange = {}, []
    for folder in sorted(pool.iterdir()):
        if not BLOB_FOLDER.fullmatch(folder.name):
            continue
        if folder.is_symlink():
            strange.append(f"{folder} is a link; what lies behind it is not looked at.")
            continue
        for file in _files(folder):
            match = RECIPE_FILE.fullmatch(file.path.name)
            if match and not stat.S_ISREG(file.status.st_mode):
                strange.append(f"{file.path} is not a regular file.")
            elif match and match[1].startswith(folder.name):
                recipes[Digest(match[1])] = file
            elif TEMPORARY_FILE.fullmatch(file.path.name):
                sweep.remove(file)
    return recipes, strange


def _files(folder: Path) -> list[_File]:
    """Whatever lies in a folder of the pool, links as such; nothing if there is no folder."""
    try:
        with os.scandir(folder) as entries:
            return [_File(Path(entry.path), entry.stat(follow_symlinks=False)) for entry in entries]
    except (FileNotFoundError, NotADirectoryError):
        return []
