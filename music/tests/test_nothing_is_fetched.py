"""An upload that names other files or addresses is no music, and nothing that it names is looked at."""

import socket

import pytest

from music.models import Song
from music.tests.samples import tone
from music.tests.uploading import stored_files, upload

pytestmark = pytest.mark.django_db


@pytest.fixture
def somebody_listening():
    """An address in our own network, where nobody must knock."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        yield server


def has_been_asked(server):
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
def test_a_playlist_is_no_music_and_nobody_is_asked(api_as, artist, somebody_listening, text, name):
    url = f"http://127.0.0.1:{somebody_listening.getsockname()[1]}/latest/meta-data"

    answer = upload(api_as(artist), text.format(url=url).encode(), name=name)

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "invalid_audio")
    assert not has_been_asked(somebody_listening)
    assert not Song.objects.exists()
    assert stored_files() == set()


def test_a_playlist_behind_a_tag_or_some_sound_asks_nobody_either(api_as, artist, somebody_listening):
    url = f"http://127.0.0.1:{somebody_listening.getsockname()[1]}/"
    playlist = PLAYLISTS["hls"].format(url=url).encode()
    tag = b"ID3\x04\x00\x00\x00\x00\x00\x0a" + bytes(10)

    assert upload(api_as(artist), tag + playlist).status_code == 400
    upload(api_as(artist), tone("mp3") + playlist)

    assert not has_been_asked(somebody_listening)
