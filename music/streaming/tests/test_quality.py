"""Which bytes somebody hears: what they ask for or prefer, never above their plan."""

import time
from datetime import timedelta

import pytest
import time_machine

from music.models import Song
from music.tests.samples import audio_sample
from music.tests.uploading import body_of, code_of, give_audio, upload
from users.models import UserProfile


@pytest.fixture
def rendered(api_as, artist, render):
    """A song with an upload above every quality, and all renditions."""
    upload(api_as(artist), audio_sample("wav"))
    render()
    return Song.objects.get()


def stream(client, song, quality=None, **headers):
    asked = f"?quality={quality}" if quality else ""
    return client.get(f"/api/songs/{song.pk}/stream{asked}", **headers)


def heard(answer) -> str:
    """The quality that an answer's bytes are of."""
    assert answer.status_code == 200, answer.content
    content = body_of(answer)
    (song,) = Song.objects.all()
    if content == song.audio_file.open().read():
        assert answer["Content-Type"] == "audio/wav"
        return "original"
    assert answer["Content-Type"] == "audio/mpeg"
    (quality,) = [each.quality for each in song.renditions.all() if each.file.open().read() == content]
    return quality


def test_anonymous_callers_hear_what_free_hears(api, rendered):
    assert heard(stream(api, rendered)) == "medium"
    assert heard(stream(api, rendered, "low")) == "low"
    assert heard(stream(api, rendered, "medium")) == "medium"
    assert heard(stream(api, rendered, "high")) == "medium"


def test_a_listener_hears_their_preference_unless_they_ask_for_another(api_as, listener, rendered):
    client = api_as(listener)
    assert heard(stream(client, rendered)) == "medium"
    client.patch("/api/profile", {"audio_quality": "low"})
    assert heard(stream(client, rendered)) == "low"
    assert heard(stream(client, rendered, "medium")) == "medium"


def test_high_begins_and_ends_with_the_subscription(api_as, listener, rendered, give_premium):
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
def test_the_upload_itself_is_heard_where_it_is_within(api, rendered, format, bitrate, quality, expected):
    Song.objects.update(bitrate=bitrate, audio_format=format)
    expected_file = rendered.renditions.get(quality=expected).file if expected != "original" else rendered.audio_file
    assert body_of(stream(api, rendered, quality)) == expected_file.open().read()


def test_where_there_is_no_rendition_of_that_quality_the_next_lower_one_is_heard(api, rendered):
    rendered.renditions.get(quality="medium").delete()
    assert heard(stream(api, rendered, "medium")) == "low"


def test_until_there_are_renditions_the_original_is_heard(api, api_as, artist):
    upload(api_as(artist), audio_sample("wav"))
    assert heard(stream(api, Song.objects.get(), "low")) == "original"


@pytest.mark.parametrize("quality", ["best", "HIGH", "320", "", "%00", "low,high"])
def test_another_quality_is_refused(api, rendered, quality):
    answer = api.get(f"/api/songs/{rendered.pk}/stream?quality={quality}")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["attr"] == "quality"


def test_each_quality_has_ranges_and_an_etag_of_its_own(api, api_as, listener, rendered, give_premium):
    give_premium(listener)
    client, etags = api_as(listener), set()
    for rendition in rendered.renditions.all():
        part = stream(client, rendered, rendition.quality, HTTP_RANGE="bytes=1000-1999")
        assert (part.status_code, part["Content-Type"]) == (206, "audio/mpeg")
        assert part["Content-Range"] == f"bytes 1000-1999/{rendition.bytes}"
        assert body_of(part) == rendition.file.open().read()[1000:2000]
        etags.add(part["ETag"])
        assert stream(client, rendered, rendition.quality, HTTP_IF_NONE_MATCH=part["ETag"]).status_code == 304
    assert len(etags) == 3
    # What was begun at one quality does not go on at another.
    whole = stream(client, rendered, "low", HTTP_RANGE="bytes=5-9", HTTP_IF_RANGE=max(etags))
    assert whole.status_code in (200, 206)
    assert "Authorization" in whole["Vary"]


def play(client, song):
    return client.post(f"/api/songs/{song.pk}/play").json()


def test_a_play_says_the_quality_that_is_granted_and_its_address_gives_just_that(
    api, api_as, listener, rendered, give_premium
):
    give_premium(listener)
    for quality in ("low", "medium", "high"):
        UserProfile.objects.filter(user=listener).update(audio_quality=quality)
        answer = play(api_as(listener), rendered)
        assert answer["quality"] == quality
        UserProfile.objects.filter(user=listener).update(audio_quality="medium")
        assert heard(api.get(answer["stream_url"])) == quality
        assert heard(api.get(f"{answer['stream_url']}&quality=high")) == quality
        assert api.get(f"{answer['stream_url']}&quality=loud").status_code == 400


def test_a_preference_above_the_plan_is_granted_as_far_as_the_plan_goes(api, api_as, listener, rendered):
    UserProfile.objects.filter(user=listener).update(audio_quality="high")
    answer = play(api_as(listener), rendered)
    assert answer["quality"] == "medium"
    assert heard(api.get(answer["stream_url"])) == "medium"


def test_an_address_that_was_signed_for_high_follows_the_plan_as_it_stands_now(
    api, api_as, listener, rendered, give_premium
):
    subscription = give_premium(listener)
    UserProfile.objects.filter(user=listener).update(audio_quality="high")
    address = play(api_as(listener), rendered)["stream_url"]
    assert heard(api.get(address)) == "high"
    subscription.status = "unpaid"
    subscription.save()
    assert heard(api.get(address)) == "medium"


def test_an_address_of_a_play_is_refused_when_changed_or_ended(api, api_as, listener, rendered, settings):
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


def test_a_song_with_nothing_to_choose_costs_no_look_at_the_plan(api, song, django_assert_num_queries):
    give_audio(song)
    Song.objects.update(bitrate=96)
    with django_assert_num_queries(1):
        stream(api, song)
    Song.objects.update(bitrate=1411)
    with django_assert_num_queries(3):
        stream(api, song)
