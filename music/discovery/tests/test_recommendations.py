import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from music.models import Genre, Song
from music.tests.listening_crowd import build_neighbours, crowd_plays, in_the_charts, played, titles

PATH = "/api/songs/recommendations"


@pytest.fixture
def charts(make_song):
    """Three songs with nothing but their trend to recommend them, best first."""
    return in_the_charts(*(make_song(f"Hit {place}", play_count=10**6 - place) for place in (1, 2, 3)))


@pytest.fixture
def pair(make_song, other_artist):
    """Two songs that are neighbours."""
    songs = in_the_charts(make_song("Low Tide"), make_song("High Tide", artist=other_artist))
    crowd_plays(*songs)
    build_neighbours()
    return songs


def recommended(client, **query):
    return client.get(PATH, query).json()["results"]


def test_callers_without_history_get_trending_songs(api, api_as, listener, charts):
    for client in (api, api_as(listener)):
        assert titles(client.get(PATH)) == ["Hit 1", "Hit 2", "Hit 3"]
        assert [song["reason"] for song in recommended(client)] == [{"kind": "trending"}] * 3
        assert titles(client.get(PATH, {"limit": 2})) == ["Hit 1", "Hit 2"]


@pytest.mark.parametrize("action", ["play", "like", "favorite"])
def test_a_new_action_counts_at_once_and_is_the_reason(api_as, listener, charts, pair, action):
    low_tide, _ = pair
    client = api_as(listener)
    assert titles(client.get(PATH))[0] == "Hit 1"
    client.post(f"/api/songs/{low_tide.pk}/{action}")
    first = recommended(client)[0]
    assert first["title"] == "High Tide"
    assert first["reason"]["kind"] == "because_you_played"
    artist = {"id": str(low_tide.artist_id), "username": "artist", "name": "The Artist"}
    assert first["reason"]["song"] == {"id": str(low_tide.pk), "title": "Low Tide", "artist": artist}


def test_the_song_that_contributes_most_is_the_reason(api_as, listener, pair, make_song):
    low_tide, high_tide = pair
    now_and_then = make_song("Now and Then")
    crowd_plays(now_and_then, high_tide, people=1)
    build_neighbours()
    played(listener, now_and_then)
    played(listener, low_tide, times=9)
    assert recommended(api_as(listener))[0]["reason"]["song"]["title"] == "Low Tide"


def test_songs_of_followed_artists_name_the_artist(api_as, listener, other_artist, charts, make_song):
    in_the_charts(*(make_song(f"Theirs {n}", artist=other_artist) for n in range(5)))
    client = api_as(listener)
    client.post(f"/api/artists/{other_artist.pk}/follow")
    first = recommended(client)[0]
    assert first["artist"]["name"] == "Another Artist"
    assert first["reason"] == {"kind": "followed_artist", "artist": first["artist"]}


def test_songs_of_favorite_genres_name_the_genre(api_as, listener, charts, genre, make_song):
    heard, _ = in_the_charts(make_song("Heard", genre=genre), make_song("Same genre", genre=genre))
    played(listener, heard)
    first = recommended(api_as(listener))[0]
    assert first["title"] == "Same genre"
    assert first["reason"] == {"kind": "favorite_genre", "genre": {"id": str(genre.pk), "title": "Jazz"}}


def test_the_three_sources_share_ten_songs_by_six_two_and_two(api_as, listener, make_user, make_song, genre):
    star = make_user("star", role="artist")
    makers = [make_user(f"maker{n}", role="artist") for n in range(20)]
    heard, *near = [make_song(f"Near {n}", artist=maker) for n, maker in enumerate(makers)]
    Song.objects.filter(pk=heard.pk).update(genre=genre)
    in_the_charts(heard, *near, *(make_song(f"Star {n}", artist=star) for n in range(3)))
    in_the_charts(*(make_song(f"Jazz {n}", artist=maker, genre=genre) for n, maker in enumerate(makers)))
    crowd_plays(heard, *near)
    build_neighbours()
    played(listener, heard)
    client = api_as(listener)
    client.post(f"/api/artists/{star.pk}/follow")
    kinds = [song["reason"]["kind"] for song in recommended(client, limit=10)]
    assert kinds.count("because_you_played") == 6
    assert kinds.count("followed_artist") == 2
    assert kinds.count("favorite_genre") == 2


