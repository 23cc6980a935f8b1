"""The search index stays up to date with every change of the catalogue."""

import io

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from music.discovery.search.words import chunks, normalized
from music.models import SearchEntry, SearchWord, SongCounts
from users.models import User


@pytest.fixture
def found(api):
    """Search anonymously and return the numbers of songs, albums, artists and genres found."""

    def numbers(q):
        answer = api.get("/api/songs/search", {"q": q}).json()
        return tuple(len(answer[kind]) for kind in ("songs", "albums", "artists", "genres"))

    return numbers


def test_a_new_song_is_found_at_once(found, make_song):
    make_song("Zanzibar")
    assert found("zanzibar") == (1, 0, 0, 0)


def test_a_retitled_song_is_found_by_its_new_title_only(found, api_as, artist, make_song):
    song = make_song("Zanzibar")
    assert api_as(artist).patch(f"/api/songs/{song.pk}", {"title": "Timbuktu"}).status_code == 200
    assert (found("zanzibar"), found("timbuktu")) == ((0, 0, 0, 0), (1, 0, 0, 0))


def test_songs_and_albums_are_found_by_the_new_name_of_their_artist(found, api_as, artist, album, make_song):
    make_song("A song", album=album)
    assert api_as(artist).patch("/api/profile", {"name": "Zanzibar"}).status_code == 200
    assert found("zanzibar") == (1, 1, 1, 0)
    assert found("the artist") == (0, 0, 1, 0)  # by the username, which stays


def test_songs_are_found_by_the_new_title_of_their_album(found, api_as, artist, album, make_song):
    make_song("A song", album=album)
    api_as(artist).patch(f"/api/albums/{album.pk}", {"title": "Zanzibar"})
    assert (found("zanzibar"), found("an album")) == ((1, 1, 0, 0), (0, 0, 0, 0))


def test_songs_are_found_by_the_new_title_of_their_genre(found, genre, make_song):
    make_song("A song", genre=genre)
    genre.title = "Zanzibar"
    genre.save()
    assert (found("zanzibar"), found("jazz")) == ((1, 0, 0, 1), (0, 0, 0, 0))


def test_a_song_is_found_by_its_new_album_and_genre(found, album, genre, make_song):
    song = make_song("A song")
    song.album, song.genre = album, genre
    song.save()
    assert found("jazz album") == (1, 0, 0, 0)


def test_a_deleted_song_leaves_no_entry(found, make_song):
    make_song("Zanzibar").delete()
    assert found("zanzibar") == (0, 0, 0, 0)
    assert not SearchEntry.objects.filter(kind="song").exists()


@pytest.mark.parametrize("part", ["album", "genre"])
def test_songs_of_a_deleted_album_or_genre_are_not_found_by_its_title(found, make_song, album, genre, part):
    make_song("Zanzibar", album=album, genre=genre)
    {"album": album, "genre": genre}[part].delete()
    assert found("zanzibar") == (1, 0, 0, 0)
    assert found("zanzibar " + {"album": "an album", "genre": "jazz"}[part])[1:] == (0, 0, 0)
    assert not SearchEntry.objects.filter(terms__matches={"album": "album", "genre": "jazz"}[part]).exists()


def test_a_closed_account_leaves_no_entries(found, artist, album, make_song):
    make_song("Zanzibar", album=album)
    artist.delete_account()
    assert found("zanzibar") == found("artist") == (0, 0, 0, 0)
    assert not SearchEntry.objects.exists()


def test_deleting_a_queryset_deletes_the_entries(artist, album, make_song):
    make_song("Zanzibar", album=album)
    User.objects.filter(pk=artist.pk).delete()
    assert not SearchEntry.objects.exists()


def test_only_accounts_of_artists_are_found(found, make_user):
    user = make_user("zanzibar")
    assert found("zanzibar") == (0, 0, 0, 0)
    user.role = "artist"
    user.save()
    assert found("zanzibar") == (0, 0, 1, 0)
    user.role = "user"
    user.save()
    assert not SearchEntry.objects.exists()


def test_an_import_is_found_with_its_artists_albums_and_genres(found, db, tmp_path):
    path = tmp_path / "songs.csv"
    path.write_text(
        "title,artist,album,genre,release_date,duration,explicit,play_count,audio\n"
        "One,Zanzibar,Zanzibar II,Zanzibar rock,2001,200,false,5000,\n"
        "Two,Zanzibar,Zanzibar II,Zanzibar rock,2001,200,false,5,\n"
    )
    call_command("import_catalogue", str(path), stdout=io.StringIO())
    assert found("zanzibar") == (2, 1, 1, 1)
    assert found("one zanzbiar") == (1, 0, 0, 0)


def test_a_change_that_is_rolled_back_leaves_the_index_unchanged(found, make_song):
    song = make_song("Zanzibar")
    with transaction.atomic():
        song.title = "Timbuktu"
        song.save()
        transaction.set_rollback(True)
    assert (found("zanzibar"), found("timbuktu")) == ((1, 0, 0, 0), (0, 0, 0, 0))


