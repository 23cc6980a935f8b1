"""Fixtures of songs, albums, genres and paid plans, for the tests of all packages."""

import pytest
from django.utils import timezone

from music.models import Album, Genre, Song, SongCounts
from music.streaming.renditions import missing_renditions, render_song
from payments.models import Subscription, SubscriptionPlan


@pytest.fixture
def make_song(artist):
    """Return a function that creates a song without an upload; it has no audio unless the test adds some."""

    def make(title="A song", play_count=0, like_count=0, **fields):
        song = Song.objects.create(title=title, **{"artist": artist, **fields})
        SongCounts.objects.create(
            song=song, play_count=play_count, starting_play_count=play_count, like_count=like_count
        )
        return song

    return make


@pytest.fixture
def song(make_song):
    return make_song()


@pytest.fixture
def private_song(make_song):
    return make_song("A secret", visibility="private")


@pytest.fixture
def album(artist):
    return Album.objects.create(title="An album", artist=artist)


@pytest.fixture
def genre(db):
    return Genre.objects.create(title="Jazz")


@pytest.fixture
def give_premium(db):
    """Return a function that gives a listener an active subscription without Stripe: `give_premium(listener)`."""

    def give(user, plan="individual"):
        return Subscription.objects.create(
            user=user,
            plan=SubscriptionPlan.objects.get(plan_type=plan),
            stripe_id=f"sub_{user.pk.hex}",
            status="active",
            started_at=timezone.now(),
        )

    return give


@pytest.fixture
def render():
    """Return a function that makes all missing renditions, as the worker does after uploads."""

    def render_all():
        for song in missing_renditions():
            render_song(song.pk, song.audio_file.name)

    return render_all
