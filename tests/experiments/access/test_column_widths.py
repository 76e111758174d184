"""Whose column widths they are."""

from __future__ import annotations

from datetime import UTC, datetime

import httpx
import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from experiments.access import account_of
from experiments.accounts.column_widths import TableLayout, column_widths, reset_column_widths, save_column_widths
from experiments.accounts.models import ColumnWidths
from experiments.accounts.services import local_account
from tests.experiments.access.people import bearer, make_account, make_token
from tests.server import ViewerServer

pytestmark = pytest.mark.django_db(databases=["default"])

AT = datetime(2026, 5, 1, tzinfo=UTC)


def save(owner: User | None, width: int) -> None:
    save_column_widths(owner, TableLayout("runs", "1x1", {"name": width}), at=AT)


def widths(owner: User | None) -> dict[str, int]:
    return column_widths(owner, table="runs", size="1x1")


def test_each_account_has_its_own_and_nobody_shares_one():
    ana, ben = User.objects.create_user("ana"), User.objects.create_user("ben")

    save(ana, 1)
    save(None, 2)

    assert [widths(owner) for owner in (ana, ben, None)] == [{"name": 1}, {}, {"name": 2}]
    reset_column_widths(ana, table="runs", size=None)
    assert [widths(owner) for owner in (ana, ben, None)] == [{}, {}, {"name": 2}]


def test_where_nobody_logs_in_they_are_everybodys():
    assert account_of(local_account()) is None
    assert account_of(None) is None


@pytest.mark.parametrize("name", [None, "ana"])
def test_there_is_one_set_for_a_table_and_size(name: str | None):
    owner = User.objects.create_user(name) if name else None
    save(owner, 1)

    with pytest.raises(IntegrityError), transaction.atomic():
        ColumnWidths.objects.create(owner=owner, table="runs", size="1x1", widths={}, updated_at=AT)


def test_over_http_an_account_sees_its_own(lab: httpx.Client, lab_server: ViewerServer):
    make_account(lab_server, "widths")
    tokens = {name: bearer(make_token(lab_server, owner=name, name="widths")) for name in ("ana", "widths")}
    body = {"table": "runs", "size": "1x1", "widths": {"name": 7}}

    lab.post("/api/config/column-widths", json=body, headers=tokens["ana"]).raise_for_status()

    def seen(name: str) -> object:
        return lab.get("/api/config/column-widths?table=runs&size=1x1", headers=tokens[name]).json()["widths"]

    assert (seen("ana"), seen("widths")) == ({"name": 7}, {})
