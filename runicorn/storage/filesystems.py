"""Which folders lie on a network file system, where SQLite's locks and memory maps cannot be trusted."""

from __future__ import annotations

import os
import sys
from pathlib import Path, PurePosixPath

#: Types as /proc/self/mountinfo names them; a FUSE type counts by the part behind "fuse.".
NETWORK_TYPES = frozenset(
    {"9p", "acfs", "afs", "beegfs", "ceph", "cifs", "coda", "fhgfs", "gfs2", "glusterfs", "gpfs", "lustre", "mfs"}
    | {"ncpfs", "nfs", "nfs3", "nfs4", "ocfs2", "orangefs", "panfs", "rclone", "s3fs", "smb2", "smb3", "smbfs"}
    | {"sshfs", "wekafs"}
)
_MOUNTS = Path("/proc/self/mountinfo")


def is_on_network(path: Path) -> bool:
    """Whether ``path`` (which need not exist yet) lies on a network file system.

    Linux asks the mount table, Windows looks for a share's name; elsewhere the answer is no.
    """
    if sys.platform == "win32":
        return os.path.realpath(path).startswith("\\\\")
    try:
        mounts = _MOUNTS.read_text("utf-8", "surrogateescape")
    except OSError:
        return False
    return type_of_mount(PurePosixPath(os.path.realpath(path)), mounts) in NETWORK_TYPES


def type_of_mount(path: PurePosixPath, mounts: str) -> str | None:
    """The file system type ``path`` lies on, by the text of a Linux mount table (mountinfo, see proc(5))."""
    best: tuple[int, str] | None = None
    for line in mounts.splitlines():
        front, _, back = line.partition(" - ")
        fields = front.split(" ")
        if len(fields) < 5 or not back:
            continue
        point = PurePosixPath(_unescape(fields[4]))
        # later lines hide earlier ones at the same mount point, hence >=
        if (point == path or point in path.parents) and (best is None or len(point.parts) >= best[0]):
            best = (len(point.parts), back.split(" ", 1)[0].removeprefix("fuse."))
    return best[1] if best else None


def _unescape(field: str) -> str:
    """mountinfo writes blanks, tabs, newlines and backslashes as three octal digits."""
    for code, char in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        field = field.replace(code, char)
    return field
