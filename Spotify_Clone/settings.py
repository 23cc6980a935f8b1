"""Django settings, read from the environment. docs/configuration.md lists the variables for operators."""

import os
import sys
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from urllib.parse import urlsplit

import dj_database_url
import dj_email_url
from botocore.config import Config as S3Config
from corsheaders.defaults import default_headers
from django.core.exceptions import ImproperlyConfigured
from dotenv import load_dotenv

from Spotify_Clone.openapi import reference

BASE_DIR = Path(__file__).resolve().parent.parent
TESTING = "pytest" in sys.modules

if not TESTING:  # a developer's .env must not change the tests
    load_dotenv(BASE_DIR / ".env")


def flag(name: str, default: bool) -> bool:
    """Return a boolean variable: on/off, true/false, yes/no or 1/0."""
    text = os.environ.get(name, "").strip().lower()
    if text in ("on", "true", "yes", "1"):
        return True
    if text in ("off", "false", "no", "0"):
        return False
    if text:
        raise ImproperlyConfigured(f"{name} is {text!r}: set it to on or off.")
    return default


def words(name: str) -> list[str]:
    """Return the items of a comma-separated variable."""
    return [word.strip() for word in os.environ.get(name, "").split(",") if word.strip()]


def number(name: str, default: int) -> int:
    text = os.environ.get(name, "").strip()
    if text and not text.isdecimal():
        raise ImproperlyConfigured(f"{name} is {text!r}: set it to a whole number.")
    return int(text) if text else default


def rate(name: str, default: str) -> tuple[int, int]:
    """Return a rate such as 20/min, 5/s, 100/hour or 1000/day as (number, seconds)."""
    text = os.environ.get(name, "").strip() or default
    times, _, period = text.partition("/")
    seconds = {"s": 1, "min": 60, "hour": 3600, "day": 86400}.get(period)
    if not (times.isdecimal() and int(times) and seconds):
        raise ImproperlyConfigured(f"{name} is {text!r}: set it to a rate such as 20/min (s, min, hour or day).")
    return int(times), seconds


def days(name: str, default: int) -> timedelta:
    count = number(name, default)
    if count < 1:
        raise ImproperlyConfigured(f"{name} is {count}: set it to 1 or more.")
    return timedelta(days=count)


# Core

DEBUG = flag("DEBUG", False)
SECRET_KEY = os.environ.get("SECRET_KEY", "")
SHORTEST_SECRET_KEY = 32
if len(SECRET_KEY) < SHORTEST_SECRET_KEY and not (DEBUG or TESTING):
    problem = f"has fewer than {SHORTEST_SECRET_KEY} characters" if SECRET_KEY else "is not set"
    raise ImproperlyConfigured(
        f"SECRET_KEY {problem}. Put a long random one into the environment or into .env, for example from: "
        "python -c 'import secrets; print(secrets.token_urlsafe(50))'"
    )
SECRET_KEY = SECRET_KEY or "only-for-development-and-tests-" + "0" * 32

ALLOWED_HOSTS = words("ALLOWED_HOSTS") or (["*"] if DEBUG else ["localhost", "127.0.0.1", "[::1]"])
ROOT_URLCONF = "Spotify_Clone.urls"
WSGI_APPLICATION = "Spotify_Clone.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
APPEND_SLASH = False
# Public address of this server; empty: the address of each request.
PUBLIC_URL = os.environ.get("PUBLIC_URL", "").strip().rstrip("/")
# Base of links in mails.
FRONTEND_URL = os.environ.get("FRONTEND_URL", "").strip().rstrip("/") or PUBLIC_URL or "http://localhost:3000"
TRUSTED_PROXIES = number("TRUSTED_PROXIES", 0)

INSTALLED_APPS = [
    "Spotify_Clone.apps.SpotifyCloneConfig",
    "core",
    "users",
    "payments",
    "music",
    "demo",
    "Spotify_Clone.apps.MusicAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "knox",
    "corsheaders",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_tasks",
    "django_tasks_db",
    "djstripe",
]

