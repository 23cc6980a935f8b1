import io
import wave
from array import array
from dataclasses import replace
from itertools import pairwise

import pytest
from django.core.management import call_command
from PIL import Image

from demo.composition import compose
from demo.covers import draw_cover
from demo.listeners import NAMES, SUBSCRIBERS, invite_listeners, subscribe_listeners
from demo.management.commands.make_demo import publish_track
from demo.programme import ARTISTS, every_piece
from demo.synthesis import DRUMS, INSTRUMENTS, render_piece
from music.models import Ad, Album
from payments.models import StudentApplication, Subscription
from users.models import User, UserProfile

PIECES = list(every_piece())
RELEASES = [release for artist in ARTISTS for release in artist.releases]
MIDDLE_C = 261.63


def brief(piece):
    """Return the piece without its middle, so that it renders quickly."""
    return replace(piece, form=(("theme", 2), ("ending", 1)))


def samples_of(sound):
    with wave.open(io.BytesIO(sound)) as reader:
        assert (reader.getnchannels(), reader.getsampwidth()) == (2, 2)
        return array("h", reader.readframes(reader.getnframes()))


@pytest.mark.parametrize("piece", PIECES, ids=lambda piece: piece.title)
def test_a_piece_plays_to_its_end_and_lasts_20_to_60_seconds(piece):
    notes = compose(piece)
    assert 20 <= piece.seconds <= 60
    assert notes[0].start == 0
    assert piece.seconds - 5 < notes[-1].start < piece.seconds
    gaps = [after.start - before.start for before, after in pairwise(notes)]
    assert max(gaps) < 5


@pytest.mark.parametrize("piece", PIECES, ids=lambda piece: piece.title)
def test_a_piece_has_a_melody_over_chords_and_bass(piece):
    notes = compose(piece)
    assert {"lead", "chords", "bass"} <= {note.part for note in notes}
    assert len({note.pitches for note in notes if note.part == "lead"}) >= 4
    assert {note.instrument for note in notes} <= INSTRUMENTS.keys() | DRUMS.keys()


def test_the_demo_has_at_least_four_artists_five_albums_and_26_pieces():
    assert len(ARTISTS) >= 4
    assert sum(release.is_album for release in RELEASES) >= 5
    assert len({piece.title for piece in PIECES}) == len(PIECES) >= 26
    assert len({piece.seed for piece in PIECES}) == len(PIECES)
    assert all(len(release.pieces) == 1 for release in RELEASES if not release.is_album)


def test_a_rendered_piece_is_loud_enough_and_does_not_clip():
    samples = samples_of(render_piece(brief(PIECES[8])))
    assert 0.2 * 32767 < max(map(abs, samples)) < 0.95 * 32767
    assert max(map(abs, samples[-20:])) < 10


def test_the_same_piece_sounds_the_same_and_another_does_not():
    piece = brief(PIECES[9])
    sound = render_piece(piece)
    assert render_piece(piece) == sound
    assert render_piece(replace(piece, seed=piece.seed + 1)) != sound


@pytest.mark.parametrize("name", INSTRUMENTS)
def test_an_instrument_starts_and_ends_softly(name):
    samples = INSTRUMENTS[name](MIDDLE_C, 0.3)
    loudest = max(map(abs, samples))
    assert 0.3 < loudest < 2.5
    assert max(abs(samples[0]), abs(samples[-1])) < 0.02 * loudest


@pytest.mark.parametrize("release", RELEASES[:2], ids=lambda release: release.title)
def test_a_cover_is_a_square_picture(release):
    picture = draw_cover(release.cover, title=release.title, artist="Somebody")
    assert Image.open(io.BytesIO(picture)).size == (600, 600)


def test_covers_differ():
    assert len({release.cover for release in RELEASES}) == len(RELEASES)


@pytest.mark.django_db
def test_a_track_is_published_with_its_album_and_cover(artist):
    release = next(release for release in RELEASES if release.is_album)
    piece = release.pieces[1]

    song = publish_track((ARTISTS[0], release, 2, piece), render_piece(brief(piece)), artist)

    assert (song.title, song.genre.title, song.track_number) == (piece.title, piece.genre, 2)
    assert song.release_date == release.released
    album = Album.objects.get(pk=song.album.pk)
    assert (album.title, bool(album.cover_image)) == (release.title, True)


@pytest.fixture
def programme(make_user, make_song):
    """Create the demo's artists with an album each, without rendering music, which takes a minute."""
    for artist in ARTISTS:
        user = User.objects.create_user(artist.email, artist.email.partition("@")[0], name=artist.name, role="artist")
        album = Album.objects.create(title=artist.releases[0].title, artist=user)
        for piece in artist.releases[0].pieces:
            make_song(piece.title, artist=user, album=album)


@pytest.mark.django_db
def test_demo_listeners_fill_shelves_and_lists_once(programme, listener, api, api_as, capsys):
    invite_listeners(listener)
    invite_listeners(listener)  # nothing twice

    assert User.objects.filter(email__startswith="listener").count() == len(NAMES) + 1
    for time_range in ("week", "month", "all"):
        shelf = api.get("/api/songs/trending", {"time_range": time_range, "limit": 5}).json()["results"]
        assert len(shelf) == 5
        assert shelf[0]["play_count"] > shelf[0]["like_count"] > 0
    assert api.get("/api/artists").json()["results"][0]["follower_count"] > 0
    mine = api_as(listener)
    for path in ("songs/recently_played", "songs/liked", "songs/favorites", "albums/favorites", "artists/following"):
        assert mine.get(f"/api/{path}").json()["results"], path
    assert StudentApplication.objects.pending().count() == 2
    assert Ad.objects.running().count() == 2
    picture = UserProfile.objects.exclude(profile_picture="").first().profile_picture
    assert api.get(f"/media/{picture.name}?size=64").status_code == 200
    call_command("recount", check=True)
    assert "nothing to repair" in capsys.readouterr().out


@pytest.mark.django_db
def test_listeners_subscribe_where_the_stand_in_for_stripe_runs(programme, listener, stripe_server):
    invite_listeners(listener)

    lines = list(subscribe_listeners())

    assert len(lines) == len(SUBSCRIBERS) == Subscription.objects.count()
    assert {subscription.status for subscription in Subscription.objects.all()} == {"trialing"}
    assert list(subscribe_listeners()) == []


@pytest.mark.django_db
def test_without_the_stand_in_the_demo_lacks_only_subscriptions(programme, listener, settings):
    settings.STRIPE_API_BASE, settings.STRIPE_TEST_SECRET_KEY = "", ""
    invite_listeners(listener)

    [line] = subscribe_listeners()

    assert line.startswith("Nobody in the demo subscribes")
