"""The page of an artifact: its head, its versions, and the files, metadata and differences of one version."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext

from artifacts.models import Artifact
from experiments.models import StorageRoot
from runicorn.artifacts.curation import StageMove, move_stage, set_alias
from runicorn.artifacts.evaluations import Evaluation, record_evaluation
from runicorn.artifacts.models import ReferenceEntry
from runicorn.artifacts.removal import delete_version
from tests.artifacts.stored import CREATED_AT, RUN_ID, log_version, place_of
from tests.experiments.pages.conftest import text_of, without_tokens
from tests.run_directories import write_run

pytestmark = pytest.mark.django_db(databases=["index"])
Page = Callable[..., str]
Tick = Callable[[], None]


def versions(html: str) -> list[str]:
    return re.findall(r'id="version-(\d+)"', html)


def paths(html: str) -> list[str]:
    return re.findall(r'class="col-path"><a href="[^"]+" title="([^"]+)"', html)


def test_the_head_says_what_the_newest_version_is(root_dir: Path, tick: Tick, page: Page):
    write_run(root_dir, f"vision/vit/runs/{RUN_ID}")
    more = {"description": "Two <b>layers</b>", "tags": ("baseline",)}
    for minute in range(2):
        log_version(root_dir, {"w": b"x" * 2048}, minute=minute, **more)
    set_alias(place_of(root_dir), 2, "best", at=9.0)
    move_stage(place_of(root_dir), 2, StageMove("staging"), at=9.0)
    tick()

    html = page("/artifacts/net")

    head = html[html.index("<header") : html.index("</header>", html.index('class="run-head'))]
    for shown in ("net", "v2", "latest", "best", "Two &lt;b&gt;layers", "baseline", "model", "staging", "2.00 KB"):
        assert shown in text_of(html), shown
    assert "<b>layers" not in head
    assert f'href="/runs/{RUN_ID}"' in html
    assert 'data-copy="net:v2"' in html


def test_versions_are_listed_newest_first_with_a_link_to_each(net: Path, page: Page):
    html = page("/artifacts/net/v1")

    assert versions(html) == ["2", "1"]
    assert 'id="version-1" data-open href="/artifacts/net/v1"' in html
    assert re.search(r'id="version-1"[^>]+aria-current="true"', html)
    assert "data-newer" in html
    assert "data-older" not in html


def test_deleted_versions_are_shown_on_request_and_when_they_are_meant(net: Path, tick: Tick, page: Page):
    delete_version(place_of(net), 2, by="user", at=9.0)
    tick()

    assert versions(page("/artifacts/net")) == ["1"]
    assert 'href="/artifacts/net/v1?deleted=1"' in page("/artifacts/net")
    assert versions(page("/artifacts/net/v1?deleted=1")) == ["2", "1"]
    html = page("/artifacts/net/v2")
    assert versions(html) == ["2", "1"]
    assert "in the recycle bin" in html


def test_an_artifact_of_which_all_versions_are_deleted_still_has_its_page(net: Path, tick: Tick, page: Page):
    for number in (1, 2):
        delete_version(place_of(net), number, by="user", at=9.0)
    tick()

    assert versions(page("/artifacts/net")) == ["2", "1"]


def test_files_are_listed_with_sizes_and_lead_to_the_verified_bytes(net: Path, page: Page, client: Client):
    html = page("/artifacts/net/v1")

    assert paths(html) == ["best.pt", "conf/a.json"]
    assert "9.00 B" in text_of(html)
    assert 'href="/api/artifacts/net/v1/files/conf/a.json"' in html
    assert 'href="/api/artifacts/net/v1/download"' in html


def test_many_files_come_in_pages_and_are_found_by_a_part_of_their_path(root_dir: Path, tick: Tick, page: Page):
    log_version(root_dir, {f"shards/{number:04}.bin": b"x" for number in range(250)})
    tick()

    first, last = page("/artifacts/net/v1"), page("/artifacts/net/v1?page=3")

    assert (len(paths(first)), len(paths(last))) == (100, 50)
    assert 'href="?page=2"' in first
    found = page("/artifacts/net/v1?match=/002")
    assert paths(found) == [f"shards/002{digit}.bin" for digit in range(10)]
    assert "No file has this in its path" in page("/artifacts/net/v1?match=nowhere")


def test_many_versions_come_in_pages_that_open_where_the_chosen_one_is(root_dir: Path, tick: Tick, page: Page):
    for minute in range(52):
        log_version(root_dir, {"w": b"%d" % minute}, minute=minute)
    tick()

    assert versions(page("/artifacts/net")) == [str(number) for number in range(52, 2, -1)]
    html = page("/artifacts/net/v1")
    assert versions(html) == ["2", "1"]
    assert 'href="?versions=1"' in html


def test_references_say_where_the_data_lies(root_dir: Path, tick: Tick, page: Page):
    reference = ReferenceEntry("s3://bucket/raw.tar?a=<b>", "md5:1", 3 * 1024**3)
    log_version(root_dir, {}, references=[reference])
    tick()

    text = text_of(page("/artifacts/net"))

    for shown in ("s3://bucket/raw.tar?a=&lt;b&gt;", "3.00 GB", "md5:1", "This version has no files of its own"):
        assert shown in text, shown


def test_the_metadata_tab_has_metadata_evaluations_and_stages(net: Path, tick: Tick, page: Page):
    log_version(net, {"w": b"1"}, metadata={"acc": {"val": 0.91}, "layers": [3, 4]}, minute=5)
    place = place_of(net)
    move_stage(place, 3, StageMove("staging", notes="looks <good>"), at=CREATED_AT)
    metrics = {"f1": 0.875}
    record_evaluation(
        place, 3, Evaluation(metrics, "passed", CREATED_AT, test_dataset="hidden:v2", evaluator_run_id="x/y")
    )
    tick()

    text = text_of(page("/artifacts/net/v3/metadata"))

    for shown in ("acc {1}", "0.91", "layers 3, 4", "passed", "f1 0.8750", "hidden:v2", "looks &lt;good&gt;", "x/y"):
        assert shown in text, shown
    assert str(net / "artifacts/model/net/v3") in text
    assert "passed" not in page("/artifacts/net/v1/metadata")


def test_documents_that_hold_anything_else_do_not_break_the_page(net: Path, tick: Tick, page: Page):
    path = net / "artifacts/model/net/v1/metadata.json"
    document = json.loads(path.read_text())
    odd = [7, {"from_stage": 3, "to_stage": None, "timestamp": "noon"}, {"timestamp": 1e300, "notes": ["x"]}]
    path.chmod(0o644)
    path.write_text(json.dumps({**document, "stage_transitions": odd, "lifecycle_stage": "mine"}))
    (net / "evaluations").mkdir()
    record = {
        "model_name": "net",
        "model_version": 1,
        "evaluation_date": 1e300,
        "metrics": [1],
        "status": {},
        "notes": 3,
    }
    (net / "evaluations" / "a.json").write_text(json.dumps(record))
    place_of(net).touch()
    tick()

    assert "Stages" in page("/artifacts/net/v1/metadata")
    assert page("/artifacts/net/v1")


def test_a_version_whose_manifest_cannot_be_read_says_so(net: Path, tick: Tick, page: Page):
    path = net / "artifacts/model/net/v2/manifest.json"
    path.chmod(0o644)
    path.write_text("{broken")
    place_of(net).touch()
    tick()

    html = page("/artifacts/net/v2")

    assert "manifest.json" in html
    assert "not valid JSON" in html
    assert "damaged" in text_of(html)


def test_two_versions_are_compared_key_by_key_and_file_by_file(root_dir: Path, tick: Tick, page: Page):
    before = {"lr": 0.1, "gone": True, "same": [1], "deep": {"a": 1, "b": "1"}}
    after = {"lr": 0.2, "new": "x<y", "same": [1], "deep": {"a": 1, "b": 1}}
    log_version(root_dir, {"w": b"1", "old": b"22", "kept": b"k"}, metadata=before)
    log_version(root_dir, {"w": b"333", "fresh": b"4444", "kept": b"k"}, metadata=after, minute=1)
    tick()

    html = page("/artifacts/net/v2/compare")

    lines = [text_of(line) for line in re.findall(r'<tr class="diff-.*?</tr>', html, re.DOTALL)]
    assert lines == [
        "~ changed deep.b &quot;1&quot; 1",
        "− removed gone true",
        "~ changed lr 0.1 0.2",
        "+ added new &quot;x&lt;y&quot;",
        "+ added fresh 4.00 B",
        "− removed old 2.00 B",
        "~ changed w 1.00 B 3.00 B",
    ]
    text = text_of(html)
    assert "1 added, 1 removed, 2 changed, 2 the same." in text
    assert "1 added, 1 removed, 1 changed, 1 the same." in text
    # from the older to the newer, whichever page asks
    assert "from v1 to v2" in text_of(page("/artifacts/net/v1/compare?with=2"))


def test_a_single_version_has_nothing_to_be_compared_with(root_dir: Path, tick: Tick, page: Page):
    log_version(root_dir, {"w": b"1"})
    tick()

    assert "no other version to compare with" in page("/artifacts/net/v1/compare")


@pytest.mark.parametrize(
    "address",
    ["/artifacts/nope", "/artifacts/nope/v1", "/artifacts/net/v9", f"/artifacts/net/v{10**30}", "/artifacts/net/v0"]
    + [f"/artifacts/net/v1/compare?with={other}" for other in ("9", "x", str(10**30), "-1")],
)
def test_what_is_not_there_is_not_found(net: Path, client: Client, address: str):
    response = client.get(address)

    assert response.status_code == 404
    assert "There is nothing at this address" in response.content.decode()


def test_a_name_of_several_types_asks_which_one_and_its_links_say_it(root_dir: Path, tick: Tick, page: Page):
    for type_ in ("model", "dataset"):
        log_version(root_dir, {"w": b"1"}, type=type_)
    tick()

    html = page("/artifacts/net")
    links = re.findall(r'href="(/artifacts/net\?[^"]+)"', html)

    assert links == ["/artifacts/net?type=dataset&amp;root=local", "/artifacts/net?type=model&amp;root=local"]
    html = page("/artifacts/net?type=model")
    assert 'href="/artifacts/net/v1/metadata?type=model&amp;root=local"' in html
    assert 'href="/api/artifacts/net/v1/files/w?type=model&amp;root=local"' in html
    assert 'href="/artifacts/net?type=dataset&amp;root=local"' in page("/artifacts")


@pytest.mark.parametrize("address", ["/artifacts/net", "/artifacts/net/v1/metadata", "/artifacts/net/v2/compare"])
def test_the_fragment_is_that_part_of_the_page(net: Path, page: Page, address: str):
    fragment = page(address, fragment=True).strip()

    assert fragment.startswith("<section")
    assert without_tokens(fragment) in without_tokens(page(address))


@pytest.mark.parametrize("tab", ["", "/metadata", "/compare", "/lineage"])
def test_more_versions_and_files_need_no_more_queries(root_dir: Path, tick: Tick, client: Client, tab: str):
    counts = []
    for first, last in ((0, 2), (2, 40)):
        for minute in range(first, last):
            files = {f"{minute}-{number}": b"x" for number in range(last)}
            log_version(root_dir, files, minute=minute, run_id=f"20250114_153045_{minute:06x}")
        tick()
        with CaptureQueriesContext(connections["index"]) as queries:
            assert client.get(f"/artifacts/net/v{last}{tab}").status_code == 200
        counts.append(len(queries))

    assert counts[0] == counts[1] <= 28


def test_a_name_that_needs_escaping_is_reached(root_dir: Path, tick: Tick, page: Page):
    name = "réseau #1 100%&co"
    log_version(root_dir, {"a b/ü#?.txt": b"1"}, name=name)
    tick()

    (link,) = re.findall(r'href="([^"]+)" data-open', page("/artifacts"))
    html = page(link.replace("&amp;", "&"))

    assert name.replace("&", "&amp;") in html
    assert re.search(r'href="/api/artifacts/r%C3%A9seau[^"]+/files/a%20b/%C3%BC%23%3F.txt"', html)


def test_an_artifact_of_another_root_is_reached_by_its_address(net: Path, root: StorageRoot, page: Page):
    other = StorageRoot.objects.create(key="gpu 1", path="/data/gpu1")
    twin = Artifact.objects.create(root=other, type="model", name="net", created_at=1, updated_at=1, latest_version=7)
    twin.versions.create(
        number=7, folder="x", status="ready", created_at=1, updated_at=1, size_bytes=1, num_files=0, num_references=0,
        stage="experimental",
    )  # fmt: skip

    assert versions(page("/artifacts/net?root=gpu%201")) == ["7"]
    assert versions(page("/artifacts/net")) == ["2", "1"]


def test_the_page_is_chinese_for_who_asks_for_it(net: Path, page: Page):
    text = text_of(page("/artifacts/net", language="zh-CN"))

    for word in ("制品", "版本", "文件", "元数据", "比较", "实验", "就绪"):
        assert word in text, word
