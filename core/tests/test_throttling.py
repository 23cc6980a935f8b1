"""Throttling: 429 with Retry-After, counted for each caller and each rate."""

import pytest
import time_machine
from django.urls import URLPattern, URLResolver, get_resolver
from rest_framework.test import APIClient

from conftest import PASSWORD
from core.api.throttling import RATE_OF_ROUTE, STREAMS, CallerThrottle
from music.models import Song, SongCounts
from music.tests.samples import tone
from music.tests.uploads import give_audio, upload
from users.models import User

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def clock():
    """Stop the time in the middle of a window."""
    with time_machine.travel("2026-11-27T12:00:20Z", tick=False) as clock:
        yield clock


@pytest.fixture
def limit(settings):
    """`limit(search=3)`: set rates per minute."""

    def to(**numbers):
        rates = {name: (number, 60) for name, number in numbers.items()}
        settings.THROTTLE_RATES = {**settings.THROTTLE_RATES, **rates}

    return to


@pytest.fixture
def song(artist):
    song = Song.objects.create(title="A song", artist=artist)
    SongCounts.objects.create(song=song)
    return song


def statuses(ask, times):
    return [ask().status_code for _ in range(times)]


def from_address(address, **headers):
    return APIClient(REMOTE_ADDR=address, **headers)


def test_whoever_asks_too_often_is_told_when_to_come_back(api, limit, clock):
    limit(everything=3)
    assert statuses(lambda: api.get("/api/songs"), 3) == [200] * 3

    answer = api.get("/api/songs")

    assert (answer.status_code, answer["Retry-After"]) == (429, "40")
    assert answer.json()["type"] == "client_error"
    assert [(error["code"], error["attr"]) for error in answer.json()["errors"]] == [("throttled", None)]
    clock.shift(40)
    assert api.get("/api/songs").status_code == 200


def test_a_user_is_counted_over_all_devices(api_as, listener, artist, limit):
    limit(everything=2)
    assert statuses(lambda: api_as(listener).get("/api/profile"), 3) == [200, 200, 429]
    assert api_as(artist).get("/api/profile").status_code == 200


def test_anonymous_callers_are_counted_by_address(limit):
    limit(everything=2)

    assert statuses(lambda: from_address("203.0.113.9").get("/api/songs"), 3) == [200, 200, 429]
    assert from_address("198.51.100.7").get("/api/songs").status_code == 200


def test_ipv6_addresses_are_counted_by_their_64_network(limit):
    limit(everything=2)
    addresses = iter(["2001:db8:0:1::1", "2001:db8:0:1::2", "2001:db8:0:1:ffff::3", "2001:db8:0:2::1"])

    assert statuses(lambda: from_address(next(addresses)).get("/api/songs"), 4) == [200, 200, 429, 200]


def test_an_ipv4_mapped_address_counts_as_the_ipv4_address(limit):
    limit(everything=1)

    assert from_address("203.0.113.9").get("/api/songs").status_code == 200
    assert from_address("::ffff:203.0.113.9").get("/api/songs").status_code == 429


def test_a_forwarded_address_counts_only_behind_a_trusted_proxy(settings, limit):
    limit(everything=1)

    def forwarded(address):
        return from_address("10.0.0.1", HTTP_X_FORWARDED_FOR=address).get("/api/songs").status_code

    assert [forwarded("203.0.113.1"), forwarded("203.0.113.2")] == [200, 429]
    settings.TRUSTED_PROXIES = 1
    assert [forwarded("203.0.113.1"), forwarded("made-up, 203.0.113.1"), forwarded("203.0.113.1:5000")] == [
        200,
        429,
        429,
    ]
    assert [forwarded("198.51.100.7"), forwarded("not an address"), forwarded("x" * 3000)] == [200, 200, 429]


def test_what_is_refused_is_counted_too(api, limit, song):
    limit(everything=4)
    api.credentials(HTTP_AUTHORIZATION="Token made-up")
    assert statuses(lambda: api.get("/api/profile"), 2) == [401, 401]
    api.credentials()
    assert statuses(lambda: api.post(f"/api/songs/{song.pk}/like"), 1) == [401]
    assert api.get("/api/nowhere").status_code == 404

    for answer in (api.get("/api/profile"), api.get("/api/nowhere"), api.get("/api/songs", HTTP_ACCEPT="text/csv")):
        assert (answer.status_code, answer["Retry-After"]) == (429, "40")


def test_a_request_that_is_refused_is_counted_once(api_as, listener, limit):
    limit(everything=3)

    assert statuses(lambda: api_as(listener).post("/api/genres", {"title": "Jazz"}), 4) == [403, 403, 403, 429]


def test_a_throttled_caller_is_not_let_through_to_what_is_forbidden(api, limit, listener, song):
    limit(everything=1)
    statuses(lambda: api.get("/api/songs"), 3)

    assert api.delete(f"/api/songs/{song.pk}").status_code == 429
    assert Song.objects.exists()


def test_registration_has_a_rate_of_its_own(limit):
    limit(registration=2)
    number = iter(range(10))

    def register(address):
        body = {"email": f"nina{next(number)}@example.com", "password": PASSWORD}
        return from_address(address).post("/api/users", body)

    assert statuses(lambda: register("203.0.113.9"), 3) == [201, 201, 429]
    assert register("198.51.100.7").status_code == 201
    assert from_address("203.0.113.9").get("/api/songs").status_code == 200


