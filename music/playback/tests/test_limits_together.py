"""Simultaneous skips and plays: the limit holds, and every third play brings an ad."""

import pytest

from music.models import Ad, Skip
from music.tests.test_counters_together import at_once, own_connections  # noqa: F401

pytestmark = pytest.mark.django_db(transaction=True)


def test_of_twenty_skips_at_once_six_get_through(api_as, listener, song):
    clients, path = [api_as(listener) for _ in range(20)], f"/api/songs/{song.pk}/skip"
    answers = at_once((lambda client=client: client.post(path)) for client in clients)
    through = sorted(answer.json()["skips_remaining"] for answer in answers if answer.status_code == 200)
    assert through == [0, 1, 2, 3, 4, 5]
    assert sorted(answer.status_code for answer in answers) == [200] * 6 + [403] * 14
    assert Skip.objects.count() == 6


def test_nine_simultaneous_plays_bring_three_ads(api_as, listener, make_song):
    Ad.objects.create(name="Shoes", audio="ads/shoes.mp3")
    actions = [(api_as(listener), make_song(f"Song {number}")) for number in range(9)]
    answers = at_once(
        (lambda client=client, song=song: client.post(f"/api/songs/{song.pk}/play").json()["ad"])
        for client, song in actions
    )
    assert sum(ad is not None for ad in answers) == 3
