"""Streams have the quality that listeners request or prefer, limited by their plan."""

import time
from datetime import timedelta

import pytest
import time_machine

from music.models import Song
from music.tests.samples import audio_sample
from music.tests.uploads import body_of, code_of, give_audio, upload
from users.models import UserProfile


@pytest.fixture
def rendered(api_as, artist, render):
    """A song with all renditions, whose original has a higher bitrate than any quality."""
    upload(api_as(artist), audio_sample("wav"))
    render()
    return Song.objects.get()


def stream(client, song, quality=None, **headers):
    requested = f"?quality={quality}" if quality else ""
    return client.get(f"/api/songs/{song.pk}/stream{requested}", **headers)


def heard(answer) -> str:
    """Return the quality of the bytes in a response, or "original"."""
    assert answer.status_code == 200, answer.content
    content = body_of(answer)
    (song,) = Song.objects.all()
    if content == song.audio_file.open().read():
        assert answer["Content-Type"] == "audio/wav"
        return "original"
    assert answer["Content-Type"] == "audio/mpeg"
    (quality,) = [each.quality for each in song.renditions.all() if each.file.open().read() == content]
    return quality


def test_anonymous_callers_hear_the_quality_of_free(api, rendered):
    assert heard(stream(api, rendered)) == "medium"
    assert heard(stream(api, rendered, "low")) == "low"
    assert heard(stream(api, rendered, "medium")) == "medium"
    assert heard(stream(api, rendered, "high")) == "medium"


def test_listeners_hear_their_preference_unless_they_request_another_quality(api_as, listener, rendered):
    client = api_as(listener)
    assert heard(stream(client, rendered)) == "medium"
    client.patch("/api/profile", {"audio_quality": "low"})
    assert heard(stream(client, rendered)) == "low"
    assert heard(stream(client, rendered, "medium")) == "medium"


def test_high_quality_begins_and_ends_with_the_subscription(api_as, listener, rendered, give_premium):
    client = api_as(listener)
    assert code_of(client.patch("/api/profile", {"audio_quality": "high"}), 403) == ("subscription_required", None)
    assert heard(stream(client, rendered, "high")) == "medium"

    subscription = give_premium(listener)
    assert heard(stream(client, rendered, "high")) == "high"
    assert client.patch("/api/profile", {"audio_quality": "high"}).status_code == 200
    assert heard(stream(client, rendered)) == "high"

    subscription.status = "canceled"
    subscription.save()
    assert heard(stream(client, rendered, "high")) == "medium"
    assert heard(stream(client, rendered)) == "medium"


@pytest.mark.parametrize(
    ("format", "bitrate", "quality", "expected"),
    [
        ("mp3", 96, "low", "original"),
        ("mp3", 98, "low", "original"),
        ("mp3", 128, "medium", "original"),
        ("ogg", 160, "medium", "original"),
        ("mp3", 162, "medium", "original"),
        ("mp3", 192, "medium", "medium"),
        ("mp3", 320, "medium", "medium"),
        ("flac", 900, "low", "low"),
    ],
)
def test_the_original_is_streamed_if_within_the_quality(api, rendered, format, bitrate, quality, expected):
    Song.objects.update(bitrate=bitrate, audio_format=format)
    expected_file = rendered.renditions.get(quality=expected).file if expected != "original" else rendered.audio_file
    assert body_of(stream(api, rendered, quality)) == expected_file.open().read()


def test_a_missing_rendition_is_replaced_by_the_next_lower_one(api, rendered):
    rendered.renditions.get(quality="medium").delete()
    assert heard(stream(api, rendered, "medium")) == "low"


def test_the_original_is_streamed_until_there_are_renditions(api, api_as, artist):
    upload(api_as(artist), audio_sample("wav"))
    assert heard(stream(api, Song.objects.get(), "low")) == "original"


@pytest.mark.parametrize("quality", ["best", "HIGH", "320", "", "%00", "low,high"])
def test_an_unknown_quality_is_refused(api, rendered, quality):
    answer = api.get(f"/api/songs/{rendered.pk}/stream?quality={quality}")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["attr"] == "quality"


