"""A session with the client that openapi-python-client generated: `python story.py ADDRESS AUDIO_FILE`"""

import sys
from http import HTTPStatus
from io import BytesIO
from pathlib import Path
from typing import TypeVar

from generated import AuthenticatedClient, Client
from generated.api.accounts import login, register
from generated.api.discovery import search_songs
from generated.api.library import like_song, list_recently_played_songs, unlike_song
from generated.api.listening import play_song, stream_song
from generated.api.profile import delete_account, update_profile
from generated.api.songs import create_song, delete_song, get_song, list_songs, replace_song, update_song
from generated.models import (
    AccountWithToken,
    CreateSongForm,
    DeleteAccountRequest,
    LikeState,
    LoginRequest,
    Playback,
    Profile,
    RegisterRequest,
    ReplaceSongRequest,
    Role,
    SearchResults,
    SongDetail,
    SongPage,
    UpdateProfileForm,
    UpdateSongRequest,
    Visibility,
)
from generated.types import File

EMAIL, PASSWORD = "pia@example.com", "long and winding road"
T = TypeVar("T")


def expect(answer: object, kind: type[T]) -> T:
    assert isinstance(answer, kind), answer
    return answer


def tell(address: str, audio_file: Path) -> None:
    anonymous = Client(base_url=address)
    new = RegisterRequest(email=EMAIL, password=PASSWORD, name="Pia", role=Role.ARTIST)
    expect(register.sync(client=anonymous, body=new), AccountWithToken)
    account = expect(login.sync(client=anonymous, body=LoginRequest(email=EMAIL, password=PASSWORD)), AccountWithToken)
    artist = AuthenticatedClient(base_url=address, token=account.token, prefix="Token")

    content = audio_file.read_bytes()
    upload = CreateSongForm(audio_file=File(BytesIO(content), audio_file.name), title="Harbour Lights", explicit=False)
    song = expect(create_song.sync(client=artist, body=upload), SongDetail)
    assert (song.title, song.explicit, song.album is not None) == ("Harbour Lights", False, True)

    listed = expect(list_songs.sync(client=artist, limit=5), SongPage)
    assert [row.id for row in listed.results] == [song.id]
    assert listed.next_ is None
    found = expect(search_songs.sync(client=artist, q="harbor ligths"), SearchResults)
    assert [row.id for row in found.songs] == [song.id]

    playback = expect(play_song.sync(song.id, client=artist), Playback)
    assert playback.play_count == 1
    assert playback.stream_url
    stream = stream_song.sync_detailed(song.id, client=artist, range_="bytes=0-99")
    assert (stream.status_code, stream.content) == (HTTPStatus.PARTIAL_CONTENT, content[:100])
    assert expect(list_recently_played_songs.sync(client=artist), object)
    assert expect(like_song.sync(song.id, client=artist), LikeState).like_count == 1
    assert expect(unlike_song.sync(song.id, client=artist), LikeState).like_count == 0

    replace_song.sync(song.id, client=artist, body=ReplaceSongRequest(title="Harbour Lights, Live"))
    update_song.sync(song.id, client=artist, body=UpdateSongRequest(visibility=Visibility.PRIVATE))
    changed = expect(get_song.sync(song.id, client=artist), SongDetail)
    assert (changed.title, changed.visibility) == ("Harbour Lights, Live", Visibility.PRIVATE)

    renamed = expect(update_profile.sync(client=artist, body=UpdateProfileForm(name="Pia B.")), Profile)
    assert renamed.user.name == "Pia B."
    assert delete_song.sync_detailed(song.id, client=artist).status_code == HTTPStatus.NO_CONTENT
    closing = DeleteAccountRequest(password=PASSWORD)
    assert delete_account.sync_detailed(client=artist, body=closing).status_code == HTTPStatus.NO_CONTENT


if __name__ == "__main__":
    tell(sys.argv[1], Path(sys.argv[2]))
