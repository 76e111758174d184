"""The quick reference, block by block, against a live viewer: as written, but for port, ids, folders and endless loops.

Each block and table of the document is named in COVERED or LATER; one that is not fails.
"""

from __future__ import annotations

import http.server
import json
import os
import re
import shlex
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from django.test import RequestFactory
from playwright.sync_api import sync_playwright

from experiments.http.errors import server_error
from tests import run_directories
from tests.api_description import check
from tests.artifacts.stored import log_version
from tests.command_line import RunningCommand, running, running_viewer, user_environment, wait_until, write_run
from tests.components import chromium, node
from tests.quick_reference import PORT, blocks, calls, table_rows

#: Block or table of the document → the test here that runs it.
COVERED = {
    "🌐 REST API 快速开始 (30秒), bash": "test_the_first_thirty_seconds",
    "实验管理, bash": "test_the_most_used_endpoints",
    "V2 API (高性能), bash": "test_the_most_used_endpoints",
    "Artifacts, bash": "test_artifacts",
    "配置, bash": "test_the_configuration",
    "速率限制, table": "test_the_limits_are_those_of_the_table",
    "速率限制, text": "test_the_limits_are_told_in_these_headers",
    "成功响应, json": "test_a_success_has_the_documented_form",
    "错误响应, json": "test_an_error_has_the_documented_form",
    "常用状态码, table": "test_the_status_codes_mean_what_the_table_says",
    "列出和过滤, python": "test_listing_and_filtering_in_python",
    "获取指标并绘图, python": "test_fetching_metrics_and_plotting_them",
    "流式日志, python": "test_streaming_logs_in_python",
    "获取运行, javascript": "test_listing_runs_in_javascript",
    "WebSocket 日志, javascript": "test_streaming_logs_in_javascript",
    "Run ID 格式, text": "test_run_ids_have_the_documented_form",
    "时间戳, python": "test_times_are_unix_seconds",
    "文件大小, python": "test_sizes_are_bytes",
    "环境变量, bash": "test_the_environment_variables",
    "API 无响应, bash": "test_a_viewer_that_does_not_answer_is_started_again",
    "CORS 错误（来自浏览器）, javascript": "test_a_page_of_another_origin_may_read",
    "大响应超时, python": "test_a_longer_timeout",
}
#: What concerns parts that do not exist yet → which part.
LATER = {
    "🐍 Python API Client (推荐), python": "the Python client",
    "Manifest-Based Sync 🚀, bash": "sync: manifests",
    "远程同步, bash": "sync: SSH connections",
}
RUN = "20250114_153045_a1b2c3"
OTHER_RUN = "20241225_090000_xyz789"
DEMO_RUN = "20250302_101500_7c1e9a"
LINE = "10:15:01 | loading data"


def test_every_block_and_table_of_the_document_is_accounted_for():
    assert blocks().keys() == COVERED.keys() | LATER.keys()
    assert not COVERED.keys() & LATER.keys()
    assert [test for test in COVERED.values() if not callable(globals().get(test))] == []


@pytest.fixture(scope="module")
def viewer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningCommand]:
    """A viewer over three runs; the first has a log, the last belongs to the project demo."""
    folder = tmp_path_factory.mktemp("reference")
    root = folder / "root"
    (write_run(root) / "logs.txt").write_text(f"{LINE}\n", encoding="utf-8")
    write_run(root, OTHER_RUN, status="failed")
    run_directories.write_run(root, f"demo/mlp/runs/{DEMO_RUN}", records=[{"loss": 1.0, "global_step": 1}])
    with running_viewer("--storage", str(root), folder=folder) as viewer:
        wait_until(lambda: len(viewer.get("/api/runs")) == 3, viewer.describe)
        yield viewer


def port_of(viewer: RunningCommand) -> int:
    port = urlsplit(viewer.url).port
    assert port is not None
    return port


