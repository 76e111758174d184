"""Who may use the admin."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission, User
from django.contrib.contenttypes.models import ContentType
from django.test import Client
from pytest_django import Settings

from tests.experiments.admin.pages import LIST, listed

pytestmark = pytest.mark.django_db(databases=["default", "index"])


def test_where_nobody_logs_in_everybody_is_an_administrator(client: Client):
    assert listed(client) == []


def test_where_people_log_in_strangers_do_not_come_in(client: Client, settings: Settings):
    settings.RUNICORN_LOGIN_REQUIRED = True

    for address in ("/admin/", LIST, f"{LIST}apply/purge"):
        answer = client.post(address, {"rows": "[]"})
        assert answer.status_code == 302
        assert "login" in answer.url


def test_where_people_log_in_staff_come_in(client: Client, settings: Settings, ada: User):
    settings.RUNICORN_LOGIN_REQUIRED = True
    client.force_login(ada)

    assert listed(client) == []


def test_the_short_address_leads_there(client: Client):
    assert client.get("/admin").url == "/admin/"


def test_what_django_knows_of_the_models_lies_beside_the_accounts():
    """Content types and permissions belong to accounts; they are made by migrating, not when first needed."""
    kinds = set(ContentType.objects.filter(app_label="experiments").values_list("model", flat=True))

    assert {"run", "project", "experiment", "problem"} <= kinds
    assert Permission.objects.filter(content_type__app_label="experiments", codename="change_run").exists()
