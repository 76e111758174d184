"""GET /api/artifacts/{name}/v{version}/files, and one of them."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import random
import shutil
from pathlib import Path
from typing import Any

import httpx
import pytest

from runicorn.artifacts.models import ReferenceEntry
from runicorn.artifacts.pool import Pool
from runicorn.artifacts.removal import delete_version
from runicorn.storage.digests import digest_of
from tests.artifacts.api.conftest import read_all
from tests.artifacts.stored import log_version, place_of
from tests.path_tricks import SECRET
from tests.server import ViewerServer

_counter = itertools.count()
CONTENT = random.Random(5).randbytes(1000)
#: More than what is hashed before it is sent.
LARGE = random.Random(6).randbytes(9 * 1024 * 1024)


def stored(server: ViewerServer, files: dict[str, bytes], **more: Any) -> str:
    """Store a version; returns the name of its artifact."""
    name = f"files-{next(_counter)}"
    log_version(server.storage, files, name=name, **more)
    server.scan()
    return name


def path_of(server: ViewerServer, name: str, path: str) -> Path:
    return place_of(server.storage, name).home / "v1" / "files" / path


def overwrite(path: Path, content: bytes) -> None:
    """As somebody does who may: stored files are read-only."""
    path.chmod(0o644)
    path.write_bytes(content)


def test_every_file_and_reference_is_listed(server: ViewerServer, api: httpx.Client):
    reference = ReferenceEntry("s3://bucket/raw", "etag", 7, {"name": "raw"})
    name = stored(server, {"weights/model.bin": b"12345", "权重.txt": b"hello"}, references=[reference])

    found = api.get(f"/api/artifacts/{name}/v1/files").json()

    first, second = found.pop("files")
    assert first.pop("modified_at") > 0
    assert first == {
        "path": "weights/model.bin",
        "size": 5,
        "digest": f"sha256:{hashlib.sha256(b'12345').hexdigest()}",
        "absolute_path": str(path_of(server, name, "weights/model.bin")),
        "is_remote": False,
    }
    assert (second["path"], second["absolute_path"]) == ("权重.txt", str(path_of(server, name, "权重.txt")))
    assert found == {
        "artifact": f"{name}:v1",
        "references": [{"uri": "s3://bucket/raw", "checksum": "etag", "size": 7, "metadata": {"name": "raw"}}],
        "total_size": 17,
        "total_files": 2,
        "total_references": 1,
        "is_remote": False,
    }


def test_a_long_list_comes_whole_and_in_order(server: ViewerServer, api: httpx.Client):
    folder = place_of(server.storage, "many-files").home / "v1"
    folder.mkdir(parents=True)
    paths = [f"{number:05d}" for number in range(12_000)]
    entries = [{"path": path, "size": 1, "digest": "0" * 64, "modified_at": 1.0} for path in paths]
    (folder / "manifest.json").write_text(json.dumps({"files": entries}))
    (folder / "metadata.json").write_text(json.dumps({"num_files": len(entries), "size_bytes": len(entries)}))
    server.scan()

    found = api.get("/api/artifacts/many-files/v1/files").json()

    assert [file["path"] for file in found["files"]] == paths


def test_a_version_of_references_alone_has_no_files(server: ViewerServer, api: httpx.Client):
    name = stored(server, {}, references=[ReferenceEntry("s3://bucket/raw")])

    assert api.get(f"/api/artifacts/{name}/v1/files").json()["files"] == []


def test_a_file_is_given_with_its_digest_as_etag(server: ViewerServer, api: httpx.Client):
    name = stored(server, {"w/model.bin": CONTENT})

    answer = api.get(f"/api/artifacts/{name}/v1/files/w/model.bin")

    assert (answer.status_code, answer.content) == (200, CONTENT)
    assert answer.headers["ETag"] == f'"{hashlib.sha256(CONTENT).hexdigest()}"'
    assert answer.headers["Content-Length"] == "1000"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="model.bin"'
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("content", [CONTENT, LARGE, b""], ids=["small", "large", "empty"])
def test_ranges_and_known_files(server: ViewerServer, api: httpx.Client, content: bytes):
    name = stored(server, {"w.bin": content})
    address = f"/api/artifacts/{name}/v1/files/w.bin"
    whole = api.get(address)
    assert whole.content == content
    etag = whole.headers["ETag"]

    assert api.get(address, headers={"If-None-Match": etag}).status_code == 304
    head = api.head(address)
    assert (head.status_code, head.headers["Content-Length"], head.content) == (200, str(len(content)), b"")
    if not content:
        return
    for headers in ({"Range": "bytes=100-"}, {"Range": "bytes=100-", "If-Range": etag}):
        part = api.get(address, headers=headers)
        assert (part.status_code, part.content) == (206, content[100:])
    other = api.get(address, headers={"Range": "bytes=100-", "If-Range": '"another"'})
    assert (other.status_code, other.content) == (200, content)
    assert api.get(address, headers={"Range": f"bytes={len(content)}-"}).status_code == 416


def test_the_etag_of_the_same_content_is_the_same(server: ViewerServer, api: httpx.Client):
    etags = {api.get(f"/api/artifacts/{stored(server, {'w': CONTENT})}/v1/files/w").headers["ETag"] for _ in range(2)}

    assert len(etags) == 1


def test_an_image_is_shown_and_a_page_is_not(server: ViewerServer, api: httpx.Client):
    name = stored(server, {"plots/a.png": b"\x89PNG", "a.html": b"<script>", "a.svg": b"<svg>"})

    kinds = {
        path: api.get(f"/api/artifacts/{name}/v1/files/{path}").headers for path in ("plots/a.png", "a.html", "a.svg")
    }

    assert kinds["plots/a.png"]["Content-Type"] == "image/png"
    assert kinds["plots/a.png"]["Content-Disposition"] == 'inline; filename="a.png"'
    for path in ("a.html", "a.svg"):
        assert kinds[path]["Content-Type"] == "application/octet-stream"
        assert kinds[path]["Content-Disposition"] == f'attachment; filename="{path}"'


@pytest.mark.parametrize(
    "path",
    [
        "nope",
        "w",
        "w/",
        "w/model.bin/x",
        "../../v1/manifest.json",
        "..%2f..%2fmetadata.json",
        "w%00",
        "W/MODEL.BIN",
        "%20",
    ],
)
def test_what_the_manifest_does_not_name_is_not_found(server: ViewerServer, api: httpx.Client, path: str):
    name = stored(server, {"w/model.bin": b"x"})

    answer = api.get(f"/api/artifacts/{name}/v1/files/{path}")

    assert answer.status_code == 404


def test_files_of_a_deleted_version_are_still_given(server: ViewerServer, api: httpx.Client):
    name = stored(server, {"w": b"x"})
    delete_version(place_of(server.storage, name), 1, by="user", at=9.0)
    server.scan()

    assert api.get(f"/api/artifacts/{name}/v1/files/w").content == b"x"


def test_files_in_the_folder_of_0_4_are_given(server: ViewerServer, api: httpx.Client):
    name = stored(server, {"w": b"older"})
    place = place_of(server.storage, name)
    place.older_home.parent.mkdir(exist_ok=True)
    place.home.rename(place.older_home)
    server.scan()

    assert api.get(f"/api/artifacts/{name}/v1/files/w").content == b"older"
    (file,) = api.get(f"/api/artifacts/{name}/v1/files").json()["files"]
    assert Path(file["absolute_path"]).read_bytes() == b"older"


def damaged(answer: httpx.Response) -> bool:
    return answer.status_code == 500 and answer.json()["error_code"] == "STORAGE_DAMAGED"


def test_a_small_file_that_was_changed_is_refused(server: ViewerServer, api: httpx.Client):
    name = stored(server, {"w": b"x" * 1000})
    address = f"/api/artifacts/{name}/v1/files/w"
    overwrite(path_of(server, name, "w"), b"y" * 1000)

    assert damaged(api.get(address))
    assert damaged(api.get(address, headers={"Range": "bytes=0-9"}))


@pytest.mark.parametrize("change", ["shorter", "longer", "gone", "folder", "fifo"])
def test_a_file_that_is_not_there_as_promised_is_refused(server: ViewerServer, api: httpx.Client, change: str):
    name = stored(server, {"w": b"promised"})
    path = path_of(server, name, "w")
    if change in ("shorter", "longer"):
        overwrite(path, b"short" if change == "shorter" else b"much longer")
    else:
        path.unlink()
    if change == "folder":
        path.mkdir()
    elif change == "fifo":
        os.mkfifo(path)

    assert damaged(api.get(f"/api/artifacts/{name}/v1/files/w"))


def test_a_large_file_that_was_changed_is_never_delivered_whole(server: ViewerServer, api: httpx.Client):
    content = random.Random(8).randbytes(len(LARGE))
    name = stored(server, {"w": content})
    address = f"/api/artifacts/{name}/v1/files/w"
    overwrite(path_of(server, name, "w"), content[:-1] + bytes([content[-1] ^ 1]))

    got, is_whole = read_all(f"{server.url}{address}")

    assert (len(got) < len(LARGE), is_whole) == (True, False)
    assert damaged(api.get(address, headers={"Range": "bytes=0-9"}))
    assert "are not what was logged" in server.log.read_text()


def test_what_was_found_right_is_hashed_anew_once_it_was_touched(server: ViewerServer, api: httpx.Client):
    content = random.Random(7).randbytes(1000)  # of its own: what other tests damage is shared
    name = stored(server, {"w": content})
    address, path = f"/api/artifacts/{name}/v1/files/w", path_of(server, name, "w")
    assert api.get(address, headers={"Range": "bytes=0-9"}).content == content[:10]
    times = path.stat()

    overwrite(path, content[:-1] + b"z")
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))  # as careful as a tamperer can be

    assert damaged(api.get(address, headers={"Range": "bytes=0-9"}))


def test_a_broken_manifest_says_so(server: ViewerServer, api: httpx.Client):
    name = stored(server, {"w": b"x"})
    (place_of(server.storage, name).home / "v1" / "manifest.json").write_text("{")
    server.scan()

    for address in ("files", "files/w", "download"):
        answer = api.get(f"/api/artifacts/{name}/v1/{address}")
        assert (answer.status_code, answer.json()["error_code"]) == (500, "UNREADABLE_DOCUMENT")
        assert "manifest.json is not valid JSON" in answer.json()["detail"]


@pytest.mark.parametrize("part", ["file", "folder", "files", "version"])
def test_a_link_that_leads_out_is_not_followed(server: ViewerServer, api: httpx.Client, part: str, tmp_path: Path):
    name = stored(server, {"a/w": SECRET})
    place = place_of(server.storage, name)
    version = place.home / "v1"
    path = {
        "file": version / "files/a/w",
        "folder": version / "files/a",
        "files": version / "files",
        "version": version,
    }
    outside = tmp_path / "outside"
    shutil.move(path[part], outside)
    path[part].symlink_to(outside)
    Pool(place.artifacts_dir).path_of(digest_of(SECRET)).unlink(missing_ok=True)

    answer = api.get(f"/api/artifacts/{name}/v1/files/a/w")

    assert answer.status_code in (400, 404, 500)
    assert SECRET not in answer.content


@pytest.mark.parametrize("address", ["files", "files/w", "download"])
def test_unknown_and_ambiguous_names(server: ViewerServer, api: httpx.Client, address: str):
    if not place_of(server.storage, "same").home.exists():
        for type_ in ("model", "code"):
            log_version(server.storage, {"w": type_.encode()}, name="same", type=type_)
        server.scan()

    assert api.get(f"/api/artifacts/nope/v1/{address}").status_code == 404
    assert api.get(f"/api/artifacts/same/v2/{address}").status_code == 404
    assert api.get(f"/api/artifacts/same/v1/{address}").status_code == 409
    assert api.get(f"/api/artifacts/same/v1/{address}?type=code").status_code == 200