@contextmanager
def script(
    command: Sequence[str], text: str, folder: Path, suffix: str, **variables: str
) -> Iterator[subprocess.Popen[str]]:
    """A block as a script that runs; ended with the test."""
    path = folder / f"block{suffix}"
    path.write_text(text, encoding="utf-8")
    environment = user_environment(folder, PYTHONUNBUFFERED="1", MPLBACKEND="Agg", **variables)
    process = subprocess.Popen(
        [*command, str(path)], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=folder
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def output_of(command: Sequence[str], text: str, folder: Path, suffix: str = ".py") -> str:
    """What a block printed that ran to its end without an error."""
    with script(command, text, folder, suffix) as process:
        output, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors
    return output


def bash(text: str, folder: Path) -> str:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-ec", text],
        env=user_environment(folder, PATH=path),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout


PYTHON = [sys.executable]


@contextmanager
def started_as_written(line: str, folder: Path, **variables: str) -> Iterator[RunningCommand]:
    """The viewer of a line ``runicorn viewer …``, on a free port instead of the document's."""
    program, *arguments = shlex.split(line)
    assert program == "runicorn"
    arguments = ["0" if argument == PORT else argument for argument in arguments]
    arguments += [] if "--port" in arguments else ["--port", "0"]
    with running(*arguments, folder=folder, **variables) as viewer:
        viewer.wait_for("Storage root: ")
        yield viewer


def test_the_first_thirty_seconds(tmp_path: Path):
    block = blocks()["🌐 REST API 快速开始 (30秒), bash"]
    start, *rest = [line for line in block.text.splitlines() if line and not line.startswith("#")]

    with started_as_written(start, tmp_path) as viewer:
        health, runs = [bash(line.replace(PORT, str(port_of(viewer))), tmp_path) for line in rest]

    assert json.loads(health)["status"] == "ok"
    assert json.loads(runs) == []


def test_the_most_used_endpoints(viewer: RunningCommand):
    keys = [key for key, test in COVERED.items() if test == "test_the_most_used_endpoints"]
    answers: dict[str, Any] = {}
    with httpx.Client(base_url=viewer.url, event_hooks={"response": [check]}, timeout=30) as client:
        for call in [call for key in keys for call in calls(blocks()[key].text)]:
            address = call.address.replace("{run_id}", RUN).replace("{id}", RUN)
            body = json.loads(
                json.dumps(call.body).replace("run1", OTHER_RUN).replace("run2", "20250101_000000_0000aa")
            )
            answer = client.request(call.method, address, json=body)
            assert answer.status_code == 200, answer.text
            answers[call.address] = answer.json()
        client.post("/api/recycle-bin/restore", json={"run_ids": [OTHER_RUN]})

    assert {run["id"] for run in answers["/api/runs"]} == {RUN, OTHER_RUN, DEMO_RUN}
    assert answers["/api/runs/{run_id}"]["id"] == RUN
    assert [row["loss"] for row in answers["/api/runs/{run_id}/metrics_step"]["rows"]] == [0.5]
    assert answers["/api/runs/soft-delete"]["deleted_count"] == 1
    (page,) = [answer for address, answer in answers.items() if address.startswith("/api/v2/experiments?")]
    assert [run["id"] for run in page["experiments"]] == [DEMO_RUN]
    (table,) = [answer for address, answer in answers.items() if "metrics/fast" in address]
    assert [row["loss"] for row in table["rows"]] == [0.5]


def test_artifacts(viewer: RunningCommand):
    root = Path(viewer.get("/api/config")["storage"])
    log_version(root, {"weights.bin": b"12345"}, name="vit-s", run_id=RUN)
    wait_until(lambda: viewer.get("/api/artifacts"), viewer.describe)

    answers = []
    with httpx.Client(base_url=viewer.url, event_hooks={"response": [check]}, timeout=30) as client:
        for call in calls(blocks()["Artifacts, bash"].text):
            answer = client.request(call.method, call.address.replace("{name}", "vit-s").replace("{version}", "1"))
            assert answer.status_code == 200, answer.text
            answers.append(answer.json())

    listed, versions, version, lineage = answers
    assert [(item["name"], item["type"]) for item in listed] == [("vit-s", "model")]
    assert [item["version"] for item in versions] == [version["version"]] == [1]
    assert [node["node_id"] for node in lineage["nodes"]] == ["vit-s:v1", RUN]


def test_the_configuration(viewer: RunningCommand, tmp_path: Path):
    read, write = calls(blocks()["配置, bash"].text)
    root = viewer.get(read.address)["storage"]
    assert list(write.body) == ["path"]

    answers = [
        httpx.request(write.method, viewer.url + write.address, json={"path": path}, timeout=30).json()
        for path in (str(tmp_path / "RunicornData"), root)
    ]

    assert [answer["storage"] for answer in answers] == [str(tmp_path / "RunicornData"), root]
    assert viewer.get(read.address)["storage"] == root


@pytest.fixture(scope="module")
def limited_viewer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningCommand]:
    """A viewer with the limits that are built in."""
    folder = tmp_path_factory.mktemp("limits")
    with running("viewer", "--port", "0", folder=folder) as viewer:
        viewer.wait_for("Storage root: ")
        yield viewer


#: A class of the table → a request of that class.
OF_CLASS = {
    "标准": ("GET", "/api/runs"),
    "V2 查询": ("GET", "/api/v2/experiments"),
    "SSH 连接": ("POST", "/api/unified/connect"),
    "批量删除": ("POST", "/api/runs/soft-delete"),
}


