"""Django's admin app with our site; apart from the site, which imports models, because apps are configured first."""

from django.contrib.admin.apps import SimpleAdminConfig


class AdminConfig(SimpleAdminConfig):
    """Loads no ``admin`` module by itself: only the web process has pages (runicorn_site/urls.py)."""

    default_site = "runicorn_site.administration.Administration"
