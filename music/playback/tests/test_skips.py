from datetime import datetime, timedelta

import pytest
import time_machine

from music.models import Skip
from music.tests.uploads import code_of

NOON = datetime.fromisoformat("2030-01-01T12:00:00+00:00")


@pytest.fixture
def clock(db):
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


def skip(client, song):
    return client.post(f"/api/songs/{song.pk}/skip")


def test_free_listeners_have_six_skips_an_hour(clock, api_as, listener, song):
    client = api_as(listener)
    assert [skip(client, song).json() for _ in range(6)] == [{"skips_remaining": left} for left in (5, 4, 3, 2, 1, 0)]
    refused = skip(client, song)
    assert code_of(refused, 403) == ("skip_limit_reached", None)
    assert refused["Retry-After"] == "3600"
    assert Skip.objects.count() == 6


def test_the_limit_holds_for_any_60_minutes(clock, api_as, listener, song):
    client = api_as(listener)
    for _ in range(6):  # at 12:00, 12:10 … 12:50
        skip(client, song)
        clock.shift(timedelta(minutes=10))
    clock.shift(timedelta(seconds=-0.5))
    assert skip(client, song)["Retry-After"] == "1"
    clock.shift(timedelta(seconds=0.5))
    assert skip(client, song).json() == {"skips_remaining": 0}
    assert skip(client, song)["Retry-After"] == "600"
    clock.shift(timedelta(minutes=10))
    assert skip(client, song).json() == {"skips_remaining": 0}


def test_a_refused_skip_does_not_delay_the_next_one(clock, api_as, listener, song):
    client = api_as(listener)
    for _ in range(9):
        skip(client, song)
    clock.shift(timedelta(minutes=59))
    assert skip(client, song)["Retry-After"] == "60"
    clock.shift(timedelta(minutes=1))
    assert skip(client, song).json() == {"skips_remaining": 5}


def test_premium_listeners_skip_without_limit_until_it_ends(clock, api_as, listener, song, give_premium):
    subscription, client = give_premium(listener), api_as(listener)
    assert {skip(client, song).json()["skips_remaining"] for _ in range(8)} == {None}
    subscription.status = "canceled"
    subscription.save()
    assert code_of(skip(client, song), 403) == ("skip_limit_reached", None)


def test_each_listener_has_skips_of_their_own(clock, api_as, listener, artist, song):
    for _ in range(7):
        skip(api_as(listener), song)
    assert skip(api_as(artist), song).json() == {"skips_remaining": 5}


def test_skipping_needs_authentication_and_a_visible_song(api, api_as, listener, song, private_song):
    assert skip(api, song).status_code == 401
    assert skip(api_as(listener), private_song).status_code == 404
    assert not Skip.objects.exists()
