"""All addresses: the API below /api, pages everywhere else (below /dashboard/ if another front end has the rest)."""

from __future__ import annotations

from django.conf import settings
from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView
from django.views.i18n import JavaScriptCatalog

from experiments.accounts import urls as accounts
from experiments.api import docs_views
from experiments.api.views.system import unknown_endpoint
from runicorn_site.front_end import INDEX, front_end

# here and not when Django starts: the mirror process and the commands have no pages
admin.autodiscover()

urlpatterns = [
    path("api", unknown_endpoint),
    # before those of experiments, whose last one answers whatever is left
    path("api/", include(("sync.api.urls", "sync_api"))),
    path("api/", include(("artifacts.api.urls", "artifacts_api"))),
    path("api/", include(("experiments.api.urls", "api"))),
    path("openapi.json", docs_views.openapi_json, name="openapi_json"),
    path("docs", docs_views.swagger_ui, name="swagger_ui"),
    path("redoc", docs_views.redoc, name="redoc"),
    path("admin", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/", admin.site.urls),
    path("i18n/", include("django.conf.urls.i18n")),
    path("jsi18n/", JavaScriptCatalog.as_view(), name="javascript-catalog"),
    path("", include(accounts.entrance)),
]
pages = [path("", include(accounts.pages)), path("", include("artifacts.urls")), path("", include("experiments.urls"))]
if settings.RUNICORN_FRONT_END is None:
    urlpatterns += pages
else:
    urlpatterns += [
        path("dashboard", RedirectView.as_view(pattern_name="home")),
        path("dashboard/", include(pages)),
        path("<path:name>", front_end, name="front_end"),
        path("", front_end, {"name": INDEX}),
    ]

handler400 = "experiments.http.errors.bad_request"
handler403 = "experiments.http.errors.permission_denied"
handler404 = "experiments.http.errors.not_found"
handler500 = "experiments.http.errors.server_error"