def test_resets_and_changes_of_passwords_have_a_rate_of_their_own(api, api_as, listener, limit, mailoutbox):
    limit(password=2)
    reset = {"email": "listener@example.com"}
    assert statuses(lambda: api.post("/api/password/reset", reset), 3) == [204, 204, 429]
    assert len(mailoutbox) == 2
    confirm = {"uid": "x", "token": "x", "new_password": "long and winding"}
    assert api.post("/api/password/reset/confirm", confirm).status_code == 429

    change = {"old_password": "guessed", "new_password": "long and winding"}
    assert statuses(lambda: api_as(listener).post("/api/password/change", change), 2) == [400, 400]
    assert api_as(listener).delete("/api/profile", {"password": PASSWORD}).status_code == 429
    assert User.objects.filter(pk=listener.pk).exists()


def test_search_has_a_rate_of_its_own(api, limit):
    limit(search=2)

    assert api.get("/api/songs/search?q=a").status_code == 200
    assert api.get("/api/songs?search=a").status_code == 200
    assert api.get("/api/songs/search?q=a").status_code == 429
    assert api.get("/api/albums?search=a").status_code == 429
    assert api.get("/api/songs").status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/api/songs?%73earch=a",
        "/api/songs?s%65arch=a",
        "/api/songs?limit=1&%73%65%61%72%63%68=a",
        "/api/songs?search",
        "/api/songs/?search=a",
        "/api/songs/%73earch?q=a",
        "/api/songs/search/?q=a",
    ],
)
def test_every_spelling_of_a_search_counts_as_search(api, limit, path):
    limit(search=1)
    assert api.get("/api/albums?search=a").status_code == 200

    assert api.get(path).status_code == 429


@pytest.mark.parametrize("path", ["/api/songs?search[]=a", "/api/songs?research=a", "/api/songs?title=search%3Da"])
def test_other_requests_do_not_count_as_search(api, limit, path):
    limit(search=1)
    assert api.get("/api/albums?search=a").status_code == 200

    assert api.get(path).status_code == 200


def test_playing_has_a_rate_of_its_own(api_as, listener, limit, song):
    limit(play=2)
    api = api_as(listener)

    assert statuses(lambda: api.post(f"/api/songs/{song.pk}/play"), 3) == [200, 200, 429]
    assert api.post(f"/api/songs/{song.pk}/like").status_code == 200


def test_uploads_have_a_rate_of_their_own(api_as, artist, limit):
    limit(upload=2)
    api = api_as(artist)

    assert statuses(lambda: upload(api, tone("mp3")), 3) == [201, 201, 429]
    assert Song.objects.count() == 2
    assert api.post("/api/albums", {"title": "An album"}, format="multipart").status_code == 429
    assert api.post("/api/albums", {"title": "An album"}).status_code == 201


def test_every_spelling_of_a_multipart_type_counts_as_upload(api_as, artist, limit):
    limit(upload=1)
    api = api_as(artist)
    assert api.post("/api/albums", {"title": "An album"}, format="multipart").status_code == 201

    body = b'--x\r\nContent-Disposition: form-data; name="title"\r\n\r\nAnother\r\n--x--\r\n'
    answer = api.generic("POST", "/api/albums", body, " Multipart/Form-Data; boundary=x")

    assert answer.status_code == 429


def test_streams_do_not_count_against_other_rates(api, limit, song):
    give_audio(song)
    limit(everything=2, stream=20)

    def seek():
        return api.get(f"/api/songs/{song.pk}/stream", HTTP_RANGE="bytes=0-9")

    assert statuses(seek, 20) == [206] * 20
    assert statuses(lambda: api.get("/api/songs"), 3) == [200, 200, 429]
    answer = seek()
    assert (answer.status_code, answer["Content-Type"]) == (429, "application/json")


def test_nothing_is_counted_with_throttling_off(settings, api, limit):
    limit(everything=1, search=1)
    settings.THROTTLING = False

    assert statuses(lambda: api.get("/api/songs/search?q=a"), 5) == [200] * 5


def test_the_next_window_starts_at_zero(api, limit, clock):
    limit(everything=2)
    for _ in range(3):
        assert statuses(lambda: api.get("/api/songs"), 3) == [200, 200, 429]
        clock.shift(60)


def routes(patterns, namespace=""):
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, namespace + (f"{pattern.namespace}:" if pattern.namespace else ""))
        elif isinstance(pattern, URLPattern):
            yield namespace + (pattern.name or ""), pattern.callback


def test_every_view_of_the_api_has_the_one_throttle_and_no_other():
    views = {name: view.cls for name, view in routes(get_resolver().url_patterns) if hasattr(view, "cls")}
    assert {"song-list", "schema", "api-root"} <= views.keys()

    for name, view in views.items():
        assert list(view.throttle_classes) == [CallerThrottle], name
        actions = [action.kwargs for action in getattr(view, "get_extra_actions", list)()]
        assert not [given for given in actions if "throttle_classes" in given], name


def test_every_route_that_has_a_rate_of_its_own_exists():
    names = {name for name, _ in routes(get_resolver().url_patterns)}

    assert {route for _, route in RATE_OF_ROUTE} | STREAMS <= names
