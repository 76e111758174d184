"""Another front end at / and our pages below /dashboard/, over HTTP."""

from __future__ import annotations

import base64
import hashlib
import http.client
from collections.abc import Iterator

import httpx
import pytest

from tests.command_line import runicorn
from tests.front_end import INDEX, INLINE, SCRIPT, make_build
from tests.run_directories import RUN_ID, write_run
from tests.server import ViewerServer, running_server

PAGE = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ViewerServer]:
    folder = tmp_path_factory.mktemp("front_end")
    build = make_build(folder / "dist")
    (folder / "outside.txt").write_text("secret")
    (build / "link.txt").symlink_to(folder / "outside.txt")
    with running_server(folder, RUNICORN_FRONTEND_DIST=str(build)) as server:
        write_run(server.storage)
        server.scan()
        yield server


@pytest.fixture
def client(server: ViewerServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=30) as client:
        yield client


@pytest.mark.parametrize(
    "path", ["/", "/index.html", "/runs", f"/runs/{RUN_ID}", "/artifacts/model.v2", "/remote/", "/settings", "/a/b/c.d"]
)
def test_its_page_answers_at_the_root_and_for_addresses_that_only_it_knows(client: httpx.Client, path: str):
    answer = client.get(path, headers=PAGE)

    assert (answer.status_code, answer.text) == (200, INDEX)
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"


def test_programs_that_take_anything_get_the_page_as_well(client: httpx.Client):
    assert client.get(f"/runs/{RUN_ID}").text == INDEX


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/assets/index-4f2a.js", "text/javascript; charset=utf-8"),
        ("/assets/index-9c1d.css", "text/css; charset=utf-8"),
        ("/logo.svg", "image/svg+xml"),
        ("/static/js/chunk.js", "text/javascript; charset=utf-8"),
    ],
)
def test_its_files_are_served_with_their_types_and_asked_for_anew(client: httpx.Client, path: str, kind: str):
    answer = client.get(path)
    again = client.get(path, headers={"If-None-Match": answer.headers["ETag"]})

    assert (answer.status_code, answer.headers["Content-Type"]) == (200, kind)
    assert answer.headers["Cache-Control"] == "no-cache"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert (again.status_code, again.content) == (304, b"")


def test_head_has_the_length_and_no_body(client: httpx.Client):
    answer = client.head("/assets/index-4f2a.js")

    assert (answer.headers["Content-Length"], answer.content) == (str(len(SCRIPT)), b"")


@pytest.mark.parametrize("path", ["/assets/index-old.js", "/missing.png", "/assets/x.css", "/x.woff2"])
def test_a_script_or_picture_that_is_missing_is_not_replaced_by_the_page(client: httpx.Client, path: str):
    assert client.get(path, headers={"Accept": "*/*"}).status_code == 404


@pytest.mark.parametrize("path", ["/api", "/api/", "/api/nope", "/api/runs/"])
def test_an_unknown_address_of_the_api_is_a_404_in_json(client: httpx.Client, path: str):
    answer = client.get(path, headers=PAGE)

    assert (answer.status_code, answer.json()) == (404, {"detail": "Not Found"})


@pytest.mark.parametrize(
    "path", ["/static/nope", "/dashboard/nope", "/docs/nope", "/live/nope", "/set-up", "/admin/nope"]
)
def test_what_stays_ours_never_falls_through_to_its_page(client: httpx.Client, path: str):
    answer = client.get(path, headers=PAGE, follow_redirects=True)

    assert INDEX != answer.text
    assert answer.status_code in {404, 200 if path == "/admin/nope" else 404}


