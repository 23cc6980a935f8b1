"""Settings in other environments, each read by a process of its own."""

import os
import subprocess
import sys

import pytest
from django.conf import settings

SHOW = "import sys; from Spotify_Clone import settings; print(*(getattr(settings, n) for n in sys.argv[1:]), sep='\\n')"
ASK_WITH_ORIGIN = """
import os, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "Spotify_Clone.settings"
import django
django.setup()
from django.test import Client
answer = Client(raise_request_exception=False).options("/api/songs", HTTP_HOST="localhost", HTTP_ORIGIN=sys.argv[1],
    HTTP_ACCESS_CONTROL_REQUEST_METHOD="GET")
print(answer.headers.get("Access-Control-Allow-Origin"))
"""
# Empty, not absent: the process would read absent variables from a developer's .env.
BLANK = dict.fromkeys(
    (
        "DEBUG",
        "SECRET_KEY",
        "ALLOWED_HOSTS",
        "HTTPS",
        "TRUSTED_PROXIES",
        "THROTTLING",
        "CACHE_URL",
        "MEDIA_ROOT",
        "EMAIL_VERIFICATION",
        "EMAIL_URL",
        "FRONTEND_URL",
        "PUBLIC_URL",
        "HISTORY_DAYS",
        "LOG_DAYS",
    ),
    "",
)
SECRET = {"SECRET_KEY": "as-long-as-a-real-one-0123456789-0123456789-0123456789"}


def python(*arguments, **environment):
    return subprocess.run(
        [sys.executable, *arguments],
        env={**os.environ, **BLANK, **environment},
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
    )


def read(*names, **environment):
    shown = python("-c", SHOW, *names, **environment)
    assert shown.returncode == 0, shown.stderr
    return shown.stdout.splitlines()


@pytest.mark.parametrize("command", [("manage.py", "check"), ("-m", "core.server.serve")])
def test_without_a_secret_key_no_command_starts(command):
    started = python(*command)

    assert started.returncode != 0
    assert "SECRET_KEY is not set" in started.stderr
    assert "secrets.token_urlsafe" in started.stderr


def test_a_short_secret_key_is_refused_in_production():
    started = python("manage.py", "check", SECRET_KEY="s" * 31)

    assert started.returncode != 0
    assert "SECRET_KEY has fewer than 32 characters" in started.stderr
    assert "s" * 31 not in started.stderr
    assert python("manage.py", "check", SECRET_KEY="s" * 32).returncode == 0
    assert python("manage.py", "check", SECRET_KEY="short", DEBUG="on").returncode == 0


SEND_RESET = """
import django
django.setup()
from django.core.mail import send_mail
send_mail("A new password", "https://music.example/reset-password?token=secret", None, ["nina@example.com"])
"""


def test_without_a_mail_server_nothing_of_a_mail_is_printed_in_production():
    sent = python("-c", SEND_RESET, DJANGO_SETTINGS_MODULE="Spotify_Clone.settings", **SECRET)

    assert sent.returncode == 0, sent.stderr
    assert "EMAIL_URL is not set" in sent.stderr
    assert not any(word in sent.stdout + sent.stderr for word in ("reset-password", "secret", "nina@example.com"))


def test_with_debug_on_mails_are_printed():
    sent = python("-c", SEND_RESET, DJANGO_SETTINGS_MODULE="Spotify_Clone.settings", DEBUG="on", **SECRET)

    assert "reset-password?token=secret" in sent.stdout


def test_links_lead_to_the_frontend_or_to_the_public_address():
    assert read("FRONTEND_URL", "PUBLIC_URL", **SECRET) == ["http://localhost:3000", ""]
    own = {"PUBLIC_URL": "https://music.example/", **SECRET}
    assert read("FRONTEND_URL", "PUBLIC_URL", **own) == ["https://music.example"] * 2
    assert read("FRONTEND_URL", FRONTEND_URL="https://app.example/", **own) == ["https://app.example"]


MAIL = {"EMAIL_URL": "smtp://mail.example:25"}
FRONTEND = {"FRONTEND_URL": "https://music.example"}