def test_the_limits_are_those_of_the_table(limited_viewer: RunningCommand):
    documented = dict(table_rows(blocks()["速率限制, table"].text))

    told = {
        name: httpx.request(method, limited_viewer.url + path, json={} if method == "POST" else None).headers
        for name, (method, path) in OF_CLASS.items()
    }

    assert {name: f"{headers['X-RateLimit-Limit']}/分钟" for name, headers in told.items()} == documented


def test_the_limits_are_told_in_these_headers(limited_viewer: RunningCommand):
    names = [line.partition(":")[0] for line in blocks()["速率限制, text"].text.splitlines()]

    headers = httpx.get(f"{limited_viewer.url}/api/projects").headers

    assert [headers[name].isdigit() for name in names] == [True] * 3


def test_a_success_has_the_documented_form(viewer: RunningCommand):
    documented = json.loads(blocks()["成功响应, json"].text.replace("{ ... }", "{}"))

    answer = httpx.post(f"{viewer.url}/api/status/check").json()

    assert answer["ok"] is documented["ok"] is True
    assert {key: type(answer[key]) for key in documented} == {key: type(value) for key, value in documented.items()}


def test_an_error_has_the_documented_form(viewer: RunningCommand):
    (key,) = json.loads(blocks()["错误响应, json"].text)

    answer = httpx.get(f"{viewer.url}/api/runs/nope").json()

    assert isinstance(answer[key], str)


def test_the_status_codes_mean_what_the_table_says(viewer: RunningCommand):
    documented = [int(code) for code, *_ in table_rows(blocks()["常用状态码, table"].text)]
    seen = [httpx.get(viewer.url + path).status_code for path in ("/api/runs", "/api/runs?limit=x", "/api/runs/nope")]

    # how a request comes to be the 429th is a matter of the limits' own tests; a bug answers with Django's handler
    assert [*seen, 429, server_error(RequestFactory().get("/api/runs")).status_code] == documented


def test_listing_and_filtering_in_python(viewer: RunningCommand, tmp_path: Path):
    text = blocks()["列出和过滤, python"].on_port(port_of(viewer))

    printed = output_of(PYTHON, text + "\nprint(sorted(run['id'] for run in finished))", tmp_path)

    assert printed.strip() == str([RUN, DEMO_RUN])


def test_fetching_metrics_and_plotting_them(viewer: RunningCommand, tmp_path: Path):
    text = blocks()["获取指标并绘图, python"].on_port(port_of(viewer))

    printed = output_of(PYTHON, f"run_id = {RUN!r}\n{text}\nprint(steps, loss, len(plt.gca().lines))", tmp_path)

    assert printed.strip() == "[1] [0.5] 1"


def _lines_until(process: subprocess.Popen[str], last: str) -> list[str]:
    assert process.stdout is not None
    lines: list[str] = []
    timer = threading.Timer(30, process.kill)
    timer.start()
    for line in process.stdout:
        lines.append(line.rstrip("\n"))
        if lines[-1] == last:
            break
    timer.cancel()
    return lines


@contextmanager
def _a_new_line(viewer: RunningCommand, line: str) -> Iterator[None]:
    """Ends with the log as it was, for the next test."""
    (log,) = Path(viewer.get(f"/api/runs/{RUN}")["run_dir"]).glob("logs.txt")
    before = log.read_text(encoding="utf-8")
    with log.open("a", encoding="utf-8") as file:
        file.write(f"{line}\n")
    yield
    log.write_text(before, encoding="utf-8")


def test_streaming_logs_in_python(viewer: RunningCommand, tmp_path: Path):
    text = blocks()["流式日志, python"].on_port(port_of(viewer))
    assert RUN in text

    with script(PYTHON, text, tmp_path, ".py") as process:
        there = _lines_until(process, LINE)
        with _a_new_line(viewer, "10:15:09 | epoch 1 done"):
            added = _lines_until(process, "10:15:09 | epoch 1 done")

    assert (there[-1:], added[-1:]) == ([LINE], ["10:15:09 | epoch 1 done"])


def test_listing_runs_in_javascript(viewer: RunningCommand, tmp_path: Path):
    text = blocks()["获取运行, javascript"].on_port(port_of(viewer))

    printed = output_of(node(), text, tmp_path, ".mjs")

    assert sorted(printed.splitlines()) == [f"{OTHER_RUN}: failed", f"{RUN}: finished", f"{DEMO_RUN}: finished"]