def test_our_pages_are_below_dashboard_and_the_rest_stays_where_it_was(client: httpx.Client):
    home = client.get("/dashboard", follow_redirects=True)
    run = client.get(f"/dashboard/runs/{RUN_ID}")

    assert (home.status_code, home.url.path) == (200, "/dashboard/")
    assert f'href="/dashboard/runs/{RUN_ID}' in home.text
    assert run.status_code == 200
    for path in ("/api/health", "/docs", "/redoc", "/openapi.json", "/admin/", "/login", "/dashboard/settings"):
        assert client.get(path, follow_redirects=True).status_code == 200, path
    assert client.get("/static/vendor/htmx/htmx.min.js").status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/.env",
        "/assets/../.env",
        "/link.txt",
        "/../outside.txt",
        "/..%2foutside.txt",
        "/%2e%2e/outside.txt",
        "/assets/..%5c..%5coutside.txt",
        "/%252e%252e/outside.txt",
        "//etc/passwd",
        "/%2fetc/passwd",
        "/index.html%00.txt",
    ],
)
def test_nothing_outside_of_the_build_and_nothing_hidden_is_served(server: ViewerServer, path: str):
    connection = http.client.HTTPConnection("127.0.0.1", int(server.url.rsplit(":", 1)[1]), timeout=30)
    connection.request("GET", path)
    answer = connection.getresponse()
    body = answer.read().decode()
    connection.close()

    assert answer.status in {200, 400, 404}
    assert body == INDEX or answer.status != 200
    assert "secret" not in body
    assert "SECRET" not in body


def test_it_cannot_be_written_to(client: httpx.Client):
    assert client.post("/index.html").status_code in {403, 405}


def test_its_content_policy_allows_its_scripts_by_what_they_are_and_no_others(client: httpx.Client):
    digest = base64.b64encode(hashlib.sha256(INLINE.encode()).digest()).decode()

    policy = client.get("/").headers["Content-Security-Policy"]
    ours = client.get("/dashboard/runs").headers["Content-Security-Policy"]

    assert f"script-src 'self' 'sha256-{digest}'" in policy
    assert "style-src 'self' 'unsafe-inline'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe-inline" not in ours


def test_a_page_that_a_new_build_replaced_is_allowed_its_new_script(tmp_path):
    build = make_build(tmp_path / "dist")
    with running_server(tmp_path, RUNICORN_DESKTOP_FRONTEND=str(build)) as server:
        before = httpx.get(server.url).headers["Content-Security-Policy"]
        (build / "index.html").write_text(INDEX.replace("ran", "ran again"))
        after = httpx.get(server.url)

    assert "ran again" in after.text
    assert after.headers["Content-Security-Policy"] != before


def test_the_first_variable_wins(tmp_path):
    builds = {name: make_build(tmp_path / name) for name in ("one", "two")}
    (builds["two"] / "index.html").write_text("two")
    variables = {"RUNICORN_FRONTEND_DIST": str(builds["one"]), "RUNICORN_DESKTOP_FRONTEND": str(builds["two"])}
    with running_server(tmp_path, **variables) as server:
        assert httpx.get(server.url).text == INDEX


@pytest.mark.parametrize("variable", ["RUNICORN_FRONTEND_DIST", "RUNICORN_DESKTOP_FRONTEND"])
@pytest.mark.parametrize("name", ["missing", "empty", "dist/index.html"])
def test_a_folder_without_a_page_is_an_error_that_names_the_variable(tmp_path, variable, name):
    make_build(tmp_path / "dist")
    (tmp_path / "empty").mkdir()

    done = runicorn("serve", "--port", "0", folder=tmp_path, **{variable: str(tmp_path / name)})

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"Error: {variable} is '{tmp_path / name}'")


def test_where_people_log_in_strangers_do_not_get_it(tmp_path):
    build = make_build(tmp_path / "dist")
    with running_server(tmp_path, RUNICORN_FRONTEND_DIST=str(build), RUNICORN_HOST="0.0.0.0") as server:
        page = httpx.get(f"{server.url}/runs/x", headers=PAGE)
        script = httpx.get(f"{server.url}/assets/index-4f2a.js", headers={"Sec-Fetch-Mode": "cors"})
        login = httpx.get(f"{server.url}/login")

    assert (page.status_code, page.headers["Location"]) == (302, "/login?next=%2Fruns%2Fx")
    assert script.status_code == 401
    assert login.status_code == 200
