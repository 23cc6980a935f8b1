"""Security headers and cookies of every answer, and secrets that no answer or log may contain."""

import re
from html.parser import HTMLParser

import pytest
from django.conf import settings as project
from django.test import Client

from conftest import PASSWORD
from music.models import Song, SongCounts
from music.tests.uploads import give_audio
from Spotify_Clone.tests.test_pages import HTML
from Spotify_Clone.tests.test_settings import SECRET, python, read
from tests.processes import free_port

pytestmark = pytest.mark.django_db

NOTHING = {"default-src": ["'none'"], "frame-ancestors": ["'none'"]}
PAGES = ["/", "/api/", "/api/songs", "/api/profile", "/api/docs", "/api/redoc", "/accounts/login", "/admin/login/"]
ADMIN_PAGES = [
    "",
    "music/song/",
    "music/song/{song}/change/",
    "music/ad/add/",
    "users/user/",
    "users/user/{user}/change/",
]


def policy_of(answer):
    """Return the directives of the content security policy, as in `policy_of(answer)["img-src"]`."""
    parts = [part.split() for part in answer["Content-Security-Policy"].split(";")]
    return {name: sources for name, *sources in parts}


class InlineCode(HTMLParser):
    """Parser that finds inline scripts and styles, which a policy without 'unsafe-inline' blocks."""

    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        is_script = tag == "script" and "src" not in given and given.get("type") != "application/json"
        handlers = [name for name in given if name.startswith("on")]
        if is_script or tag == "style" or handlers or (given.get("href") or "").startswith("javascript:"):
            self.found.append((tag, attrs))


def inline_code(page):
    parser = InlineCode()
    parser.feed(page.content.decode())
    return parser.found


@pytest.fixture
def song(artist):
    song = Song.objects.create(title="A song", artist=artist)
    SongCounts.objects.create(song=song)
    give_audio(song)
    return song


@pytest.fixture
def boss(make_user):
    return make_user("boss", is_staff=True, is_superuser=True)


@pytest.mark.parametrize("path", [*PAGES, "/api/nowhere", "/nowhere", "/media/covers/x.jpg"])
def test_every_answer_has_the_headers_that_browsers_heed(client, path):
    for accept in ({}, HTML):
        answer = client.get(path, **accept)

        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Referrer-Policy"] == "same-origin"
        assert answer["X-Frame-Options"] == "DENY"
        assert policy_of(answer)["frame-ancestors"] == ["'none'"]


@pytest.mark.parametrize(
    "path", ["/api", "/api/songs", "/api/profile", "/api/nowhere", "/api/songs?limit=0", "/api/schema"]
)
def test_answers_that_are_not_html_may_load_nothing(client, path):
    assert policy_of(client.get(path)) == NOTHING


def test_an_answer_of_a_middleware_may_load_nothing(client):
    assert policy_of(client.get("/api/songs", QUERY_STRING="&" * 200)) == NOTHING
    assert policy_of(client.post("/api/login", CONTENT_LENGTH=str(2**30))) == NOTHING


def test_audio_may_load_nothing(client, song):
    assert policy_of(client.get(f"/api/songs/{song.pk}/stream")) == NOTHING


@pytest.mark.parametrize("path", PAGES)
def test_no_page_allows_scripts_from_other_origins(client, artist, path):
    client.force_login(artist)

    policy = policy_of(client.get(path, **HTML))

    assert policy["default-src"] == ["'self'"]
    assert policy.get("script-src", ["'self'"]) == ["'self'"]
    assert policy["object-src"] == policy["base-uri"] == ["'none'"]
    assert policy["form-action"] == ["'self'"]
    assert ("style-src" in policy) == (path == "/api/redoc")


@pytest.mark.parametrize(
    "path", [*PAGES, "/api/genres", "/api/albums", "/api/songs/{song}", "/api/users", "/api/nowhere"]
)
def test_no_page_holds_code_that_the_policy_would_not_let_through(client, artist, song, path):
    for browser in (client, Client()):
        assert inline_code(browser.get(path.format(song=song.pk), **HTML)) == []
        client.force_login(artist)


