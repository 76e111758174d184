"""Django's settings. The only module of the viewer that reads the environment, once, loudly.

The command line hands its choices over as the variables in ``runicorn_site.environment``; a user sets RUNICORN_DIR.
"""

from __future__ import annotations

from pathlib import Path

from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy as _

from runicorn import __version__, config
from runicorn_site import environment
from runicorn_site.database_settings import postgresql, sqlite_file

SITE_DIR = Path(__file__).resolve().parent
#: In a checkout the templates lie beside the packages, in a wheel inside this one.
CHECKOUT_TEMPLATES = SITE_DIR.parent / "templates"

# What the command line decided -----------------------------------------------------------------------------------

RUNICORN_STORAGE_ROOT = config.resolve_storage_root()
#: Whether the viewer was started with what the user stored: then it follows when that changes.
RUNICORN_FOLLOWS_USER_ROOT = environment.follows_user_root()
#: What tells this start of the viewer from others, the same in all its processes; empty if they were started singly.
RUNICORN_START_ID = environment.start_id()
#: The address the web process is bound to; loopback means no login.
RUNICORN_HOST = environment.host()
#: True if the user opted out of login for an address beyond loopback.
RUNICORN_NO_AUTH = environment.no_auth()
#: Whether every page, route and socket asks who is there.
RUNICORN_LOGIN_REQUIRED = environment.login_required(RUNICORN_HOST)
#: The foreign origins that may use the API and the sockets; None: any may read.
RUNICORN_ALLOWED_ORIGINS = environment.allowed_origins()
#: Whose word about a client's address and protocol counts.
RUNICORN_TRUSTED_PROXIES = environment.trusted_proxies()
#: The build of another front end that has the addresses of our pages, which move to /dashboard/; None: ours.
RUNICORN_FRONT_END = environment.front_end()
#: Where several web processes count requests and attempts to log in; None: there is one, and it counts for itself.
RUNICORN_REDIS_URL = environment.redis_url()

DEBUG = False
SECRET_KEY = environment.secret_key(config.user_data_dir() / "secret_key")
ALLOWED_HOSTS = environment.allowed_hosts(RUNICORN_HOST)

# Applications ----------------------------------------------------------------------------------------------------

# a thousand ticked runs are a thousand fields of a form; what views accept they say themselves
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2_000

INSTALLED_APPS = [
    "runicorn_site.admin_config.AdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "channels",
    "csp",
    "django_htmx",
    "drf_spectacular_sidecar",  # only static files
    "rest_framework",
    "experiments",
    "experiments.accounts",
    "artifacts",
    "sync",
    "runicorn_site",
]

# Static files are answered before Django is asked (runicorn_site/static_files.py).
MIDDLEWARE = [
    "csp.middleware.CSPMiddleware",
    "experiments.http.middleware.SecureCookies",
    "experiments.http.middleware.ApiHeadersMiddleware",
    # by token where there is one, and before all that refuses requests
    "experiments.accounts.middleware.TokenMiddleware",
    "experiments.http.limits.middleware.RateLimitMiddleware",
    "experiments.http.middleware.ApiMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "experiments.accounts.middleware.IdentityMiddleware",
    "experiments.accounts.middleware.AccessMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
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
        "APP_DIRS": True,  # the admin's
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "experiments.accounts.context.account",
            ],
        },
    }
]

REST_FRAMEWORK = {
    "DEFAULT_RENDERER_CLASSES": ["experiments.http.rendering.OrjsonRenderer"],
    "DEFAULT_PARSER_CLASSES": ["experiments.http.rendering.OrjsonParser"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "experiments.http.rendering.AlwaysJson",
    "DEFAULT_METADATA_CLASS": None,  # OPTIONS is answered by the middleware
    # the middleware decides who may ask, for pages and API alike (experiments/accounts/middleware.py)
    "DEFAULT_AUTHENTICATION_CLASSES": ["experiments.api.authentication.CallerOfRequest"],
    "DEFAULT_PERMISSION_CLASSES": [],
    "UNAUTHENTICATED_USER": None,
    "EXCEPTION_HANDLER": "experiments.http.errors.drf_exception_handler",
    # named, not imported: loaded by the first request for /openapi.json
    "DEFAULT_SCHEMA_CLASS": "experiments.api.openapi.DescribedSchema",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Runicorn",
    "VERSION": __version__,
    "OAS_VERSION": "3.1.0",
    "SCHEMA_PATH_PREFIX": "/api",
    "POSTPROCESSING_HOOKS": [],
}

_VALIDATORS = ("UserAttributeSimilarity", "MinimumLength", "CommonPassword", "NumericPassword")
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}Validator"} for name in _VALIDATORS
]

# Databases -------------------------------------------------------------------------------------------------------

if (_database_url := environment.database_url()) is None:
    DATABASES = {
        # accounts, sessions, preferences: small, kept, never moved silently
        "default": sqlite_file(config.default_database_path()),
        # the mirror of one storage root: may be deleted at any time
        "index": sqlite_file(config.index_path(RUNICORN_STORAGE_ROOT)),
    }
else:
    DATABASES = postgresql(_database_url)
DATABASE_ROUTERS = ["runicorn_site.routers.IndexRouter"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Caches ----------------------------------------------------------------------------------------------------------

# Both hold counters and nothing else, each in a place of its own: nothing may push them out.


def _counters(purpose: str) -> dict[str, object]:
    """A cache of counters: of this process, or in the Redis that all web processes share."""
    if RUNICORN_REDIS_URL is None:
        return {
            "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
            "LOCATION": purpose,
            # The least recently used go first, so that addresses without end cost a bounded amount of memory.
            "OPTIONS": {"MAX_ENTRIES": 100_000},
        }
    return {
        "BACKEND": "experiments.http.shared_counters.SharedCounters",
        "LOCATION": [RUNICORN_REDIS_URL],
        "KEY_PREFIX": f"runicorn:{environment.mark_of(SECRET_KEY)}:{purpose}",
    }


CACHES = {
    # attempts to log in: the accounts are the same for all storage roots of a user
    "default": _counters("logins"),
    # requests to the API of one storage root
    "ratelimit": _counters(f"requests:{config.root_digest(RUNICORN_STORAGE_ROOT)}"),
}
#: django-ratelimit is a library here and no installed app: its check refuses a cache that processes do not share, and
#: one web process counts for itself. That it is alone, or has a Redis, is held by runicorn_site/web_processes.py.
RATELIMIT_USE_CACHE = "ratelimit"

# Pages -----------------------------------------------------------------------------------------------------------

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("zh-hans", _("Simplified Chinese"))]
LOCALE_PATHS = [SITE_DIR / "locale"]
USE_TZ = True
TIME_ZONE = "UTC"

STATIC_URL = "/static/"
STATICFILES_DIRS = [SITE_DIR / "static"]

#: Names of our own: cookies know no ports, and other programs on this host have a `sessionid` too.
SESSION_COOKIE_NAME = "runicorn_session"
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_NAME = "runicorn_csrf"
LANGUAGE_COOKIE_NAME = "runicorn_language"
CSRF_FAILURE_VIEW = "experiments.http.errors.csrf_failure"
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "run_list"

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