def test_favorites_are_never_recommended_and_heard_songs_come_last(api_as, listener, charts, pair):
    _, high_tide = pair
    client = api_as(listener)
    client.post(f"/api/songs/{high_tide.pk}/favorite")
    client.post(f"/api/songs/{charts[0].pk}/play")
    client.post(f"/api/songs/{charts[1].pk}/favorite")
    found = titles(client.get(PATH))
    assert found == ["Low Tide", "Hit 3", "Hit 1"]


def test_an_artists_third_song_comes_after_two_of_every_other_artist(api_as, listener, artist, other_artist, make_song):
    heard = make_song("Heard", artist=other_artist)
    many = [make_song(f"Many {n}") for n in range(6)]
    few = [make_song(f"Few {n}", artist=other_artist) for n in range(2)]
    for song in many:
        crowd_plays(heard, song, people=5)
    crowd_plays(heard, *few, people=1)
    build_neighbours()
    played(listener, heard)
    names = [song["artist"]["username"] for song in recommended(api_as(listener))]
    assert sorted(names[:4]) == ["artist", "artist", "other", "other"]
    assert names[4:8] == ["artist"] * 4


def hide(song, way):
    if way == "private":
        Song.objects.filter(pk=song.pk).update(visibility="private")
    elif way == "hidden":
        Song.objects.filter(pk=song.pk).update(is_hidden=True)
    else:
        song.artist.is_active = False
        song.artist.save()


@pytest.mark.parametrize("way", ["private", "hidden", "suspended"])
def test_songs_that_are_not_public_are_never_recommended(api, api_as, listener, other_artist, genre, pair, way):
    low_tide, high_tide = pair
    Song.objects.update(genre=genre)
    played(listener, low_tide)
    client = api_as(listener)
    client.post(f"/api/artists/{other_artist.pk}/follow")
    hide(high_tide, way)
    radio = "/api/songs/radio"
    paths = [
        PATH,
        f"/api/songs/{low_tide.pk}/similar",
        f"{radio}?seed_song={low_tide.pk}",
        f"{radio}?seed_genre={genre.pk}",
    ]
    for caller in [api, client] + [api_as(other_artist)] * (way != "suspended"):
        for path in paths:
            assert "High Tide" not in titles(caller.get(path)), path


def test_a_song_hidden_after_it_was_played_is_no_reason(api_as, listener, pair):
    low_tide, _ = pair
    played(listener, low_tide)
    hide(low_tide, "hidden")
    [song] = recommended(api_as(listener))
    assert (song["title"], song["reason"]) == ("High Tide", {"kind": "trending"})


def test_a_deleted_history_is_no_reason(api_as, listener, charts, pair):
    played(listener, pair[0])
    client = api_as(listener)
    client.delete("/api/songs/recently_played")
    assert {song["reason"]["kind"] for song in recommended(client)} == {"trending"}


def test_responses_are_private_and_a_bad_limit_is_an_error(api, api_as, listener, charts):
    assert api_as(listener).get(PATH)["Cache-Control"] == "private, no-cache"
    answer = api.get(PATH, {"limit": 101})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["attr"] == "limit"


def test_a_long_history_and_a_full_page_take_no_more_queries(api_as, listener, make_song, make_user):
    def queries(limit):
        with CaptureQueriesContext(connection) as captured:
            assert len(recommended(client, limit=limit)) == limit
        return len(captured)

    artists = [make_user(f"artist{n}", role="artist") for n in range(12)]
    genres = [Genre.objects.create(title=f"Genre {n}") for n in range(4)]
    songs = in_the_charts(*(make_song(f"Song {n}", artist=artists[n % 12], genre=genres[n % 4]) for n in range(60)))
    crowd_plays(*songs)
    build_neighbours()
    played(listener, songs[0])
    client = api_as(listener)
    client.post(f"/api/artists/{artists[0].pk}/follow")
    client.get(PATH)
    few = queries(1)
    played(listener, *songs[:20])
    for star in artists:
        client.post(f"/api/artists/{star.pk}/follow")
    assert queries(20) == few == 11
