"""Pages in a browser: the welcome page, the documentation, the browsable API and the login."""

import pytest
import yaml
from django.core.management import call_command

from conftest import PASSWORD
from music.models import Song, SongCounts
from Spotify_Clone.openapi.document import document_as

pytestmark = pytest.mark.django_db

HTML = {"HTTP_ACCEPT": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
PATHS = [
    "/api",
    "/api/",
    "/api/profile",
    "/api/users",
    "/api/login",
    "/api/logout",
    "/api/logout/all",
    "/api/password/change",
    "/api/password/reset",
    "/api/password/reset/confirm/",
    "/api/songs",
    "/api/albums/",
    "/api/genres",
    "/api/artists",
    "/api/nowhere",
]


def log_in(browser, username="artist@example.com", password=PASSWORD, page="/accounts/login", **fields):
    return browser.post(page, {"username": username, "password": password, **fields})


def is_logged_in(browser):
    return "_auth_user_id" in browser.session


def test_the_welcome_page_links_to_every_part(client):
    page = client.get("/")

    assert page.status_code == 200
    for address in ("/api/", "/api/docs", "/api/redoc", "/admin/"):
        assert f'href="{address.rstrip("/")}' in page.content.decode()
        assert client.get(address, follow=True, **HTML).status_code == 200


@pytest.mark.parametrize("path", ["/api/docs", "/api/docs/", "/api/redoc", "/api/redoc/"])
def test_the_documentation_runs_no_script_of_another_server(client, path):
    page = client.get(path, **HTML)

    assert page.status_code == 200
    assert 'src="http' not in page.content.decode()
    assert 'src="/static/drf_spectacular_sidecar/' in page.content.decode()


@pytest.mark.parametrize("path", ["/api/schema", "/api/schema/"])
def test_the_document_names_every_path_of_the_accounts(client, path):
    paths = yaml.safe_load(client.get(path).content)["paths"]

    assert {
        "/api/users": {"post"},
        "/api/login": {"post"},
        "/api/logout": {"post"},
        "/api/logout/all": {"post"},
        "/api/profile": {"get", "put", "patch", "delete"},
        "/api/password/change": {"post"},
        "/api/password/reset": {"post"},
        "/api/password/reset/confirm": {"post"},
    }.items() <= {name: set(operations) for name, operations in paths.items()}.items()


@pytest.mark.parametrize(
    ("accept", "type"),
    [
        ("*/*", "application/vnd.oai.openapi; charset=utf-8"),
        ("application/json", "application/json; charset=utf-8"),
        ("application/vnd.oai.openapi+json", "application/vnd.oai.openapi+json; charset=utf-8"),
    ],
)
def test_the_document_is_generated_once_for_all_callers(client, artist, accept, type):
    first = client.get("/api/schema", HTTP_ACCEPT=accept)
    log_in(client)
    made = document_as.cache_info().misses
    second = client.get("/api/schema?version=2&lang=de", HTTP_ACCEPT=accept)

    assert document_as.cache_info().misses == made
    assert first["Content-Type"] == type
    assert first.content == second.content
    assert yaml.safe_load(first.content)["openapi"].startswith("3.")


def test_the_document_is_made_without_warnings_and_is_valid(tmp_path):
    call_command("spectacular", fail_on_warn=True, validate=True, file=str(tmp_path / "schema.yml"))


@pytest.mark.parametrize("path", PATHS)
def test_every_path_has_a_page_with_a_way_to_log_in(client, path):
    page = client.get(path, **HTML)

    assert page["Content-Type"].startswith("text/html")
    assert "/accounts/login" in page.content.decode()
    assert "Log in" in page.content.decode()


@pytest.mark.parametrize("path", PATHS)
def test_every_path_has_a_page_for_an_artist(client, artist, path):
    log_in(client)

    page = client.get(path, **HTML)

    assert page.status_code not in (401, 403)
    assert page["Content-Type"].startswith("text/html")


def test_an_artists_pages_have_forms(client, artist):
    song = Song.objects.create(title="A song", artist=artist)
    SongCounts.objects.create(song=song)
    log_in(client)

    for path, field in (
        ("/api/songs", "audio_file"),
        ("/api/albums", "cover_image"),
        ("/api/genres", "title"),
        ("/api/profile", "profile_picture"),
        (f"/api/songs/{song.pk}", "title"),
    ):
        page = client.get(path, **HTML)
        assert page.status_code == 200
        assert f'name="{field}"' in page.content.decode()
        assert "Log out" in page.content.decode()


def test_pages_show_names_as_text(client, artist):
    song = Song.objects.create(title="<script>alert(1)</script>", artist=artist)
    SongCounts.objects.create(song=song)

    assert "<script>alert(1)" not in client.get("/api/songs", **HTML).content.decode()


@pytest.mark.parametrize("page", ["/accounts/login", "/accounts/login/"])
@pytest.mark.parametrize("username", ["artist@example.com", "ARTIST@example.com", "artist"])
def test_login_accepts_address_or_username(client, artist, page, username):
    answer = log_in(client, username, page=page)

    assert (answer.status_code, answer["Location"]) == (302, "/api/")
    assert is_logged_in(client)


def test_login_returns_to_the_page_before(client, artist):
    assert log_in(client, next="/api/songs?limit=5")["Location"] == "/api/songs?limit=5"


def test_a_login_leads_to_no_other_site(client, artist):
    assert log_in(client, next="https://evil.example/")["Location"] == "/api/"


def test_a_wrong_password_is_shown_on_the_page(client, artist):
    answer = log_in(client, password="wrong")

    assert answer.status_code == 200
    assert [error.code for error in answer.context["form"].non_field_errors().as_data()] == ["invalid_credentials"]
    assert not is_logged_in(client)


def test_a_suspended_account_cannot_log_in(client, make_user):
    make_user("artist", is_active=False)

    log_in(client)

    assert not is_logged_in(client)


@pytest.mark.parametrize("path", ["/accounts/logout", "/accounts/logout/"])
def test_logout_ends_the_session(client, artist, path):
    log_in(client)

    assert client.post(path)["Location"] == "/api/"
    assert not is_logged_in(client)


def test_the_api_logs_a_session_out(client, artist):
    log_in(client)

    assert client.post("/api/logout").status_code == 204
    assert not is_logged_in(client)


@pytest.mark.parametrize("username", ["boss@example.com", "boss"])
def test_staff_log_in_to_the_admin(client, make_user, username):
    make_user("boss", is_staff=True, is_superuser=True)
    assert client.get("/admin")["Location"] == "/admin/"
    assert "E-mail address or username" in client.get("/admin/", follow=True).content.decode()

    log_in(client, username, page="/admin/login/?next=/admin/")

    assert client.get("/admin/").status_code == 200


def test_only_staff_see_the_admin(client, artist):
    log_in(client, page="/admin/login/?next=/admin/")

    assert client.get("/admin/").status_code == 302


@pytest.mark.parametrize("path", ["/media/pictures/../settings.py", "/media/audio/x.mp3", "/media/", "/somewhere"])
def test_an_unknown_page_is_404(client, path):
    assert client.get(path).status_code == 404
