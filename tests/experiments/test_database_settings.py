"""RUNICORN_DATABASE_URL: what it may say, and what an error about it may not say."""

from __future__ import annotations

import pytest
from django.core.exceptions import ImproperlyConfigured

from runicorn_site.database_settings import postgresql


def test_both_aliases_are_one_database_and_the_index_has_a_schema_of_its_own():
    databases = postgresql("postgresql://ana:s%2Fcret@db.lab:5433/runs?sslmode=require")

    for alias in ("default", "index"):
        database = databases[alias]
        assert [database[key] for key in ("NAME", "USER", "PASSWORD", "HOST", "PORT")] == [
            "runs",
            "ana",
            "s/cret",
            "db.lab",
            "5433",
        ]
        assert database["OPTIONS"]["sslmode"] == "require"
    assert databases["index"]["OPTIONS"]["options"] == "-c search_path=runicorn_index"
    assert databases["default"]["OPTIONS"]["options"] == ""


def test_a_socket_folder_and_the_shorter_scheme_are_taken_and_options_of_the_address_stay():
    index = postgresql("postgres:///runs?host=/run/postgresql&options=-c%20statement_timeout%3D5000")["index"]

    assert (index["HOST"], index["NAME"]) == ("/run/postgresql", "runs")
    assert index["OPTIONS"]["options"] == "-c statement_timeout=5000 -c search_path=runicorn_index"


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("mysql://ana:hunter2@db/runs", "does not begin with postgresql://"),
        ("host=db password=hunter2 dbname=runs", "does not begin with postgresql://"),
        ("postgresql://ana:hunter2@db:many:5/runs%zz", "is no address"),
        ("postgresql://ana:hunter2@db/runs?colour=red", "is no address"),
        ("postgresql://ana:hunter2@db:5432/", "names no database"),
    ],
)
def test_an_address_that_cannot_be_meant_is_an_error_that_names_the_variable_and_no_password(url: str, reason: str):
    with pytest.raises(ImproperlyConfigured, match="RUNICORN_DATABASE_URL") as raised:
        postgresql(url)

    assert reason in str(raised.value)
    assert "hunter2" not in str(raised.value)
    assert raised.value.__cause__ is None
    assert raised.value.__suppress_context__ or raised.value.__context__ is None