@pytest.mark.parametrize("path", ADMIN_PAGES)
def test_no_admin_page_holds_code_that_the_policy_would_not_let_through(client, boss, song, path):
    client.force_login(boss)

    page = client.get("/admin/" + path.format(song=song.pk, user=boss.pk))

    assert page.status_code == 200
    assert inline_code(page) == []


def test_pages_may_load_covers_and_audio_from_the_bucket():
    show = "from Spotify_Clone.settings import CONTENT_SECURITY_POLICY as p; print(*p['DIRECTIVES']['media-src'])"
    bucket = {**SECRET, "AWS_STORAGE_BUCKET_NAME": "music", "AWS_S3_REGION_NAME": "", "AWS_S3_ENDPOINT_URL": ""}

    def sources(**environment):
        return python("-c", show, **{**bucket, **environment}).stdout.split()

    assert sources(AWS_STORAGE_BUCKET_NAME="") == ["'self'"]
    assert sources() == ["'self'", "https://*.amazonaws.com"]
    assert sources(AWS_S3_REGION_NAME="cn-north-1") == ["'self'", "https://*.amazonaws.com.cn"]
    assert sources(AWS_S3_ENDPOINT_URL="https://s3.example:9000/x") == ["'self'", "https://s3.example:9000"]


@pytest.fixture
def https(settings):
    """Apply the settings of `HTTPS=on`."""
    names = ("SECURE_SSL_REDIRECT", "SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE")
    assert read(*names, HTTPS="on", **SECRET) == ["True"] * 3
    for name in names:
        setattr(settings, name, True)
    settings.SECURE_HSTS_SECONDS = int(read("SECURE_HSTS_SECONDS", HTTPS="on", **SECRET)[0])
    settings.SECURE_HSTS_INCLUDE_SUBDOMAINS = True


def test_with_https_on_plain_http_is_redirected(https, client):
    answer = client.get("/api/songs?limit=5")

    assert (answer.status_code, answer["Location"]) == (301, "https://testserver/api/songs?limit=5")


def test_with_https_on_hsts_is_sent(https, client):
    answer = client.get("/api/songs", secure=True)

    assert answer.status_code == 200
    assert answer["Strict-Transport-Security"] == f"max-age={365 * 24 * 3600}; includeSubDomains"


def test_with_https_on_cookies_are_for_https_alone(https, client, artist):
    client.get("/accounts/login", secure=True)
    form = {"username": "artist@example.com", "password": PASSWORD}
    client.post("/accounts/login", form, secure=True)

    for name in (project.SESSION_COOKIE_NAME, project.CSRF_COOKIE_NAME):
        assert client.cookies[name]["secure"]
        assert client.cookies[name]["samesite"] == "Lax"
    assert client.cookies[project.SESSION_COOKIE_NAME]["httponly"]


def test_origins_come_from_the_environment():
    origins = "https://a.example, https://b.example"
    names = ("CORS_ALLOWED_ORIGINS", "CSRF_TRUSTED_ORIGINS")

    assert read(*names, **SECRET, **dict.fromkeys(names, "")) == ["[]", "[]"]
    assert read(*names, **SECRET, **dict.fromkeys(names, origins)) == ["['https://a.example', 'https://b.example']"] * 2


@pytest.mark.parametrize(("origin", "status"), [("https://a.example", 302), ("https://evil.example", 403)])
def test_a_form_of_another_origin_is_taken_only_where_it_is_trusted(settings, artist, origin, status):
    settings.CSRF_TRUSTED_ORIGINS = ["https://a.example"]
    browser = Client(enforce_csrf_checks=True)
    browser.get("/accounts/login", secure=True)
    form = {"username": "artist", "password": PASSWORD, "csrfmiddlewaretoken": browser.cookies["csrftoken"].value}

    assert browser.post("/accounts/login", form, secure=True, HTTP_ORIGIN=origin).status_code == status


def deployment_check(**environment):
    return python("manage.py", "check", "--deploy", "--tag", "security", **{**SECRET, **environment})


