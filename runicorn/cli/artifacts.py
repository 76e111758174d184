"""`runicorn artifacts`: looking at stored models and datasets, curating them, and keeping their disk space in order."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import click

from runicorn.artifacts import compacting, curation, garbage, removal, repairing, verifying
from runicorn.artifacts.curation import VersionEdit
from runicorn.artifacts.documents import resolve_version
from runicorn.artifacts.names import parse_spec
from runicorn.artifacts.places import ArtifactPlace
from runicorn.artifacts.statistics import artifact_figures
from runicorn.artifacts.storage import ArtifactStorage
from runicorn.cli.options import chosen_root, is_confirmed, storage_option
from runicorn.cli.tables import format_size, format_table, format_time, printable
from runicorn.errors import InvalidInput

FAILED = 1
DAY_S = 24 * 3600.0
FILES_SHOWN = 10


@dataclass(frozen=True)
class _Given:
    """What stood on the command line. words: what came without a flag, behind the action."""

    root: Path
    words: tuple[str, ...]
    name: str | None
    type: str | None
    version: str | None
    alias: str | None
    unset: bool
    add: tuple[str, ...]
    remove: tuple[str, ...]
    description: str | None
    permanent: bool
    older_than: float
    include_latest: bool
    include_aliased: bool
    rename_folders: bool
    dry_run: bool
    yes: bool
    as_json: bool

    @property
    def storage(self) -> ArtifactStorage:
        return ArtifactStorage(self.root)

    def place(self) -> ArtifactPlace:
        """What ``--name`` means, or the first word up to a colon. Raises InvalidInput, ArtifactNotFound."""
        name = self.name or (self.words[0].partition(":")[0] if self.words else "")
        if not name:
            raise InvalidInput("Say which artifact: --name NAME, or NAME:vN behind the action.")
        return self.storage.find(name, self.type)

    def chosen(self) -> tuple[ArtifactPlace, int]:
        """The artifact and the number of the version that is meant; it may be deleted.

        Raises InvalidInput, ArtifactNotFound, VersionNotFound.
        """
        place = self.place()
        wanted = self.version or (self.words[0].partition(":")[2] if self.words else "")
        wanted = wanted or (self.words[1] if len(self.words) > 1 else "")
        if not wanted:
            raise InvalidInput(f"Say which version of {place.name}: --version 3, or {place.name}:v3.")
        return place, resolve_version(place, parse_spec(f"{place.name}:{wanted}")[1])

    def show(self, values: object, text: str) -> None:
        """The answer: as JSON, or for people."""
        click.echo(json.dumps(values, indent=2, ensure_ascii=False) if self.as_json else text)

    @contextmanager
    def progress(self, label: str, length: Callable[[], int]) -> Iterator[Callable[[int], None]]:
        """What the work calls with the bytes it did; a bar where somebody watches."""
        if not sys.stderr.isatty():
            yield lambda _bytes: None
            return
        with click.progressbar(length=max(length(), 1), label=label, file=sys.stderr) as bar:
            yield bar.update


def _list(given: _Given) -> None:
    items = given.storage.list_artifacts(given.type)
    rows = [
        (
            printable(item["name"]),
            item["type"],
            str(item["num_versions"]),
            format_size(item["size_bytes"]),
            f"v{item['latest_version']}",
        )
        for item in items
    ]
    table = format_table(("Name", "Type", "Versions", "Size", "Latest"), rows, right=(2, 3, 4))
    given.show(items, f"Found {len(items)} artifact(s):\n{table}" if items else "Found 0 artifact(s).")


def _versions(given: _Given) -> None:
    place = given.place()
    infos = given.storage.list_versions(place.name, place.type)
    rows = [
        (
            f"v{info.version}",
            format_time(info.created_at),
            format_size(info.size_bytes),
            str(info.num_files),
            printable(info.created_by_run),
            info.status if info.status != "ready" else ", ".join(info.aliases),
        )
        for info in infos
    ]
    table = format_table(("Version", "Created", "Size", "Files", "Run", ""), rows, right=(0, 2, 3))
    given.show([info.to_dict() for info in infos], f"{place.name} ({place.type}):\n{table}")


def _info(given: _Given) -> None:
    place, number = given.chosen()
    metadata, manifest = given.storage.load_artifact(place.name, place.type, number)
    lines = [
        f"{place.name}:v{number}",
        f"Type        : {place.type}",
        f"Status      : {metadata.status}",
        f"Created     : {format_time(metadata.created_at)}",
        f"Run         : {printable(metadata.created_by_run)}",
        f"Size        : {format_size(metadata.size_bytes)}",
        f"Files       : {metadata.num_files}",
        f"References  : {metadata.num_references}",
        f"Stage       : {curation.stage_of(metadata)}",
        f"Description : {printable(metadata.description)}",
        f"Aliases     : {', '.join(metadata.aliases)}",
        f"Tags        : {printable(', '.join(metadata.tags))}",
        f"Metadata    : {json.dumps(metadata.metadata, ensure_ascii=False)}",
    ]
    lines += [f"  {printable(entry.path)}  {format_size(entry.size)}" for entry in manifest.files[:FILES_SHOWN]]
    if len(manifest.files) > FILES_SHOWN:
        lines.append(f"  … and {len(manifest.files) - FILES_SHOWN} more")
    given.show({**metadata.to_dict(), "manifest": manifest.to_dict()}, "\n".join(lines))


def _delete(given: _Given) -> int:
    place, number = given.chosen()
    label, now = f"{place.name}:v{number}", time.time()
    if given.permanent:
        freed = removal.freed_by_purging(place, number, at=now)
        click.echo(
            f"Deleting {label} for good frees {format_size(freed.freed_bytes)}{_rest(freed)}.", err=given.as_json
        )
        question = f"Delete {label} for good?"
    else:
        question = f"Delete {label}?"
    if not is_confirmed(question, yes=given.yes):
        return FAILED
    if not given.permanent:
        removal.delete_version(place, number, by="user", at=now)
        given.show({"deleted": label}, f"Deleted {label}; `runicorn artifacts restore {label}` brings it back.")
        return 0
    freed = removal.purge_version(place, number, at=now)
    text = f"Deleted {label} for good; freed {format_size(freed.freed_bytes)}{_rest(freed)}."
    given.show({"deleted": label, **asdict(freed)}, text)
    return 0


def _rest(freed: removal.Freed) -> str:
    parts = [
        f"{format_size(freed.waiting_bytes)} by a gc tomorrow" if freed.waiting_bytes else "",
        f"{format_size(freed.shared_bytes)} stay with other versions" if freed.shared_bytes else "",
    ]
    return "".join(f", {part}" for part in parts if part)


def _restore(given: _Given) -> None:
    place, number = given.chosen()
    removal.restore_version(place, number, at=time.time())
    given.show({"restored": f"{place.name}:v{number}"}, f"Restored {place.name}:v{number}.")


def _alias(given: _Given) -> None:
    """``alias set NAME vN ALIAS``, ``alias remove NAME ALIAS``, or the same with flags."""
    verb, *rest = given.words if given.words[:1] in (("set",), ("remove",)) else ("", *given.words)
    alias = given.alias or (rest[-1] if rest else None)
    if alias is None:
        raise InvalidInput("Say which alias: --alias best.")
    given = replace(given, words=tuple(rest))
    if given.unset or verb == "remove":
        place = given.place()
        number = curation.remove_alias(place, alias, at=time.time())
        given.show(
            {"alias": alias, "version": number}, f"{place.name} has no alias {alias!r} any more; it named v{number}."
        )
        return
    place, number = given.chosen()
    curation.set_alias(place, number, alias, at=time.time())
    given.show({"alias": alias, "version": number}, f"{place.name}:{alias} is v{number}.")


def _tag(given: _Given) -> None:
    place, number = given.chosen()
    edit = VersionEdit(description=given.description, add_tags=given.add, remove_tags=given.remove)
    tags = curation.edit_version(place, number, edit, at=time.time()).tags
    text = f"Tags of {place.name}:v{number}: {printable(', '.join(tags)) or '(none)'}"
    given.show({"name": place.name, "version": number, "tags": list(tags)}, text)


def _stats(given: _Given) -> None:
    figures = artifact_figures(given.root)
    rows = [
        (type_, str(each.count), str(each.versions), format_size(each.size_bytes))
        for type_, each in figures.by_type.items()
    ]
    lines = [
        f"Artifacts     : {figures.total_artifacts}",
        f"Versions      : {figures.total_versions}",
        f"Files         : {figures.total_files}",
        f"Size          : {format_size(figures.total_size_bytes)}",
        "Deduplication : on",
        f"On the disk   : {format_size(figures.disk_bytes)}",
        f"Saved         : {format_size(figures.space_saved_bytes)} ({figures.dedup_ratio:.1%})",
    ]
    if rows:
        lines.append(format_table(("Type", "Artifacts", "Versions", "Size"), rows, right=(1, 2, 3)))
    given.show(figures.to_dict(), "\n".join(lines))


def _verify(given: _Given) -> int:
    with given.progress("Hashing", lambda: verifying.verifiable_bytes(given.root)) as progress:
        found = verifying.verify(given.root, progress=progress)
    lines = [f"{each.kind.value}: {printable(each.path)}: {printable(each.reason)}" for each in found.findings]
    hashed = format_size(found.bytes_hashed)
    lines.append(f"{found.versions} versions, {found.files} files, {hashed} hashed: {_verdict(found)}")
    given.show({**asdict(found), "is_clean": found.is_clean}, "\n".join(lines))
    return 0 if found.is_clean else FAILED


def _verdict(found: verifying.Verification) -> str:
    return "all as they were logged." if found.is_clean else "damaged; `runicorn artifacts repair` mends what it can."


def _gc(given: _Given) -> int:
    result = garbage.collect_garbage(given.root, at=time.time(), dry_run=given.dry_run)
    removed = f"{result.contents + result.compacted} contents and {result.folders} unfinished folders"
    text = f"{'Would remove' if given.dry_run else 'Removed'} {removed}: {format_size(result.freed_bytes)}"
    if result.waiting_bytes:
        text += f"; {format_size(result.waiting_bytes)} are too young"
    given.show(asdict(result), "\n".join([*map(printable, result.problems), f"{text}."]))
    return FAILED if result.problems else 0


def _compact(given: _Given) -> int:
    name = given.name or (given.words[0] if given.words else None)
    cold = compacting.ColdVersions(
        given.older_than * DAY_S, name, given.type, given.include_latest, given.include_aliased
    )
    now = time.time()
    with given.progress("Compacting", lambda: compacting.compactable_bytes(given.root, cold, at=now)) as progress:
        report = compacting.compact(given.root, cold, at=now, dry_run=given.dry_run, progress=progress)
    did = "Would compact" if given.dry_run else "Compacted"
    sizes = f"{format_size(report.plain_bytes)} become {format_size(report.chunk_bytes)}"
    text = f"{did} {report.blobs} files of {report.versions} versions: {sizes}, {format_size(report.freed_bytes)} less."
    given.show(
        {**asdict(report), "freed_bytes": report.freed_bytes}, "\n".join([*map(printable, report.problems), text])
    )
    return FAILED if report.problems else 0


def _repair(given: _Given) -> int:
    done = repairing.repair(given.root, at=time.time(), rename_folders=given.rename_folders)
    lines = [f"mended: {printable(each.path)}" for each in done.mended]
    lines += [f"moved: {printable(name)}" for name in done.moved]
    lines += [f"left: {printable(each.path)}: {printable(each.reason)}" for each in done.left]
    lines.append(f"{len(done.mended)} mended, {len(done.left)} left.")
    given.show(asdict(done), "\n".join(lines))
    return FAILED if done.left else 0


ACTIONS: dict[str, Callable[[_Given], int | None]] = {
    "list": _list,
    "versions": _versions,
    "info": _info,
    "delete": _delete,
    "restore": _restore,
    "alias": _alias,
    "tag": _tag,
    "stats": _stats,
    "verify": _verify,
    "gc": _gc,
    "compact": _compact,
    "repair": _repair,
}

#: Flags that mean something to some actions only: ``delete --dry-run`` must not delete.
ONLY_FOR = {
    "alias": {"alias"},
    "unset": {"alias"},
    "add": {"tag"},
    "remove": {"tag"},
    "description": {"tag"},
    "permanent": {"delete"},
    "older_than": {"compact"},
    "include_latest": {"compact"},
    "include_aliased": {"compact"},
    "dry_run": {"compact", "gc"},
    "rename_folders": {"repair"},
}


@click.command("artifacts")
@click.argument("words", nargs=-1, metavar="[ACTION] [NAME[:VERSION]]...")
@click.option("--action", type=click.Choice([*ACTIONS]), help="The same as the first word.")
@click.option("--name", help="The artifact.")
@click.option("--type", help="model, dataset, config, code or custom; searched in this order.")
@click.option("--version", help="Its version: 3, v3 or an alias.")
@click.option("--alias", help="alias: the alias to set.")
@click.option("--unset", is_flag=True, help="alias: take it away.")
@click.option("--add", multiple=True, metavar="TAG", help="tag: add it; may be repeated.")
@click.option("--remove", multiple=True, metavar="TAG", help="tag: take it away; may be repeated.")
@click.option("--description", help="tag: also set the description.")
@click.option("--permanent", is_flag=True, help="delete: for good; says first how many bytes that frees.")
@click.option("--older-than", type=float, default=0.0, metavar="DAYS", help="compact: only versions of that age.")
@click.option("--include-latest", is_flag=True, help="compact: the latest version, too.")
@click.option("--include-aliased", is_flag=True, help="compact: versions that have an alias, too.")
@click.option("--rename-folders", is_flag=True, help="repair: move versions of 0.4 to their type's own folder.")
@click.option("--dry-run", is_flag=True, help="gc, compact: say what would be done, and do nothing.")
@click.option("--yes", "-y", is_flag=True, help="delete: do not ask.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@storage_option
def command(*, words: tuple[str, ...], action: str | None, storage: str | None, **given: object) -> int | None:
    """List, curate, verify and compact the models and datasets of a storage root.

    The action is the first word or --action: list, versions, info, delete, restore, alias, tag, stats, verify, gc,
    compact, repair. Exit code 1: not found, refused, damaged.
    """
    if action is None:
        if not words or words[0] not in ACTIONS:
            raise click.UsageError(f"Say what to do: {', '.join(ACTIONS)}.")
        action, words = words[0], words[1:]
    for flag, actions in ONLY_FOR.items():
        if given[flag] and action not in actions:
            raise click.UsageError(f"--{flag.replace('_', '-')} means nothing to {action}.")
    return ACTIONS[action](_Given(root=Path(chosen_root(storage)), words=words, **given))  # type: ignore[arg-type]
