"""Django's settings. The only module of the viewer that reads the environment, once, loudly.

The command line hands its choices over as the variables in ``runicorn_site.environment``; a user sets RUNICORN_DIR.
"""

from __future__ import annotations

from pathlib import Path

from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy as _

from runicorn import config
from runicorn_site import environment

SITE_DIR = Path(__file__).resolve().parent
#: In a checkout the templates lie beside the packages, in a wheel inside this one.
CHECKOUT_TEMPLATES = SITE_DIR.parent / "templates"

# What the command line decided -----------------------------------------------------------------------------------

RUNICORN_STORAGE_ROOT = config.resolve_storage_root()
#: The address the web process is bound to; loopback means no login.
RUNICORN_HOST = environment.host()
#: True if the user opted out of login for an address beyond loopback.
RUNICORN_NO_AUTH = environment.no_auth()

DEBUG = False
SECRET_KEY = environment.secret_key(config.user_data_dir() / "secret_key")
ALLOWED_HOSTS = environment.allowed_hosts(RUNICORN_HOST)

# Applications ----------------------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "channels",
    "csp",
    "django_htmx",
    "rest_framework",
    "experiments",
    "runicorn_site",
]

# Static files are answered before Django is asked (runicorn_site/static_files.py).
MIDDLEWARE = [
    "experiments.http.middleware.ApiMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "experiments.http.middleware.ProblemMiddleware",
]

ROOT_URLCONF = "runicorn_site.urls"
ASGI_APPLICATION = "runicorn_site.asgi.application"
#: The reference answers /api/runs and 404s /api/runs/: a redirect would turn a POST into a GET.
APPEND_SLASH = False

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [CHECKOUT_TEMPLATES if CHECKOUT_TEMPLATES.is_dir() else SITE_DIR / "templates"],
        "APP_DIRS": False,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]

REST_FRAMEWORK = {
    "DEFAULT_RENDERER_CLASSES": ["experiments.http.rendering.OrjsonRenderer"],
    "DEFAULT_PARSER_CLASSES": ["experiments.http.rendering.OrjsonParser"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "experiments.http.rendering.AlwaysJson",
    "DEFAULT_METADATA_CLASS": None,  # OPTIONS is answered by the middleware
    # bound to loopback nobody logs in, and beyond it the viewer refuses to start unless told --no-auth
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": [],
    "UNAUTHENTICATED_USER": None,
    "EXCEPTION_HANDLER": "experiments.http.errors.drf_exception_handler",
}

# Databases -------------------------------------------------------------------------------------------------------


def _sqlite(path: Path) -> dict[str, object]:
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": path,
        # A request may hold no transaction while it renders: SQLite has one writer.
        "ATOMIC_REQUESTS": False,
        "CONN_MAX_AGE": None,
        # each can be made without the other
        "TEST": {"DEPENDENCIES": []},
        "OPTIONS": {
            "timeout": 10,
            # A transaction that begins by reading and then writes would fail at once when another writer was faster.
            "transaction_mode": "IMMEDIATE",
            # 32 MiB of pages a connection: with the default of 2, each look at all of 10,000 runs reads every page anew
            # mmap: large columns of metrics are read from the kernel's pages instead of copied through that cache
            # [first chart of 1,000,000 records: 8 MB of steps in 18 to 55 ms instead of 136]
            "init_command": (
                "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-32768;"
                "PRAGMA mmap_size=268435456;"
            ),
        },
    }


DATABASES = {
    # accounts, sessions, preferences: small, kept, never moved silently
    "default": _sqlite(config.default_database_path()),
    # the mirror of one storage root: may be deleted at any time
    "index": _sqlite(config.index_path(RUNICORN_STORAGE_ROOT)),
}
DATABASE_ROUTERS = ["runicorn_site.routers.IndexRouter"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Pages -----------------------------------------------------------------------------------------------------------

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("zh-hans", _("Simplified Chinese"))]
LOCALE_PATHS = [SITE_DIR / "locale"]
USE_TZ = True
TIME_ZONE = "UTC"

STATIC_URL = "/static/"
STATICFILES_DIRS = [SITE_DIR / "static"]

#: Cookies of viewers on other ports of one host must not overwrite each other's session.
SESSION_COOKIE_NAME = "runicorn_session"
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_NAME = "runicorn_csrf"
LANGUAGE_COOKIE_NAME = "runicorn_language"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        # Tabler's style sheet holds its small pictures as data: addresses
        "img-src": [SELF, "data:", "blob:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    },
}

# Messages of the processes ---------------------------------------------------------------------------------------

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {
        "django": {"handlers": ["stderr"], "level": "WARNING", "propagate": False},
        # 404 and 400 answers are the client's business, not the server's
        "django.request": {"handlers": ["stderr"], "level": "ERROR", "propagate": False},
        "django.security.DisallowedHost": {"handlers": ["stderr"], "level": "CRITICAL", "propagate": False},
    },
}
