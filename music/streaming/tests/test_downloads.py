import unicodedata
from urllib.parse import unquote

import pytest
import requests

from music.models import Song
from music.streaming.downloads import attachment_header
from music.tests.samples import audio_sample
from music.tests.uploads import body_of, code_of, give_audio, upload


@pytest.fixture
def premium_api(api_as, listener, give_premium):
    give_premium(listener)
    return api_as(listener)


def download(client, song, **headers):
    return client.get(f"/api/songs/{song.pk}/download", **headers)


def names_in(disposition: str) -> tuple[str, str]:
    """Return the ASCII name and the encoded name in a Content-Disposition header."""
    kind, plain, encoded = disposition.split("; ")
    assert kind == "attachment"
    assert plain.startswith('filename="')
    assert plain.isascii()
    assert encoded.startswith("filename*=UTF-8''")
    return plain.removeprefix('filename="')[:-1], unquote(encoded.removeprefix("filename*=UTF-8''"))


def test_a_subscriber_downloads_the_best_file(api_as, artist, premium_api, render):
    upload(api_as(artist), audio_sample("wav", title="Low Tide"))
    render()
    song = Song.objects.get()

    answer = download(premium_api, song)
    assert (answer.status_code, answer["Content-Type"]) == (200, "audio/mpeg")
    assert body_of(answer) == song.renditions.get(quality="high").file.open().read()
    assert names_in(answer["Content-Disposition"]) == ("The Artist - Low Tide.mp3",) * 2
    part = download(premium_api, song, HTTP_RANGE="bytes=0-99")
    assert (part.status_code, len(body_of(part))) == (206, 100)


def test_an_original_within_the_plan_is_downloaded_unchanged(premium_api, make_song):
    song = give_audio(make_song("Small", bitrate=128), audio_format="ogg")
    answer = download(premium_api, song)
    assert (body_of(answer), answer["Content-Type"]) == (b"0123456789", "audio/ogg")
    assert names_in(answer["Content-Disposition"])[1] == "The Artist - Small.ogg"


def test_the_preference_for_streams_does_not_lower_downloads(api_as, artist, premium_api, render):
    upload(api_as(artist), audio_sample("wav"))
    render()
    premium_api.patch("/api/profile", {"audio_quality": "low"})
    song = Song.objects.get()
    assert download(premium_api, song)["Content-Length"] == str(song.renditions.get(quality="high").bytes)


def test_downloads_begin_and_end_with_the_subscription(api, api_as, listener, song, give_premium):
    give_audio(song)
    client = api_as(listener)
    assert download(api, song).status_code == 401
    assert code_of(download(client, song), 403) == ("subscription_required", None)
    subscription = give_premium(listener)
    assert download(client, song).status_code == 200
    subscription.status = "canceled"
    subscription.save()
    assert code_of(download(client, song), 403) == ("subscription_required", None)


def test_missing_audio_and_private_songs_cannot_be_downloaded(premium_api, song, private_song):
    assert code_of(download(premium_api, song), 404) == ("no_audio", None)
    give_audio(private_song)
    assert code_of(download(premium_api, private_song), 404) == ("not_found", None)


@pytest.mark.parametrize(
    ("artist_name", "title", "name"),
    [
        ("AC/DC", 'What? "Yes": <a|b>*\\', "AC_DC - What_ _Yes__ _a_b___.mp3"),
        ("Björk", "Jóga", "Björk - Jóga.mp3"),
        ("宇多田ヒカル", "道", "宇多田ヒカル - 道.mp3"),
        ("..", "...", "-.mp3"),
        ("../../etc", "passwd\0\n", "_.._etc - passwd.mp3"),
        ("Nina", "Ends.  ", "Nina - Ends.mp3"),
        ("Evil", "\u202egpj.exe", "Evil - gpj.exe.mp3"),
        ("CON.", "x", "_CON. - x.mp3"),
        ("Nina", "a\tb   c", "Nina - ab c.mp3"),
        ("Nina", "100% \U0001f3b5", "Nina - 100% \U0001f3b5.mp3"),
    ],
)
def test_file_names_are_valid_on_every_file_system(premium_api, artist, make_song, artist_name, title, name):
    artist.name = artist_name
    artist.save()
    song = give_audio(make_song("any"))
    Song.objects.update(title=title.replace("\0", ""))
    assert names_in(download(premium_api, song)["Content-Disposition"])[1] == name


def test_a_long_file_name_is_cut_between_characters(premium_api, artist, make_song):
    song = give_audio(make_song("長" * 200))
    name = names_in(download(premium_api, song)["Content-Disposition"])[1]
    assert len(name.encode()) <= 143
    assert name.startswith("The Artist - 長")
    assert name.endswith("長.mp3")


def test_old_clients_get_an_ascii_file_name(premium_api, artist, make_song):
    song = give_audio(make_song('Jóga "live" 100%'))
    assert names_in(download(premium_api, song)["Content-Disposition"])[0] == "The Artist - Joga _live_ 100_.mp3"
    assert names_in(attachment_header("道.mp3"))[0] == "song.mp3"


def test_file_names_are_in_composed_unicode_form(premium_api, make_song):
    song = give_audio(make_song(unicodedata.normalize("NFD", "Jóga")))
    assert "Jóga" in names_in(download(premium_api, song)["Content-Disposition"])[1]


def test_a_download_from_a_bucket_has_its_file_name(s3_server, use_store, premium_api, make_song):
    use_store(s3_server)
    song = give_audio(make_song("Jóga"))
    answer = download(premium_api, song)
    assert answer.status_code == 302
    stored = requests.get(answer["Location"], timeout=5)
    assert stored.content == b"0123456789"
    assert names_in(stored.headers["Content-Disposition"])[1] == "The Artist - Jóga.mp3"
    assert "X-Amz-Expires=600" in answer["Location"]
