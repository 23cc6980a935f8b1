"""Pruning while listeners play and close their accounts."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from conftest import PASSWORD
from music.models import Play, SongCounts
from music.playback import retention
from music.tests.test_counters_together import at_once, own_connections  # noqa: F401

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("own_connections")]


def test_each_play_is_subtracted_once_by_closing_or_by_pruning(make_song, make_user, api_as, settings, monkeypatch):
    settings.KEEP_HISTORY = timedelta(days=30)
    monkeypatch.setattr(retention, "PLAYS_PER_BATCH", 20)
    songs = [make_song(f"Song {number}") for number in range(4)]
    crowd = [make_user(f"listener{number}") for number in range(6)]
    long_ago = timezone.now() - timedelta(days=40)
    Play.objects.bulk_create(
        Play(song=song, listener=listener, at=long_ago) for song in songs for listener in crowd for _ in range(20)
    )
    SongCounts.objects.update(play_count=120)
    clients = [api_as(listener) for listener in crowd]

    def plays(client):
        return lambda: [client.post(f"/api/songs/{song.pk}/play").status_code for song in songs]

    def closes(client):
        return lambda: client.delete("/api/profile", {"password": PASSWORD}).status_code

    def prunes():
        return sum(retention.prune_history())

    *_, one, other = at_once([*map(plays, clients[:3]), *map(closes, clients[3:]), prunes, prunes])

    # 480 plays are too old, and closing accounts may have deleted 240 of them first.
    assert 240 <= one + other <= 480
    assert Play.objects.count() == 12
    call_command("recount", check=True)
    starts = set(SongCounts.objects.values_list("starting_play_count", flat=True))
    assert min(starts) >= 60
    assert max(starts) <= 120
