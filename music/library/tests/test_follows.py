import pytest

from music.models import ArtistCounts, ArtistFollow


def follow_path(artist):
    return f"/api/artists/{artist.pk}/follow"


def followers(artist):
    return ArtistCounts.objects.get(artist=artist).follower_count


def test_following_is_201_and_following_again_200(api_as, listener, artist):
    client = api_as(listener)

    answers = [client.post(follow_path(artist)) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [201, 200, 200]
    assert all(answer.json() == {"is_following": True} for answer in answers)
    assert followers(artist) == ArtistFollow.objects.count() == 1


def test_unfollowing_is_204_whether_or_not_the_caller_followed(api_as, listener, artist, other_artist):
    api_as(other_artist).post(follow_path(artist))
    client = api_as(listener)
    client.post(follow_path(artist))

    assert [client.delete(follow_path(artist)).status_code for _ in range(2)] == [204, 204]

    assert followers(artist) == 1
    assert ArtistFollow.objects.get().follower == other_artist


def test_artists_cannot_follow_themselves(api_as, artist):
    answer = api_as(artist).post(follow_path(artist))

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["code"] == "self_follow"
    assert answer.json()["errors"][0]["attr"] is None
    assert followers(artist) == 0


@pytest.mark.parametrize("method", ["post", "delete"])
def test_only_active_artists_can_be_followed(api_as, listener, artist, make_user, method):
    suspended = make_user("suspended", role="artist", is_active=False)
    call = getattr(api_as(artist), method)

    for no_artist in (listener, suspended):
        assert call(follow_path(no_artist)).status_code == 404
    assert call("/api/artists/not-a-uuid/follow").status_code == 404
    assert not ArtistFollow.objects.exists()


def test_follows_need_authentication(api, artist):
    for answer in (
        api.post(follow_path(artist)),
        api.delete(follow_path(artist)),
        api.get("/api/artists/following"),
        api.get("/api/artists/followers"),
    ):
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == "Token"


def test_followed_artists_are_listed_last_followed_first(api_as, listener, artist, other_artist):
    client = api_as(listener)
    for followed in (other_artist, artist):
        client.post(follow_path(followed))

    rows = client.get("/api/artists/following").json()["results"]

    assert [row["username"] for row in rows] == ["artist", "other"]
    assert all(row["is_following"] and row["followed_at"].endswith("Z") for row in rows)
    assert set(rows[0]) == {
        "id",
        "username",
        "name",
        "profile_picture",
        "song_count",
        "album_count",
        "follower_count",
        "is_following",
        "followed_at",
    }


def test_followers_are_listed_newest_first_with_three_fields(api_as, artist, make_user):
    for name in ("first", "second"):
        api_as(make_user(name)).post(follow_path(artist))

    rows = api_as(artist).get("/api/artists/followers").json()["results"]

    assert [row["username"] for row in rows] == ["second", "first"]
    assert set(rows[0]) == {"id", "username", "followed_at"}


def test_only_artists_can_list_their_followers(api_as, listener):
    answer = api_as(listener).get("/api/artists/followers")

    assert answer.status_code == 403
    assert answer.json()["errors"][0]["code"] == "permission_denied"


def test_is_following_depends_on_the_caller(api, api_as, listener, artist):
    api_as(listener).post(follow_path(artist))

    for client, is_following in ((api_as(listener), True), (api_as(artist), False), (api, False)):
        assert client.get(f"/api/artists/{artist.pk}").json()["is_following"] is is_following
        assert client.get(f"/api/artists/{artist.pk}/profile").json()["is_following"] is is_following
        assert client.get("/api/artists").json()["results"][0]["is_following"] is is_following
        assert client.get(f"/api/artists/{artist.pk}").json()["follower_count"] == 1


def test_closing_an_account_deletes_its_follows_and_lowers_the_count(api_as, listener, artist, other_artist):
    for person in (listener, other_artist):
        api_as(person).post(follow_path(artist))

    listener.delete_account()

    assert followers(artist) == ArtistFollow.objects.count() == 1


def test_closing_an_artists_account_deletes_follows_in_both_directions(api_as, artist, other_artist):
    api_as(artist).post(follow_path(other_artist))
    api_as(other_artist).post(follow_path(artist))

    artist.delete_account()

    assert followers(other_artist) == 0
    assert not ArtistFollow.objects.exists()