def test_a_log_in_does_not_query_the_index(artist):
    with CaptureQueriesContext(connection) as queries:
        artist.save(update_fields=["last_login"])
    assert not any("music_search" in query["sql"] for query in queries)


def test_saving_an_unchanged_artist_rewrites_no_entries(artist, make_song, monkeypatch):
    make_song()
    rewritten = []
    monkeypatch.setattr("music.discovery.search.indexer.index", lambda *args: rewritten.append(args))
    artist.save()
    assert rewritten == []


def test_plays_move_a_song_to_a_higher_popularity_tier(make_song):
    song = make_song("Zanzibar", play_count=98)
    counts = SongCounts.objects.filter(song=song)

    def tiers():
        entries = SearchEntry.objects.filter(object_id=song.pk)
        return [n for n in range(1, 6) if entries.filter(terms__matches=f"#{n}").exists()]

    assert tiers() == [1]
    counts.update(play_count=F("play_count") + 1)
    assert tiers() == [1]
    counts.update(play_count=F("play_count") + 1)
    assert tiers() == [2]
    counts.update(play_count=10**12)
    assert tiers() == [5]
    song.save()
    assert tiers() == [5]
    assert SearchEntry.objects.filter(object_id=song.pk, terms__matches="zanzibar").exists()


def test_a_song_imported_with_plays_is_in_its_popularity_tier(make_song):
    song = make_song("Zanzibar", play_count=123_456)
    assert SearchEntry.objects.filter(object_id=song.pk, terms__matches="#3").exists()


def test_the_whole_index_can_be_rebuilt(found, make_song, album, genre):
    make_song("Zanzibar", album=album, genre=genre, play_count=500)
    before = list(SearchEntry.objects.order_by("object_id").values_list("object_id", "name", "terms"))
    SearchWord.objects.create(word="forgotten", terms="forgotten")
    SearchEntry.objects.all().delete()
    assert found("zanzibar") == (0, 0, 0, 0)
    call_command("rebuild_search", stdout=io.StringIO())
    assert list(SearchEntry.objects.order_by("object_id").values_list("object_id", "name", "terms")) == before
    assert found("zanzibar") == (1, 0, 0, 0)
    assert not SearchWord.objects.filter(word="forgotten").exists()


def test_migrating_rebuilds_an_outdated_index(found, make_song):
    make_song("Zanzibar")
    SearchEntry.objects.update(terms="#1 #song ^signsabc signsabc", text=None)
    SearchWord.objects.create(word="signsabc", terms="signsabc")
    assert found("zanzibar") == (0, 0, 0, 0)
    call_command("migrate", verbosity=0)
    assert found("zanzibar") == (1, 0, 0, 0)
    assert not SearchWord.objects.filter(word="signsabc").exists()


@pytest.mark.parametrize("title", ["x" * 200, "🔥" * 200, "𠀀" * 200, "x" + "&" * 198 + "x"])
def test_the_longest_titles_are_found(found, make_song, title):
    make_song(title)
    assert found(title)[0] == 1


def test_titles_that_grow_when_they_are_folded_are_found(found, make_song):
    make_song("㍍ (" + "㍍" * 190 + ")", play_count=10**12)
    assert found("メートル") == (1, 0, 0, 0)
    assert found("㍍" * 200) == (0, 0, 0, 0)  # more than any name has


def test_the_domain_of_a_username_finds_nobody(found, make_user):
    make_user("x", role="artist", name="Zanzibar").save()
    User.objects.filter(name="Zanzibar").update(username="nina@secret.example")
    call_command("rebuild_search", stdout=io.StringIO())
    assert found("nina") == (0, 0, 1, 0)
    assert found("secret") == found("nina@secret.example") == (0, 0, 0, 0)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("AC/DC live", [["ac", "dc"], ["live"]]),
        ("Don’t", [["dont"]]),
        ("P!nk wow!", [["pink"], ["wow"]]),
        ("A$AP $100", [["asap"], ["100"]]),
        ("Simon & Garfunkel", [["simon"], ["and"], ["garfunkel"]]),
        ("Ёлка Ελλάδα", [["елка"], ["ελλαδα"]]),
        ("שָׁלוֹם", [["שלום"]]),
        ("ガ й", [["ガ"], ["й"]]),
        ("", []),
        ("÷", [["÷"]]),
        ("$$$", [["＄＄＄"]]),
        ("! !", [["！！"]]),
        ("❤️ 🦋", [["❤🦋"]]),
        ("❤️ Love", [["love"]]),
        ("\u200d\ufe0f", []),
        ("Ke$ha A$$ $1", [["kesha"], ["ass"], ["1"]]),
        ("Florence + The C++", [["florence"], ["and"], ["the"], ["c"]]),
        ("می‌خواهم", [["مي", "خواهم"]]),
    ],
)
def test_text_is_split_into_words_and_their_parts(text, parts):
    assert chunks(text) == parts


def test_an_appendix_is_separated_from_the_name():
    assert normalized("Ignition (Remix)") == "ignition / remix"
    assert normalized("Let It Be - Remastered 2009") == "let it be / remastered 2009"
    assert normalized("(I Can't Get No) Satisfaction") == "i cant get no satisfaction"