MIDDLEWARE = [
    "core.observability.requests.observe_requests",
    "core.observability.endpoints.operator_endpoints",
    "core.http.anonymous_cache.anonymous_cache",
    "django.middleware.security.SecurityMiddleware",
    "core.http.middleware.ContentSecurityPolicy",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "core.http.middleware.request_limits",
    "core.http.unread_bodies.drain_request_body",
    "core.http.middleware.conditional_answers",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

if DEBUG and not TESTING:
    INSTALLED_APPS.append("debug_toolbar")
    MIDDLEWARE.insert(6, "debug_toolbar.middleware.DebugToolbarMiddleware")
    INTERNAL_IPS = ["127.0.0.1", "::1"]
    DEBUG_TOOLBAR_CONFIG = {"SHOW_COLLAPSED": True}

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "Spotify_Clone" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# Database and cache

DATABASES = {
    "default": dj_database_url.parse(
        os.environ.get("DATABASE_URL") or "sqlite:///db.sqlite3",
        conn_max_age=None,
        conn_health_checks=True,
        # A pooler lends a connection for one transaction, and a server-side cursor would outlive it.
        disable_server_side_cursors=flag("DATABASE_POOLED", False),
    )
}
if DATABASES["default"]["ENGINE"] == "django.db.backends.postgresql":
    DATABASES["default"]["ENGINE"] = "core.db.postgresql"
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # A relative path starts at the project's folder; ":memory:" and "file:…" are not paths.
    if not DATABASES["default"]["NAME"].startswith((":memory:", "file:")):
        DATABASES["default"]["NAME"] = str(BASE_DIR / DATABASES["default"]["NAME"])
    # Without IMMEDIATE, of two transactions that read before they write one fails at once: "database is locked".
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-32768;",
    }
else:
    # Notice within seconds that the database's machine is gone: no packet says so.
    DATABASES["default"]["OPTIONS"] = {
        "connect_timeout": 5,
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": 20_000,
        **DATABASES["default"].get("OPTIONS", {}),
    }

CACHES: dict[str, dict] = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
if cache_url := os.environ.get("CACHE_URL"):
    CACHES["default"] = {"BACKEND": "core.cache.SharedCache", "LOCATION": cache_url}
# For a cache in the process: it has throttle counts, one for each caller of the last minute.
CACHES["default"]["OPTIONS"] = {"MAX_ENTRIES": 20_000}
# Cached answers to anonymous callers (core/http/anonymous_cache.py). In each process, because a request to Redis would
# cost as much as it saves.
CACHES["answers"] = {
    "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
    "LOCATION": "answers",
    "OPTIONS": {"MAX_ENTRIES": 500},
}
# How long answers to anonymous callers are cached. Clients may cache them for the same time again; the API promises
# that no list is older than 5 seconds.
ANONYMOUS_CACHE_SECONDS = number("ANONYMOUS_CACHE_SECONDS", 2)

# Short tasks use "default", which a worker runs beside the other queues: a mail never waits behind a rendition.
TASKS: dict[str, dict] = {
    "default": {"BACKEND": "django_tasks_db.DatabaseBackend", "QUEUES": ["default", "rendering", "upkeep"]}
}
# Tasks that have moved: the path under which the last release may have queued them, and the present one. Remove an
# entry one release later.
MOVED_TASKS = {
    "Spotify_Clone.pruning.prune_daily": "core.jobs.retention.prune_daily",
    "music.discovery.neighbours.building.build_hourly": "music.discovery.neighbours.builder.build_hourly",
    "music.discovery.search.indexing.forget_words": "music.discovery.search.indexer.forget_words",
    "music.streaming.rendering.render_later": "music.streaming.renditions.render_later",
    "users.closing.end_browser_sessions": "users.deletion.end_browser_sessions",
    "users.confirming_email.send_confirmation": "users.email_confirmation.send_confirmation",
    "users.confirming_email.notify_old_address": "users.email_confirmation.notify_old_address",
    "users.stored_files.remove_stored_file": "core.storage.stored_files.remove_stored_file",
}
# How long after its last sign of life a worker is taken for dead, and others run its task.
WORKER_LEASE = timedelta(seconds=number("WORKER_LEASE_SECONDS", 60))

# Files

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
# False: serve.py collects them under names with a hash of their content, which browsers may cache for ever.
STATIC_FILES_FROM_SOURCE = DEBUG or TESTING
WHITENOISE_USE_FINDERS = STATIC_FILES_FROM_SOURCE
MEDIA_URL = "/media/"
MEDIA_ROOT = Path(os.environ.get("MEDIA_ROOT") or BASE_DIR / "media").absolute()

# Encoding takes time in proportion to the duration, and hours of silence have few bytes, so duration is limited too.
MAX_SONG_SECONDS = number("MAX_SONG_HOURS", 6) * 3600

# Longer than a song and a pause; shorter than a day, so that a shared address expires.
STREAM_URL_LIFETIME = timedelta(seconds=number("STREAM_URL_SECONDS", 6 * 3600))

