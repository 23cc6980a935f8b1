"""Uploads that name files or addresses (playlists, manifests): they are refused, and nothing they name is opened."""

import socket

import pytest

from music.models import Song
from music.tests.samples import tone
from music.tests.uploads import stored_files, upload

pytestmark = pytest.mark.django_db


@pytest.fixture
def local_server():
    """A listening socket on this machine, to which no upload may make the server connect."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        yield server


def was_connected_to(server):
    try:
        server.accept()[0].close()
    except TimeoutError:
        return False
    return True


PLAYLISTS = {
    "hls": "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{url}\n#EXT-X-ENDLIST\n",
    "m3u": "#EXTM3U\n{url}\n",
    "pls": "[playlist]\nFile1={url}\nNumberOfEntries=1\n",
    "concat": "ffconcat version 1.0\nfile '{url}'\n",
    "file": "ffconcat version 1.0\nfile '/etc/passwd'\n",
    "dash": '<?xml version="1.0"?><MPD><Period><AdaptationSet><Representation><BaseURL>{url}</BaseURL>'
    "</Representation></AdaptationSet></Period></MPD>",
    "address": "{url}",
}


@pytest.mark.parametrize("name", ["song.mp3", "song.m4a", "playlist.m3u8"])
@pytest.mark.parametrize("text", PLAYLISTS.values(), ids=PLAYLISTS)
def test_a_playlist_is_refused_and_its_address_is_not_fetched(api_as, artist, local_server, text, name):
    url = f"http://127.0.0.1:{local_server.getsockname()[1]}/latest/meta-data"

    answer = upload(api_as(artist), text.format(url=url).encode(), name=name)

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "invalid_audio")
    assert not was_connected_to(local_server)
    assert not Song.objects.exists()
    assert stored_files() == set()


def test_a_playlist_after_a_tag_or_audio_is_not_fetched(api_as, artist, local_server):
    url = f"http://127.0.0.1:{local_server.getsockname()[1]}/"
    playlist = PLAYLISTS["hls"].format(url=url).encode()
    tag = b"ID3\x04\x00\x00\x00\x00\x00\x0a" + bytes(10)

    assert upload(api_as(artist), tag + playlist).status_code == 400
    upload(api_as(artist), tone("mp3") + playlist)

    assert not was_connected_to(local_server)
