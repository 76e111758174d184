"""The admin site: where people curate. Whoever may administer comes in; what they can do is in each app's ``admin``."""

from __future__ import annotations

from django.contrib.admin import AdminSite
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from experiments.access import may_administer


class Administration(AdminSite):
    site_title = "Runicorn"
    site_header = _("Administration")
    index_title = _("Administration")
    enable_nav_sidebar = False

    def has_permission(self, request: HttpRequest) -> bool:
        return may_administer(request.user)