# Lifetime of addresses that lead straight into the bucket. They work for anyone, even after a song was made private
# here, so they live just long enough to start a download. S3 allows a week at most.
PRESIGNED_URL_LIFETIME = timedelta(seconds=number("PRESIGNED_URL_SECONDS", 600))
if not 1 <= PRESIGNED_URL_LIFETIME.total_seconds() <= 7 * 24 * 3600:
    raise ImproperlyConfigured("PRESIGNED_URL_SECONDS has to be from 1 to 604800, which is a week.")

# Internal location of nginx, such as /protected/, that serves MEDIA_ROOT: nginx sends the bytes in our place.
X_ACCEL_REDIRECT = os.environ.get("X_ACCEL_REDIRECT", "")

# Stored files are readable by the service's own account, and by its group if nginx has to read them.
FILE_UPLOAD_PERMISSIONS = 0o640 if X_ACCEL_REDIRECT else 0o600
FILE_UPLOAD_DIRECTORY_PERMISSIONS = 0o750 if X_ACCEL_REDIRECT else 0o700

STORAGES: dict[str, dict] = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if STATIC_FILES_FROM_SOURCE
        else "whitenoise.storage.CompressedManifestStaticFilesStorage",
        # These are public, and another account (nginx) may send them.
        "OPTIONS": {"file_permissions_mode": 0o644, "directory_permissions_mode": 0o755},
    },
}
if bucket := os.environ.get("AWS_STORAGE_BUCKET_NAME"):
    STORAGES["default"] = {
        "BACKEND": "core.storage.s3.S3Storage",
        "OPTIONS": {
            "bucket_name": bucket,
            "access_key": os.environ.get("AWS_ACCESS_KEY_ID"),
            "secret_key": os.environ.get("AWS_SECRET_ACCESS_KEY"),
            "region_name": os.environ.get("AWS_S3_REGION_NAME"),
            "endpoint_url": os.environ.get("AWS_S3_ENDPOINT_URL"),
            "client_config": S3Config(
                signature_version="s3v4",
                s3={"addressing_style": "path" if os.environ.get("AWS_S3_ENDPOINT_URL") else "auto"},
                # A caller waits for the answer. boto's defaults are a minute each, five times.
                connect_timeout=3,
                read_timeout=15,
                retries={"mode": "standard", "total_max_attempts": 2},
            ),
            "default_acl": None,
            "file_overwrite": False,
            "querystring_auth": True,
            "querystring_expire": int(PRESIGNED_URL_LIFETIME.total_seconds()),
        },
    }

# Origins from which pages may load covers and audio. S3 has several host names and redirects between them.
MEDIA_ORIGINS: list[str] = []
if "OPTIONS" in STORAGES["default"]:
    amazon = "https://*.amazonaws.com" + ".cn" * os.environ.get("AWS_S3_REGION_NAME", "").startswith("cn-")
    endpoint = urlsplit(os.environ.get("AWS_S3_ENDPOINT_URL", ""))
    MEDIA_ORIGINS = [f"{endpoint.scheme}://{endpoint.netloc}" if endpoint.netloc else amazon]

# Larger uploads are written to disk while they are checked.
FILE_UPLOAD_MAX_MEMORY_SIZE = 2**20
FILE_UPLOAD_HANDLERS = [
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "core.http.uploads.UnnamedFileUploadHandler",
]
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 2**20
DATA_UPLOAD_MAX_NUMBER_FILES = 10
MAX_BODY_BYTES = 100 * 2**20
# The longest query string that any endpoint needs is the radio's list of a thousand ids.
MAX_QUERY_BYTES = 48 * 2**10
MAX_QUERY_PARAMETERS = 100

# Recordings that an artist may upload in a day (UTC); 0: unlimited.
UPLOADS_PER_DAY = number("UPLOADS_PER_DAY", 200)

# Accounts