@pytest.mark.parametrize(
    ("environment", "warned"),
    [
        ({}, {"music.W002", "music.W003"}),
        ({**MAIL}, {"music.W003"}),
        ({**FRONTEND}, {"music.W002"}),
        ({"EMAIL_URL": "console:", **FRONTEND}, {"music.W002"}),
        ({"FRONTEND_URL": "http://127.0.0.1:3000", **MAIL}, {"music.W003"}),
        ({"PUBLIC_URL": "https://music.example", **MAIL}, set()),
        ({"DEBUG": "on"}, set()),
    ],
)
def test_a_production_server_without_mail_or_a_frontend_warns(environment, warned):
    show = (
        "import django; django.setup(); from core.checks import deployment_warnings; "
        "print(*(warning.id for warning in deployment_warnings()))"
    )
    shown = python("-c", show, HTTPS="on", DJANGO_SETTINGS_MODULE="Spotify_Clone.settings", **{**SECRET, **environment})

    assert set(shown.stdout.split()) == warned, shown.stderr


def test_with_debug_on_no_secret_key_is_needed():
    assert read("DEBUG", DEBUG="on") == ["True"]


def test_debug_is_off_unless_it_is_asked_for():
    assert read("DEBUG", "THROTTLING", "HTTPS", **SECRET) == ["False", "True", "False"]


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        *((text, True) for text in ("on", "TRUE", "yes", " 1 ")),
        *((text, False) for text in ("off", "False", " no ", "0")),
    ],
)
def test_booleans_have_several_spellings(monkeypatch, text, meaning):
    from Spotify_Clone.settings import flag

    monkeypatch.setenv("A_FLAG", text)

    assert flag("A_FLAG", not meaning) is meaning


@pytest.mark.parametrize(
    ("name", "text"),
    [
        *(("DEBUG", "maybe"), ("THROTTLING", "2"), ("TRUSTED_PROXIES", "one"), ("METRICS_ALLOWED", "x")),
        *(("THROTTLE_SEARCH", text) for text in ("often", "20", "0/min", "20/fortnight", "-1/min")),
    ],
)
def test_an_invalid_value_stops_the_start(name, text):
    started = python("-c", SHOW, **{**SECRET, name: text})

    assert started.returncode != 0
    assert f"{name} is {text!r}: set it to" in started.stderr


def test_behind_a_pooler_server_side_cursors_are_off():
    show = "from Spotify_Clone.settings import DATABASES; print(DATABASES['default']['DISABLE_SERVER_SIDE_CURSORS'])"
    postgres = {"DATABASE_URL": "postgres://music@localhost:6432/music", **SECRET}

    assert python("-c", show, DATABASE_POOLED="", **postgres).stdout == "False\n"
    assert python("-c", show, DATABASE_POOLED="on", **postgres).stdout == "True\n"


def test_each_rate_has_a_variable():
    show = "from Spotify_Clone.settings import THROTTLE_RATES as rates; print(rates['search'], rates['play'])"

    assert python("-c", show, THROTTLE_SEARCH=" 5/s ", THROTTLE_PLAY="", **SECRET).stdout == "(5, 1) (600, 60)\n"
    assert (
        python("-c", show, THROTTLE_SEARCH="7/hour", THROTTLE_PLAY="1/day", **SECRET).stdout == "(7, 3600) (1, 86400)\n"
    )


def test_by_default_history_is_kept_for_ever_and_logs_for_a_month():
    names = ("KEEP_HISTORY", "KEEP_LOGS", "EMAIL_VERIFICATION")

    assert read(*names, **SECRET) == ["None", "30 days, 0:00:00", "False"]
    said = {"HISTORY_DAYS": "365", "LOG_DAYS": "7", "EMAIL_VERIFICATION": "on"}
    assert read(*names, **said, **SECRET) == ["365 days, 0:00:00", "7 days, 0:00:00", "True"]


@pytest.mark.parametrize("name", ["HISTORY_DAYS", "LOG_DAYS"])
def test_retention_of_zero_days_is_refused(name):
    started = python("manage.py", "check", **{name: "0"}, **SECRET)

    assert started.returncode != 0
    assert f"{name} is 0: set it to 1 or more" in started.stderr


def test_plain_http_is_answered_unless_https_is_on():
    names = ("SECURE_SSL_REDIRECT", "SECURE_HSTS_SECONDS", "SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE")

    assert read(*names, **SECRET) == ["False", "0", "False", "False"]
    assert read(*names, HTTPS="on", **SECRET) == ["True", "31536000", "True", "True"]


def test_x_forwarded_proto_counts_only_with_a_trusted_proxy():
    show = "from Spotify_Clone import settings; print(hasattr(settings, 'SECURE_PROXY_SSL_HEADER'))"

    assert python("-c", show, HTTPS="on", **SECRET).stdout == "False\n"
    assert python("-c", show, HTTPS="on", TRUSTED_PROXIES="1", **SECRET).stdout == "True\n"


