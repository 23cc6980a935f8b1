import pytest

from music.models import SongCounts, SongLike


def test_a_like_counts_and_answers_the_new_state(api_as, listener, song):
    answer = api_as(listener).post(f"/api/songs/{song.pk}/like")

    assert (answer.status_code, answer.data) == (200, {"is_liked": True, "like_count": 1})
    assert SongLike.objects.get().listener == listener
    assert SongCounts.objects.get(song=song).like_count == 1


def test_liking_again_changes_nothing(api_as, listener, song):
    client = api_as(listener)
    answers = [client.post(f"/api/songs/{song.pk}/like") for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert answers[-1].data == {"is_liked": True, "like_count": 1}
    assert SongLike.objects.count() == 1


def test_a_like_can_be_taken_back_once(api_as, listener, artist, song):
    api_as(artist).post(f"/api/songs/{song.pk}/like")
    client = api_as(listener)
    client.post(f"/api/songs/{song.pk}/like")

    for _ in range(2):
        answer = client.post(f"/api/songs/{song.pk}/unlike")
        assert (answer.status_code, answer.data) == (200, {"is_liked": False, "like_count": 1})
    assert SongLike.objects.get().listener == artist


def test_taking_back_a_like_that_never_was_changes_nothing(api_as, listener, song):
    answer = api_as(listener).post(f"/api/songs/{song.pk}/unlike")

    assert (answer.status_code, answer.data) == (200, {"is_liked": False, "like_count": 0})


def test_is_liked_is_the_callers_own_everywhere(api, api_as, listener, artist, song, album):
    song.album = album
    song.save()
    api_as(listener).post(f"/api/songs/{song.pk}/like")
    lists = ["/api/songs", f"/api/albums/{album.pk}/songs", f"/api/artists/{artist.pk}/songs"]

    for client, is_liked in ((api_as(listener), True), (api_as(artist), False), (api, False)):
        assert client.get(f"/api/songs/{song.pk}").data["is_liked"] is is_liked
        for path in lists:
            assert [row["is_liked"] for row in client.get(path).data["results"]] == [is_liked]
        assert client.get(f"/api/artists/{artist.pk}/profile").data["top_songs"][0]["is_liked"] is is_liked


def test_liked_songs_come_newest_first_with_the_date_of_the_like(api_as, listener, make_song):
    client, songs = api_as(listener), [make_song(f"Song {number}") for number in range(3)]
    for number in (1, 0, 2):
        client.post(f"/api/songs/{songs[number].pk}/like")

    rows = client.get("/api/songs/liked").data["results"]

    assert [row["title"] for row in rows] == ["Song 2", "Song 0", "Song 1"]
    assert [row["added_at"] for row in rows] == sorted((row["added_at"] for row in rows), reverse=True)
    assert all(row["is_liked"] for row in rows)


def test_liked_songs_come_in_pages_without_a_gap_even_when_liked_in_one_instant(api_as, listener, make_song):
    for number in range(7):
        SongLike.objects.create(listener=listener, song=make_song(f"Song {number}"))
    # Within one millisecond, and two of them in the same microsecond.
    instant = SongLike.objects.earliest("created_at").created_at.replace(microsecond=123_000)
    for number, like in enumerate(SongLike.objects.all()):
        SongLike.objects.filter(pk=like.pk).update(created_at=instant.replace(microsecond=123_000 + number // 2 * 100))

    client, url, titles = api_as(listener), "/api/songs/liked?limit=2", []
    while url:
        page = client.get(url).data
        titles += [row["title"] for row in page["results"]]
        url = page["next"]

    assert sorted(titles) == [f"Song {number}" for number in range(7)]


def test_nobody_likes_a_song_out_of_sight(api_as, listener, private_song, make_song):
    for song in (private_song, make_song(is_hidden=True)):
        for deed in ("like", "unlike"):
            assert api_as(listener).post(f"/api/songs/{song.pk}/{deed}").status_code == 404
    assert not SongLike.objects.exists()


@pytest.mark.parametrize("deed", ["like", "unlike"])
@pytest.mark.parametrize("unknown", ["0e5d3a4e-6a1c-4c59-9f49-7f6f0a3ad2ee", "not-a-uuid", "0"])
def test_an_unknown_song_is_a_404(api_as, listener, deed, unknown):
    assert api_as(listener).post(f"/api/songs/{unknown}/{deed}").status_code == 404


def test_an_anonymous_caller_likes_nothing(api, song):
    for answer in (
        api.post(f"/api/songs/{song.pk}/like"),
        api.post(f"/api/songs/{song.pk}/unlike"),
        api.get("/api/songs/liked"),
    ):
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == "Token"


def test_a_deleted_account_takes_its_likes_along(api_as, listener, artist, song):
    for person in (listener, artist):
        api_as(person).post(f"/api/songs/{song.pk}/like")

    listener.delete_account()

    assert SongCounts.objects.get(song=song).like_count == SongLike.objects.count() == 1


def test_a_deleted_song_takes_its_likes_along(api_as, listener, artist, song, make_song):
    kept, client = make_song("Kept"), api_as(listener)
    for liked in (song, kept):
        client.post(f"/api/songs/{liked.pk}/like")

    assert api_as(artist).delete(f"/api/songs/{song.pk}").status_code == 204

    assert [row["title"] for row in client.get("/api/songs/liked").data["results"]] == ["Kept"]
    assert client.get(f"/api/artists/{artist.pk}/profile").data["total_likes"] == SongLike.objects.count() == 1