AUTH_USER_MODEL = "users.User"
AUTHENTICATION_BACKENDS = ["users.authentication.EmailOrUsernameBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
PASSWORD_RESET_TIMEOUT = 3600
# On: a new account has to confirm its address before it can publish or pay.
EMAIL_VERIFICATION = flag("EMAIL_VERIFICATION", False)
LOGIN_URL = "rest_framework:login"
LOGIN_REDIRECT_URL = "/api/"

# users.AuthToken replaces knox's own token table, which is not created.
MIGRATION_MODULES = {"knox": None}
KNOX_TOKEN_MODEL = "users.AuthToken"  # noqa: S105
REST_KNOX = {
    "TOKEN_TTL": timedelta(days=30),
    "AUTO_REFRESH": True,
    "MIN_REFRESH_INTERVAL": 3600,
}

# Mail

EMAIL_URL = os.environ.get("EMAIL_URL", "").strip()
vars().update(dj_email_url.parse(EMAIL_URL or "console:"))
if not (EMAIL_URL or DEBUG or TESTING):
    EMAIL_BACKEND = "users.mail.Unsent"  # on the console they would end up in the log
# Limits of mails that requests cause: to one address, and by one account.
MAIL_RATES = {
    "address": [rate("MAILS_TO_ADDRESS", "3/hour"), rate("MAILS_TO_ADDRESS_IN_ALL", "10/day")],
    "sender": [rate("MAILS_OF_SENDER", "20/hour")],
}
DEFAULT_FROM_EMAIL = os.environ.get("DEFAULT_FROM_EMAIL") or "music@localhost"

# Retention (`manage.py prune`, and the worker each day)

# None: history is not pruned.
KEEP_HISTORY = days("HISTORY_DAYS", 1) if os.environ.get("HISTORY_DAYS", "").strip() else None
KEEP_LOGS = days("LOG_DAYS", 30)

# Payments

STRIPE_LIVE_MODE = flag("STRIPE_LIVE_MODE", False)
STRIPE_TEST_SECRET_KEY = os.environ.get("STRIPE_TEST_SECRET_KEY", "")
STRIPE_LIVE_SECRET_KEY = os.environ.get("STRIPE_LIVE_SECRET_KEY", "")
STRIPE_WEBHOOK_SECRET = os.environ.get("STRIPE_WEBHOOK_SECRET", "")
# The version that the code was written for; by default Stripe uses that of the account.
STRIPE_API_VERSION = "2026-08-26.dahlia"
# Address of a stand-in for Stripe on this machine; empty: Stripe itself.
STRIPE_API_BASE = os.environ.get("STRIPE_API_BASE", "").rstrip("/")
if STRIPE_API_BASE and urlsplit(STRIPE_API_BASE).hostname not in ("localhost", "127.0.0.1", "::1"):
    raise ImproperlyConfigured(
        f"STRIPE_API_BASE is {STRIPE_API_BASE!r}: it is for a stand-in on this machine only. Leave it empty for Stripe."
    )
FREE_TRIAL_DAYS = number("FREE_TRIAL_DAYS", 30)
DJSTRIPE_FOREIGN_KEY_TO_FIELD = "id"

# Transport

HTTPS = flag("HTTPS", False)
SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_HSTS_PRELOAD = HTTPS
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SECURE = HTTPS
if HTTPS and TRUSTED_PROXIES:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
CSRF_TRUSTED_ORIGINS = words("CSRF_TRUSTED_ORIGINS")
CSRF_FAILURE_VIEW = "core.api.errors.csrf_failure"

# For HTML pages; all other answers may load nothing (core/http/middleware.py). Exceptions are next to their routes, in
# urls.py.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "img-src": ["'self'", "data:", *MEDIA_ORIGINS],
        "media-src": ["'self'", *MEDIA_ORIGINS],
        "connect-src": ["'self'", *MEDIA_ORIGINS],
        # The browsable API uses style attributes; scripts and style sheets come from files.
        "style-src-attr": ["'unsafe-inline'"],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
    }
}

CORS_ALLOWED_ORIGINS = words("CORS_ALLOWED_ORIGINS")
# A frontend in development runs on any port of the developer's machine.
CORS_ALLOWED_ORIGIN_REGEXES = [r"^https?://(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$"] if DEBUG else []
CORS_URLS_REGEX = r"^/(api|media)/?.*$"
CORS_ALLOW_HEADERS = [*default_headers, "range", "idempotency-key", "if-none-match", "if-range", "x-request-id"]
CORS_EXPOSE_HEADERS = [
    "ETag",
    "Retry-After",
    "Content-Range",
    "Accept-Ranges",
    "Content-Length",
    "Content-Disposition",
    "X-Request-ID",
]

# API

THROTTLING = flag("THROTTLING", True)
# For each caller: a user, or an address if anonymous. A client that a person operates reaches none of them.
THROTTLE_RATES = {
    "everything": rate("THROTTLE_EVERYTHING", "3000/min"),
    "stream": rate("THROTTLE_STREAM", "6000/min"),
    "search": rate("THROTTLE_SEARCH", "1200/min"),
    "play": rate("THROTTLE_PLAY", "600/min"),
    "upload": rate("THROTTLE_UPLOAD", "120/min"),
    "registration": rate("THROTTLE_REGISTRATION", "60/min"),
    "password": rate("THROTTLE_PASSWORD", "30/min"),
    # Wrong passwords: for one account from one address, and for all accounts from one address.
    "login": rate("THROTTLE_LOGIN", "10/min"),
    "login_address": rate("THROTTLE_LOGIN_ADDRESS", "30/min"),
}

