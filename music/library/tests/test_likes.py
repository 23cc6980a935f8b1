import pytest

from music.models import SongCounts, SongLike


def test_a_like_is_counted_and_the_answer_has_the_new_count(api_as, listener, song):
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


def test_unliking_twice_lowers_the_count_once(api_as, listener, artist, song):
    api_as(artist).post(f"/api/songs/{song.pk}/like")
    client = api_as(listener)
    client.post(f"/api/songs/{song.pk}/like")

    for _ in range(2):
        answer = client.post(f"/api/songs/{song.pk}/unlike")
        assert (answer.status_code, answer.data) == (200, {"is_liked": False, "like_count": 1})
    assert SongLike.objects.get().listener == artist


def test_unliking_a_song_that_is_not_liked_changes_nothing(api_as, listener, song):
    answer = api_as(listener).post(f"/api/songs/{song.pk}/unlike")

    assert (answer.status_code, answer.data) == (200, {"is_liked": False, "like_count": 0})


def test_is_liked_depends_on_the_caller_in_every_list(api, api_as, listener, artist, song, album):
    song.album = album
    song.save()
    api_as(listener).post(f"/api/songs/{song.pk}/like")
    lists = ["/api/songs", f"/api/albums/{album.pk}/songs", f"/api/artists/{artist.pk}/songs"]

    for client, is_liked in ((api_as(listener), True), (api_as(artist), False), (api, False)):
        assert client.get(f"/api/songs/{song.pk}").data["is_liked"] is is_liked
        for path in lists:
            assert [row["is_liked"] for row in client.get(path).data["results"]] == [is_liked]
        assert client.get(f"/api/artists/{artist.pk}/profile").data["top_songs"][0]["is_liked"] is is_liked


def test_liked_songs_are_listed_last_liked_first(api_as, listener, make_song):
    client, songs = api_as(listener), [make_song(f"Song {number}") for number in range(3)]
    for number in (1, 0, 2):
        client.post(f"/api/songs/{songs[number].pk}/like")

    rows = client.get("/api/songs/liked").data["results"]

    assert [row["title"] for row in rows] == ["Song 2", "Song 0", "Song 1"]
    assert [row["added_at"] for row in rows] == sorted((row["added_at"] for row in rows), reverse=True)
    assert all(row["is_liked"] for row in rows)


def test_pages_of_likes_from_the_same_instant_have_no_gap(api_as, listener, make_song):
    for number in range(7):
        SongLike.objects.create(listener=listener, song=make_song(f"Song {number}"))
    # All within one millisecond, and each two in the same microsecond.
    instant = SongLike.objects.earliest("created_at").created_at.replace(microsecond=123_000)
    for number, like in enumerate(SongLike.objects.all()):
        SongLike.objects.filter(pk=like.pk).update(created_at=instant.replace(microsecond=123_000 + number // 2 * 100))

    client, url, titles = api_as(listener), "/api/songs/liked?limit=2", []
    while url:
        page = client.get(url).data
        titles += [row["title"] for row in page["results"]]
        url = page["next"]

    assert sorted(titles) == [f"Song {number}" for number in range(7)]


def test_invisible_songs_cannot_be_liked_or_unliked(api_as, listener, private_song, make_song):
    for song in (private_song, make_song(is_hidden=True)):
        for action in ("like", "unlike"):
            assert api_as(listener).post(f"/api/songs/{song.pk}/{action}").status_code == 404
    assert not SongLike.objects.exists()


@pytest.mark.parametrize("action", ["like", "unlike"])
@pytest.mark.parametrize("unknown", ["0e5d3a4e-6a1c-4c59-9f49-7f6f0a3ad2ee", "not-a-uuid", "0"])
def test_an_unknown_song_is_a_404(api_as, listener, action, unknown):
    assert api_as(listener).post(f"/api/songs/{unknown}/{action}").status_code == 404


def test_likes_need_authentication(api, song):
    for answer in (
        api.post(f"/api/songs/{song.pk}/like"),
        api.post(f"/api/songs/{song.pk}/unlike"),
        api.get("/api/songs/liked"),
    ):
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == "Token"


def test_closing_an_account_deletes_its_likes_and_lowers_the_count(api_as, listener, artist, song):
    for person in (listener, artist):
        api_as(person).post(f"/api/songs/{song.pk}/like")

    listener.delete_account()

    assert SongCounts.objects.get(song=song).like_count == SongLike.objects.count() == 1


def test_deleting_a_song_deletes_its_likes(api_as, listener, artist, song, make_song):
    other, client = make_song("Other"), api_as(listener)
    for liked in (song, other):
        client.post(f"/api/songs/{liked.pk}/like")

    assert api_as(artist).delete(f"/api/songs/{song.pk}").status_code == 204

    assert [row["title"] for row in client.get("/api/songs/liked").data["results"]] == ["Other"]
    assert client.get(f"/api/artists/{artist.pk}/profile").data["total_likes"] == SongLike.objects.count() == 1