def test_streaming_logs_in_javascript(viewer: RunningCommand, tmp_path: Path):
    text = blocks()["WebSocket 日志, javascript"].on_port(port_of(viewer)).replace("{run_id}", RUN)

    # browsers and Node.js of 22 have WebSocket anyway
    with script([*node(), "--experimental-websocket"], text, tmp_path, ".mjs") as process:
        lines = _lines_until(process, LINE)

    assert lines[-1:] == [LINE]


def test_run_ids_have_the_documented_form(viewer: RunningCommand, tmp_path: Path):
    form, _, _, *examples = blocks()["Run ID 格式, text"].text.splitlines()
    assert form == "YYYYMMDD_HHMMSS_XXXXXX"
    ids = [example.removeprefix("- ") for example in examples]

    ours = output_of(PYTHON, "import runicorn as rn\nprint(rn.init(project='p', console=False).id)", tmp_path).strip()

    assert ids == [RUN, OTHER_RUN]
    assert [viewer.get(f"/api/runs/{run_id}")["id"] for run_id in ids] == ids
    assert re.fullmatch(r"\d{8}_\d{6}_[0-9a-z]{6}", ours)


def test_times_are_unix_seconds(viewer: RunningCommand, tmp_path: Path):
    created = viewer.get(f"/api/runs/{RUN}")["created_time"]
    text = blocks()["时间戳, python"].text
    assert "ts = time.time()" in text

    printed = output_of(PYTHON, text.replace("time.time()", str(created)) + "\nprint(ts, dt.year)", tmp_path)

    assert printed.split() == [str(created), "2025"]


def test_sizes_are_bytes():
    text = blocks()["文件大小, python"].text
    (size, written) = re.findall(r'# (\d+) bytes → "(.+)"', text)[0]
    names: dict[str, Any] = {}

    exec(text, names)

    assert names["format_bytes"](int(size)) == written == "97.66 MB"


def test_the_environment_variables(tmp_path: Path):
    text = blocks()["环境变量, bash"].text.replace("E:\\\\RunicornData", str(tmp_path / "data"))
    exported = bash(f"{text}\nenv", tmp_path).splitlines()
    names = {line.removeprefix("export ").partition("=")[0] for line in text.splitlines() if line.startswith("export ")}
    variables = dict(line.split("=", 1) for line in exported if line.partition("=")[0] in names)
    assert len(variables) == 3

    training = "import runicorn as rn\nrun = rn.init(project='p')\nrn.log({'loss': 1})\nrn.finish()\nprint(run.id)"
    with script(PYTHON, training, tmp_path, ".py", **variables) as process:
        run_id = process.communicate(timeout=60)[0].strip()
    with started_as_written("runicorn viewer", tmp_path, **variables) as viewer:
        storage = viewer.get("/api/health")["storage"]
        wait_until(lambda: viewer.get("/api/runs"), viewer.describe)
        runs = viewer.get("/api/runs")

    assert storage == str(tmp_path / "data")
    assert [run["id"] for run in runs] == [run_id]


def test_a_viewer_that_does_not_answer_is_started_again(tmp_path: Path):
    health, start = [
        line for line in blocks()["API 无响应, bash"].text.splitlines() if line and not line.startswith("#")
    ]

    with started_as_written(start, tmp_path) as viewer:
        answer = bash(health.replace(PORT, str(port_of(viewer))), tmp_path)

    assert json.loads(answer)["status"] == "ok"


@pytest.fixture
def other_origin() -> Iterator[str]:
    """A page that is not the viewer's."""

    class EmptyPage(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), EmptyPage) as server:
        threading.Thread(target=server.serve_forever).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def test_a_page_of_another_origin_may_read(viewer: RunningCommand, other_origin: str):
    """The header Content-Type makes the browser ask first."""
    text = blocks()["CORS 错误（来自浏览器）, javascript"].on_port(port_of(viewer))
    asked: list[tuple[str, int]] = []

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page()
        page.on("response", lambda response: asked.append((response.request.method, response.status)))
        page.goto(other_origin)
        ids = page.evaluate(f"async () => (await (await (\n{text}\n)).json()).map(run => run.id)")
        browser.close()

    assert set(ids) == {RUN, OTHER_RUN, DEMO_RUN}
    assert ("GET", 200) in asked


def test_a_longer_timeout(viewer: RunningCommand, tmp_path: Path):
    text = blocks()["大响应超时, python"].on_port(port_of(viewer))

    printed = output_of(PYTHON, text + "\nprint(response.status_code, len(response.json()))", tmp_path)

    assert printed.split() == ["200", "3"]


def test_the_interactive_documentation_is_where_the_last_line_says(viewer: RunningCommand):
    answer = httpx.get(f"{viewer.url}/docs")

    assert answer.status_code == 200
    assert "swagger" in answer.text