REST_FRAMEWORK = {
    "NUM_PROXIES": TRUSTED_PROXIES,
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "users.api.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_THROTTLE_CLASSES": ["core.api.throttling.CallerThrottle"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticatedOrReadOnly"],
    "DEFAULT_RENDERER_CLASSES": [
        "core.api.renderers.FastJSONRenderer",
        "core.api.browsable.BrowsableAPI",
    ],
    "DEFAULT_PARSER_CLASSES": [
        "core.api.parsers.BoundedJSONParser",
        "rest_framework.parsers.MultiPartParser",
        "rest_framework.parsers.FormParser",
    ],
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_PAGINATION_CLASS": "core.api.pagination.KeysetPagination",
    "PAGE_SIZE": 20,
    "DEFAULT_SCHEMA_CLASS": "Spotify_Clone.openapi.schema.AutoSchema",
    "EXCEPTION_HANDLER": "drf_standardized_errors.handler.exception_handler",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
DRF_STANDARDIZED_ERRORS = {
    "EXCEPTION_HANDLER_CLASS": "core.api.errors.ErrorHandler",
    "EXCEPTION_FORMATTER_CLASS": "core.api.errors.ErrorFormatter",
    "ENABLE_IN_DEBUG_FOR_UNHANDLED_EXCEPTIONS": True,
}
SPECTACULAR_SETTINGS = {
    "TITLE": reference.TITLE,
    "DESCRIPTION": reference.INTRODUCTION,
    "TAGS": reference.TAGS,
    "VERSION": "1.0.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "PREPROCESSING_HOOKS": ["Spotify_Clone.openapi.schema.canonical_paths"],
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "Spotify_Clone.openapi.schema.tidy_components",
    ],
    "SORT_OPERATIONS": "Spotify_Clone.openapi.schema.reading_order",
    "SCHEMA_PATH_PREFIX": "/api/",
    "SERVERS": [{"url": "/", "description": "This server"}],
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "persistAuthorization": True},
    # `nullable` says that a value may be null, and the field's description what the values mean.
    "ENUM_ADD_EXPLICIT_BLANK_NULL_CHOICE": False,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "ENUM_SUFFIX": "",
    "ENUM_NAME_OVERRIDES": {
        "AudioQuality": "users.models.AudioQuality",
        "ErrorType": ["validation_error", "client_error", "server_error"],
        "PlanType": "payments.plans.PlanType",
        "RecommendationKind": ["because_you_played", "followed_artist", "favorite_genre", "trending"],
        "Role": "users.models.Role",
        "SeatStatus": [("active", "Active"), ("invited", "Invited")],
        "SongStatus": "music.streaming.models.Status",
        "StudentApplicationStatus": ["none", "pending", "approved", "refused"],
        "SubscriptionRole": [("owner", "Owner"), ("member", "Member")],
        "Visibility": "music.catalogue.models.Visibility",
    },
}

# Logs, metrics, Sentry

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"without_paths": {"()": "core.observability.logs.WithoutPaths"}},
    "formatters": {"line": {"()": f"core.observability.logs.{'ReadableLines' if DEBUG else 'JSONLines'}"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["without_paths"]}},
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {
        "django": {"handlers": ["console"], "level": "WARNING", "propagate": False},
        "django.request": {"level": "ERROR"},  # core.observability logs refused requests already
        "core.observability": {"level": "INFO"},
    },
}
SLOW_QUERY_MS = number("SLOW_QUERY_MS", 200)  # 0: none is logged


def networks(name: str, default: list[str]) -> list[IPv4Network | IPv6Network]:
    try:
        return [ip_network(text) for text in words(name) or default]
    except ValueError as error:
        text = os.environ[name]
        raise ImproperlyConfigured(f"{name} is {text!r}: set it to networks such as 10.0.0.0/8. {error}") from None


METRICS_ALLOWED = networks("METRICS_ALLOWED", ["127.0.0.0/8", "::1"])
SENTRY_DSN = os.environ.get("SENTRY_DSN", "")

# Language and time

LANGUAGE_CODE = "en-us"
USE_I18N = False
TIME_ZONE = "UTC"
USE_TZ = True