def test_with_https_on_the_deployment_check_is_clean():
    checked = python(
        *("manage.py", "check", "--deploy", "--fail-level", "WARNING"),
        **{**SECRET, "SECRET_KEY": "x9_" + "".join(map(chr, range(48, 123)))},
        HTTPS="on",
        ALLOWED_HOSTS="music.example",
        EMAIL_URL="smtp://mail.example:25",
        PUBLIC_URL="https://music.example",
    )

    assert checked.returncode == 0, checked.stderr


@pytest.fixture
def frontend(settings):
    settings.CORS_ALLOWED_ORIGINS = ["http://localhost:3000"]
    return "http://localhost:3000"


def preflight(api, path, origin, headers="authorization"):
    return api.options(
        path,
        HTTP_ORIGIN=origin,
        HTTP_ACCESS_CONTROL_REQUEST_METHOD="PATCH",
        HTTP_ACCESS_CONTROL_REQUEST_HEADERS=headers,
    )


def listed(answer, header):
    return {word.strip().lower() for word in answer[header].split(",")}


@pytest.mark.parametrize("path", ["/api/profile", "/api/songs", "/api/login/", "/api/nowhere"])
def test_an_allowed_frontend_may_send_the_apis_headers(api, frontend, path):
    answer = preflight(api, path, frontend)

    assert answer.status_code == 200
    assert answer["Access-Control-Allow-Origin"] == frontend
    assert {"get", "post", "put", "patch", "delete"} <= listed(answer, "Access-Control-Allow-Methods")
    assert {"authorization", "content-type", "range", "if-none-match", "if-range", "idempotency-key"} <= listed(
        answer, "Access-Control-Allow-Headers"
    )


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/api/songs", "/api/profile", "/api/nowhere"])
def test_an_allowed_frontend_may_read_the_apis_headers(api, frontend, path):
    answer = api.get(path, HTTP_ORIGIN=frontend)

    assert answer["Access-Control-Allow-Origin"] == frontend
    assert "origin" in listed(answer, "Vary")
    assert listed(answer, "Access-Control-Expose-Headers") == {
        *("etag", "retry-after", "content-range", "accept-ranges", "content-length", "content-disposition"),
        "x-request-id",
    }


@pytest.mark.django_db
def test_an_allowed_frontend_may_read_a_413(api, frontend):
    answer = api.post("/api/login", {}, HTTP_ORIGIN=frontend, CONTENT_LENGTH=str(101 * 2**20))

    assert (answer.status_code, answer["Access-Control-Allow-Origin"]) == (413, frontend)


@pytest.mark.django_db
def test_other_sites_are_told_nothing(api, frontend):
    assert "Access-Control-Allow-Origin" not in preflight(api, "/api/profile", "https://evil.example")
    assert "Access-Control-Allow-Origin" not in api.get("/api/songs", HTTP_ORIGIN="https://evil.example")


@pytest.mark.django_db
def test_the_admin_sends_no_cors_headers(api, frontend):
    assert "Access-Control-Allow-Origin" not in api.get("/admin/login/", HTTP_ORIGIN=frontend)


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("sqlite://:memory:", ":memory:"),
        ("sqlite:///music.sqlite3", str(settings.BASE_DIR / "music.sqlite3")),
        ("sqlite:////var/lib/music.sqlite3", "/var/lib/music.sqlite3"),
    ],
)
def test_a_database_in_memory_makes_no_file(url, name):
    [database] = read("DATABASES", DATABASE_URL=url, **SECRET)

    assert f"'NAME': {name!r}" in database
    assert python("manage.py", "migrate", "--check", DATABASE_URL="sqlite://:memory:", **SECRET).returncode == 1
    assert not (settings.BASE_DIR / ":memory:").exists()


@pytest.mark.parametrize(
    ("debug", "origin", "is_allowed"),
    [
        ("on", "http://localhost:5173", True),
        ("on", "http://127.0.0.1:3000", True),
        ("on", "http://localhost.evil.example", False),
        ("on", "https://evil.example", False),
        ("off", "http://localhost:5173", False),
    ],
)
def test_localhost_may_call_the_api_only_with_debug_on(api, debug, origin, is_allowed):
    asked = python("-c", ASK_WITH_ORIGIN, origin, DEBUG=debug, DATABASE_URL="sqlite://:memory:", **SECRET)

    assert asked.returncode == 0, asked.stderr
    assert asked.stdout.splitlines()[-1] == (origin if is_allowed else "None")
