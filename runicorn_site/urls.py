"""All addresses: the API below /api, pages everywhere else."""

from __future__ import annotations

from django.urls import include, path
from django.views.i18n import JavaScriptCatalog

from experiments.api.views.system import unknown_endpoint

urlpatterns = [
    path("api", unknown_endpoint),
    path("api/", include(("experiments.api.urls", "api"))),
    path("i18n/", include("django.conf.urls.i18n")),
    path("jsi18n/", JavaScriptCatalog.as_view(), name="javascript-catalog"),
    path("", include("experiments.urls")),
]

handler400 = "experiments.http.errors.bad_request"
handler403 = "experiments.http.errors.permission_denied"
handler404 = "experiments.http.errors.not_found"
handler500 = "experiments.http.errors.server_error"
