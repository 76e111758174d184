"""What `runicorn doctor` says about Redis, with a real one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import redis

from tests.command_line import runicorn
from tests.shared_redis import breakable_redis, shared_redis


def about_redis(folder: Path, **variables: str) -> tuple[int, list[dict[str, Any]]]:
    done = runicorn("doctor", "--json", "--storage", "root", folder=folder, **variables)
    return done.returncode, [each for each in json.loads(done.stdout)["findings"] if each["subject"] == "Redis"]


def test_one_that_answers_is_named_with_its_version(tmp_path):
    with shared_redis(tmp_path) as url, redis.Redis.from_url(url) as client:
        version = client.info("server")["redis_version"]

        code, (finding,) = about_redis(tmp_path, RUNICORN_REDIS_URL=url)

    assert (code, finding["level"]) == (0, "ok")
    assert f"Version {version} at " in finding["message"]


def test_one_that_does_not_answer_is_an_error_with_what_to_do(tmp_path):
    with breakable_redis(tmp_path) as proxy:
        proxy.cut()

        code, (finding,) = about_redis(tmp_path, RUNICORN_REDIS_URL=proxy.url)

    assert (code, finding["level"]) == (1, "error")
    assert "cannot be used" in finding["message"]
    assert finding["way_out"].startswith("Start it or correct RUNICORN_REDIS_URL")


def test_an_address_that_makes_no_sense_is_an_error_that_does_not_show_it(tmp_path):
    code, (finding,) = about_redis(tmp_path, RUNICORN_REDIS_URL="redis://:ge/heim@redis")

    assert (code, finding["level"]) == (1, "error")
    assert finding["message"].startswith("RUNICORN_REDIS_URL names no host")
    assert "heim" not in json.dumps(finding)


def test_where_redis_is_not_used_nothing_is_said_of_it(tmp_path):
    assert about_redis(tmp_path)[1] == []
