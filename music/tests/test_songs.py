def test_a_stranger_cannot_see_a_private_song(api_as, listener, private_song):
    assert api_as(listener).get(f"/api/songs/{private_song.pk}").status_code == 404


def test_the_artist_sees_the_private_song(api_as, artist, private_song):
    assert api_as(artist).get(f"/api/songs/{private_song.pk}").json()["visibility"] == "private"