def test_each_quality_has_ranges_and_an_etag_of_its_own(api, api_as, listener, rendered, give_premium):
    give_premium(listener)
    client, etags = api_as(listener), {}
    for rendition in rendered.renditions.all():
        part = stream(client, rendered, rendition.quality, HTTP_RANGE="bytes=1000-1999")
        assert (part.status_code, part["Content-Type"]) == (206, "audio/mpeg")
        assert part["Content-Range"] == f"bytes 1000-1999/{rendition.bytes}"
        assert body_of(part) == rendition.file.open().read()[1000:2000]
        etags[rendition.quality] = part["ETag"]
        assert stream(client, rendered, rendition.quality, HTTP_IF_NONE_MATCH=part["ETag"]).status_code == 304
    assert len(set(etags.values())) == 3
    # A download of one quality is not continued with bytes of another.
    whole = stream(client, rendered, "low", HTTP_RANGE="bytes=5-9", HTTP_IF_RANGE=etags["high"])
    assert whole.status_code == 200
    assert "Authorization" in whole["Vary"]


def play(client, song):
    return client.post(f"/api/songs/{song.pk}/play").json()


def test_a_play_returns_the_granted_quality_and_a_url_that_streams_it(api, api_as, listener, rendered, give_premium):
    give_premium(listener)
    for quality in ("low", "medium", "high"):
        UserProfile.objects.filter(user=listener).update(audio_quality=quality)
        answer = play(api_as(listener), rendered)
        assert answer["quality"] == quality
        UserProfile.objects.filter(user=listener).update(audio_quality="medium")
        assert heard(api.get(answer["stream_url"])) == quality
        assert heard(api.get(f"{answer['stream_url']}&quality=high")) == quality
        assert api.get(f"{answer['stream_url']}&quality=loud").status_code == 400


def test_a_preference_above_the_plan_is_limited_by_the_plan(api, api_as, listener, rendered):
    UserProfile.objects.filter(user=listener).update(audio_quality="high")
    answer = play(api_as(listener), rendered)
    assert answer["quality"] == "medium"
    assert heard(api.get(answer["stream_url"])) == "medium"


def test_a_url_signed_for_high_follows_the_current_plan(api, api_as, listener, rendered, give_premium):
    subscription = give_premium(listener)
    UserProfile.objects.filter(user=listener).update(audio_quality="high")
    address = play(api_as(listener), rendered)["stream_url"]
    assert heard(api.get(address)) == "high"
    subscription.status = "unpaid"
    subscription.save()
    assert heard(api.get(address)) == "medium"


def test_the_url_of_a_play_is_refused_when_changed_or_expired(api, api_as, listener, rendered, settings):
    address = play(api_as(listener), rendered)["stream_url"]
    plain, _, signature = address.partition("?signature=")
    for place in range(0, len(signature) - 1, 11):
        changed = signature[:place] + ("A" if signature[place] != "A" else "B") + signature[place + 1 :]
        assert code_of(api.get(f"{plain}?signature={changed}"), 403) == ("invalid_signature", None)
    with time_machine.travel(time.time() + (settings.STREAM_URL_LIFETIME + timedelta(seconds=5)).total_seconds()):
        assert code_of(api.get(address), 403) == ("invalid_signature", None)


def test_a_private_songs_renditions_need_its_owners_signature(api, api_as, artist, listener, rendered):
    Song.objects.update(visibility="private")
    address = play(api_as(artist), rendered)["stream_url"]
    assert heard(api.get(address)) == "medium"
    assert stream(api, rendered, "low").status_code == 404
    assert stream(api_as(listener), rendered, "low").status_code == 404
    assert heard(stream(api_as(artist), rendered, "low")) == "low"


def test_renditions_in_a_bucket_are_reached_by_redirect(s3_server, use_store, api, api_as, artist, render):
    use_store(s3_server)
    upload(api_as(artist), audio_sample("wav"))
    render()
    song = Song.objects.get()
    assert song.analysis.status == "ready"
    answer = stream(api, song, "low")
    assert answer.status_code == 302
    assert song.renditions.get(quality="low").file.name in answer["Location"]
    assert "X-Amz-Signature" in answer["Location"]


def test_a_low_bitrate_original_needs_no_query_for_the_plan(api, song, django_assert_num_queries):
    give_audio(song)
    Song.objects.update(bitrate=96)
    with django_assert_num_queries(1):
        stream(api, song)
    Song.objects.update(bitrate=1411)
    with django_assert_num_queries(3):
        stream(api, song)
