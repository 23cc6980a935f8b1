from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from music.tests.listening_crowd import build_neighbours, crowd_plays, in_the_charts, titles

RADIO = "/api/songs/radio"


@pytest.fixture
def seed(make_song, genre):
    return make_song("Seed", genre=genre)


@pytest.fixture
def catalogue(seed, make_song, make_user, genre):
    """One song in each relation to the seed, by different artists unless the artist is the relation."""
    other = {n: make_user(f"maker{n}", role="artist") for n in range(4)}
    songs = in_the_charts(
        seed,
        make_song("Trending", artist=other[0], play_count=10**6),
        make_song("Same artist"),
        make_song("Same genre", artist=other[1], genre=genre),
        make_song("Neighbour", artist=other[2]),
        make_song("Neighbour's neighbour", artist=other[3]),
    )
    crowd_plays(seed, songs[4])
    crowd_plays(songs[4], songs[5])
    build_neighbours()
    return {song.title: song for song in songs}


def errors(answer):
    assert answer.status_code == 400
    return [error["attr"] for error in answer.json()["errors"]]


def test_similar_songs_come_best_first_and_the_song_itself_never(api, catalogue):
    found = titles(api.get(f"/api/songs/{catalogue['Seed'].pk}/similar"))
    assert found[0] == "Neighbour"
    assert set(found[1:4]) == {"Neighbour's neighbour", "Same artist", "Same genre"}
    assert found[4:] == ["Trending"]
    assert titles(api.get(f"/api/songs/{catalogue['Seed'].pk}/similar?limit=1")) == ["Neighbour"]


def test_a_song_without_neighbours_is_followed_by_its_artist_and_genre(api, make_song, seed, genre, other_artist):
    in_the_charts(
        make_song("Trending", artist=other_artist, play_count=10**6),
        make_song("Same artist"),
        make_song("Same genre", artist=other_artist, genre=genre),
    )
    for path in (f"/api/songs/{seed.pk}/similar", f"{RADIO}?seed_song={seed.pk}"):
        assert titles(api.get(path)) == ["Same artist", "Same genre", "Trending"]


def test_a_song_without_genre_has_similar_songs_too(api, make_song):
    alone, _ = in_the_charts(make_song("Alone"), make_song("Other"))
    assert titles(api.get(f"/api/songs/{alone.pk}/similar")) == ["Other"]


def test_similar_songs_of_a_song_the_caller_cannot_see_are_404(api, api_as, artist, private_song, catalogue):
    assert api.get(f"/api/songs/{private_song.pk}/similar").status_code == 404
    assert api.get(f"/api/songs/{uuid4()}/similar").status_code == 404
    own = titles(api_as(artist).get(f"/api/songs/{private_song.pk}/similar"))
    assert own
    assert "A secret" not in own


def test_a_radio_goes_on_without_repeats_until_no_song_is_left(api, catalogue):
    for query in (
        {"seed_song": catalogue["Seed"].pk},
        {"seed_artist": catalogue["Seed"].artist_id},
        {"seed_genre": catalogue["Seed"].genre_id},
    ):
        heard = []
        while songs := api.get(RADIO, {**query, "limit": 2, "exclude": ",".join(heard)}).json()["results"]:
            heard += [song["id"] for song in songs]
        assert len(heard) == len(set(heard)) == (5 if "seed_song" in query else 6)


def test_an_artists_radio_has_their_songs_and_neighbours_of_these(api, catalogue):
    found = titles(api.get(RADIO, {"seed_artist": catalogue["Seed"].artist_id}))
    assert set(found[:3]) == {"Seed", "Same artist", "Neighbour"}
    assert found[1] == "Neighbour"


def test_a_genres_radio_begins_with_the_genre(api, catalogue):
    found = titles(api.get(RADIO, {"seed_genre": catalogue["Seed"].genre_id}))
    assert set(found[:2]) == {"Seed", "Same genre"}
    assert found[2] == "Neighbour"


@pytest.mark.parametrize(
    "query", ["", "seed_song={id}&seed_artist={id}", "seed_song={id}&seed_genre={id}", "seed_song="]
)
def test_exactly_one_seed_has_to_be_given(api, seed, query):
    assert api.get(f"{RADIO}?{query.format(id=seed.pk)}").status_code == 400


@pytest.mark.parametrize("name", ["seed_song", "seed_artist", "seed_genre"])
def test_an_unknown_seed_is_404(api, db, listener, name):
    for value in (uuid4(), "no-id", listener.pk):
        assert api.get(RADIO, {name: value}).status_code == 404


def test_another_artists_private_song_and_a_suspended_artist_are_no_seeds(api, api_as, private_song, artist):
    assert api.get(RADIO, {"seed_song": private_song.pk}).status_code == 404
    assert api_as(artist).get(RADIO, {"seed_song": private_song.pk}).status_code == 200
    artist.is_active = False
    artist.save()
    assert api.get(RADIO, {"seed_artist": artist.pk}).status_code == 404


def test_a_malformed_list_of_excluded_songs_is_an_error(api, seed):
    for text in ("no-id", f"{uuid4()},1", "x" * 5000, ",".join([str(uuid4())] * 1001)):
        assert errors(api.get(RADIO, {"seed_song": seed.pk, "exclude": text})) == ["exclude"]
    assert errors(api.get(RADIO, {"seed_song": seed.pk, "limit": 0})) == ["limit"]


def test_a_thousand_songs_can_be_excluded_and_empty_ids_are_ignored(api, catalogue):
    many = ",".join(str(uuid4()) for _ in range(999))
    found = titles(api.get(RADIO, {"seed_song": catalogue["Seed"].pk, "exclude": f"{many},"}))
    assert len(found) == 5
    assert len(titles(api.get(RADIO, {"seed_song": catalogue["Seed"].pk, "exclude": ""}))) == 5


def test_a_longer_page_takes_no_more_queries(api, make_song, make_user, genre):
    def queries(limit):
        with CaptureQueriesContext(connection) as captured:
            assert len(titles(api.get(f"/api/songs/{songs[0].pk}/similar?limit={limit}"))) == limit
        return len(captured)

    artists = [make_user(f"artist{n}", role="artist") for n in range(12)]
    songs = in_the_charts(*(make_song(f"Song {n}", artist=artists[n % 12], genre=genre) for n in range(60)))
    crowd_plays(*songs)
    build_neighbours()
    queries(1)
    assert queries(1) == queries(40) == 6