def test_without_https_the_deployment_check_warns():
    assert "Set HTTPS=on" in deployment_check().stderr
    assert "music.W001" not in deployment_check(HTTPS="on").stderr


def test_the_server_warns_once_at_its_start_that_https_is_off():
    start = "import os; os.execv = lambda *_: None; from core.server import serve; serve.main()"

    def said(**environment):
        started = python("-c", start, **{**SECRET, "PORT": str(free_port()), "CACHE_URL": "", **environment})
        return started.stdout + started.stderr

    assert said().count("Set HTTPS=on") == 1
    assert "Set HTTPS=on" not in said(HTTPS="on")
    assert "Set HTTPS=on" not in said(DEBUG="on")


@pytest.fixture
def everything_said(caplog, capfd):
    """Collect everything that is written to the logs, to stdout and to stderr."""
    caplog.set_level("DEBUG")

    def so_far():
        out, err = capfd.readouterr()
        return caplog.text + out + err

    return so_far


def test_no_secret_reaches_the_logs(everything_said, api, stripe_server, settings, mailoutbox, artist, song):
    api.raise_request_exception = False
    new_password, wrong_password = "over the hills 42", "not the right one 7"
    token = api.post("/api/login", {"email": "artist@example.com", "password": PASSWORD}).json()["token"]
    api.post("/api/login", {"email": "artist@example.com", "password": wrong_password})
    api.post("/api/users", {"email": "nina@example.com", "password": new_password, "role": "no such role"})
    api.post("/accounts/login", {"username": "artist", "password": wrong_password}, format="multipart")
    api.generic("POST", "/api/login", f'{{"password": "{wrong_password}"', content_type="application/json")

    api.post("/api/password/reset", {"email": "artist@example.com"})
    uid, reset_token = re.search(r"uid=([\w-]+)&token=([\w-]+)", mailoutbox[0].body).groups()
    api.post("/api/password/reset/confirm", {"uid": uid, "token": reset_token + "x", "new_password": new_password})

    stripe_server.post_event(api, '{"id": "evt_1"}', secret="whsec_forged_one")
    stripe_server.post_event(api, '{"id": "evt_1"}')

    api.credentials(HTTP_AUTHORIZATION=f"Token {token}")
    signature = api.get("/api/songs").json()["results"][0]["audio_file"]
    api.get(f"/api/songs/{song.pk}/stream?signature=made-up-signature")
    artist.profile.delete()
    assert api.get("/api/profile").status_code == 500
    assert api.patch("/api/profile", {"name": wrong_password}).status_code == 500

    said = everything_said()

    assert "/api/profile" in said  # the failed request was logged
    secrets = [
        PASSWORD,
        new_password,
        wrong_password,
        token,
        reset_token,
        "made-up-signature",
        signature.partition("=")[2],
    ]
    secrets += [
        settings.SECRET_KEY,
        settings.STRIPE_WEBHOOK_SECRET,
        settings.STRIPE_TEST_SECRET_KEY,
        "whsec_forged_one",
    ]
    assert [secret for secret in secrets if secret and secret in said] == []


LOOKS_SECRET = re.compile(
    r"sk_live_\w{8}|rk_live_\w{8}|whsec_[A-Za-z0-9]{16}|AKIA[0-9A-Z]{16}|-----BEGIN [A-Z ]*PRIVATE KEY"
    r"|\b(?:SECRET_KEY|PASSWORD|AWS_SECRET_ACCESS_KEY)=[A-Za-z0-9+/_-]{20}"
)


def test_no_secret_is_in_the_repository():
    root = project.BASE_DIR
    folders = ["Spotify_Clone", "users", "payments", "music", "tests", "docs", ".ci"]
    files = [path for folder in folders for path in (root / folder).rglob("*") if path.is_file()]
    files += [
        root / name for name in (".env.example", "Makefile", "README.md", "Pipfile", "pyproject.toml", "conftest.py")
    ]
    texts = {path: path.read_bytes().decode("utf-8", "replace") for path in files}

    assert [str(path) for path, text in texts.items() if LOOKS_SECRET.search(text)] == []
    assert ".env" in (root / ".gitignore").read_text().split()
