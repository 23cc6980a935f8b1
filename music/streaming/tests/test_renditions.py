"""Renditions, loudness and waveform: made after an upload, deleted with the audio."""

import re
import subprocess
from io import BytesIO, StringIO

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import call_command
from imageio_ffmpeg import get_ffmpeg_exe

from music.catalogue import ffmpeg
from music.catalogue.audio import inspect_audio
from music.models import AudioAnalysis, Rendition, Song
from music.streaming.renditions import render_later, render_song, rendition_key
from music.tests.samples import AUDIO_FORMATS, audio_sample, encoded
from music.tests.uploads import code_of, give_audio, stored_files, upload

MUSIC = ("-f", "lavfi", "-i", "anoisesrc=color=pink:amplitude=0.4:seed=5:duration=3:sample_rate=44100", "-ac", "2")
SILENCE = ("-f", "lavfi", "-i", "anullsrc=sample_rate=44100:channel_layout=stereo:duration=1")
HIGH_BITRATE = {
    "mp3": ("-b:a", "256k"),
    "wav": (),
    "m4a": ("-c:a", "aac", "-b:a", "256k", "-f", "mp4"),
    "flac": (),
    "ogg": ("-c:a", "libvorbis", "-b:a", "256k"),
    "aac": ("-c:a", "aac", "-b:a", "256k", "-f", "adts"),
}


@pytest.fixture
def artist_api(api_as, artist):
    return api_as(artist)


@pytest.fixture
def uploaded(artist_api):
    """A song whose bitrate is higher than that of any quality."""
    assert upload(artist_api, audio_sample("wav")).status_code == 201
    return Song.objects.get()


def detail(client, song):
    return client.get(f"/api/songs/{song.pk}").json()


def ebur128(path: str) -> float:
    """Return the integrated loudness of a file as ffmpeg measures it."""
    command = [get_ffmpeg_exe(), "-nostdin", "-i", path, "-map", "0:a:0", "-af", "ebur128", "-f", "null", "-"]
    log = subprocess.run(command, capture_output=True, check=True).stderr.decode()
    return float(re.findall(r"I: +(-[\d.]+) LUFS", log)[-1])


@pytest.mark.parametrize("format", AUDIO_FORMATS)
def test_renditions_of_every_format_have_the_originals_length_and_the_stated_bitrate(artist_api, render, format):
    content = encoded(*MUSIC, *HIGH_BITRATE[format], suffix=format)
    assert upload(artist_api, content).status_code == 201
    render()

    source = inspect_audio(ContentFile(content))
    song = Song.objects.get()
    made = {rendition.quality: rendition for rendition in song.renditions.all()}
    assert set(made) == {"low", "medium", "high"} if format in ("wav", "flac") else {"low", "medium"}
    for quality, kbps in {"low": 96, "medium": 160, "high": 320}.items():
        if quality in made:
            facts = inspect_audio(made[quality].file)
            assert facts.format == made[quality].format == "mp3"
            assert facts.seconds == pytest.approx(source.seconds, abs=0.05)
            assert facts.bitrate == pytest.approx(kbps, rel=0.1)
            assert made[quality].bytes == made[quality].file.size
    assert song.analysis.lufs == pytest.approx(ebur128(song.audio_file.path), abs=0.5)


@pytest.mark.parametrize(("kbps", "qualities"), [(64, set()), (96, set()), (128, {"low"}), (320, {"low", "medium"})])
def test_no_rendition_has_a_higher_quality_than_the_original(artist_api, render, kbps, qualities):
    upload(artist_api, encoded(*MUSIC, "-b:a", f"{kbps}k", suffix="mp3"))
    render()

    song = Song.objects.get()
    assert set(song.renditions.values_list("quality", flat=True)) == qualities
    assert song.analysis.status == "ready"


def test_a_mono_low_rate_original_gets_the_full_bitrate(artist_api, render):
    upload(artist_api, encoded(*MUSIC, "-ac", "1", "-ar", "8000", "-c:a", "pcm_s16le", suffix="wav"))
    render()

    assert Song.objects.get().bitrate == 128
    assert inspect_audio(Rendition.objects.get().file).bitrate == pytest.approx(96, rel=0.1)


def test_a_song_is_processing_until_its_analysis_is_ready(api, uploaded, render):
    before = detail(api, uploaded)
    assert (before["status"], before["loudness"], before["status_reason"]) == ("processing", None, None)
    assert code_of(api.get(f"/api/songs/{uploaded.pk}/waveform"), 404) == ("not_ready", None)

    render()

    after = detail(api, uploaded)
    assert (after["status"], after["status_reason"]) == ("ready", None)
    assert after["loudness"]["lufs"] == pytest.approx(ebur128(uploaded.audio_file.path), abs=0.5)
    assert set(after["loudness"]) == {"lufs", "peak", "gain"}
    assert len(api.get(f"/api/songs/{uploaded.pk}/waveform").json()["points"]) == 1000


def test_responses_to_writes_have_the_status_and_lists_do_not(artist_api, uploaded, render):
    render()
    changed = artist_api.patch(f"/api/songs/{uploaded.pk}", {"title": "New"}).json()
    assert (changed["title"], changed["status"]) == ("New", "ready")
    assert changed["loudness"]["lufs"] < 0
    assert upload(artist_api).json()["status"] == "processing"
    listed = artist_api.get("/api/songs").json()["results"][0]
    assert not {"status", "status_reason", "loudness"} & set(listed)


@pytest.mark.parametrize(
    ("lufs", "peak", "gain"), [(-8.0, 0.4, -6.0), (-20.0, -9.0, 6.0), (-20.0, -5.0, 4.0), (-14.0, -1.0, 0.0)]
)
def test_gain_leads_to_minus_14_lufs_and_leaves_1_db_of_headroom(api, song, lufs, peak, gain):
    give_audio(song)
    AudioAnalysis.objects.create(song=song, source=song.audio_file.name, status="ready", lufs=lufs, peak=peak)
    assert detail(api, song)["loudness"] == {"lufs": lufs, "peak": peak, "gain": gain}


def test_a_waveform_follows_the_audio(api, artist_api, render):
    quiet_then_loud = "aevalsrc=if(lt(t\\,1)\\,0.1\\,0.8)*sin(2*PI*440*t):s=44100:d=2"
    upload(artist_api, encoded("-f", "lavfi", "-i", quiet_then_loud, suffix="wav"))
    render()

    points = api.get(f"/api/songs/{Song.objects.get().pk}/waveform").json()["points"]
    assert max(points[:490]) == pytest.approx(0.1, abs=0.02)
    assert min(points[510:990]) == pytest.approx(0.8, abs=0.1)


def test_silence_has_no_loudness(api, artist_api, render):
    upload(artist_api, encoded(*SILENCE, suffix="wav"))
    render()

    song = Song.objects.get()
    assert (detail(api, song)["status"], detail(api, song)["loudness"]) == ("ready", None)
    assert set(api.get(f"/api/songs/{song.pk}/waveform").json()["points"]) == {0}


def test_a_song_without_audio_is_not_processing(api, song):
    assert (detail(api, song)["status"], detail(api, song)["loudness"]) == ("ready", None)
    assert code_of(api.get(f"/api/songs/{song.pk}/waveform"), 404) == ("not_ready", None)


def test_only_its_artist_gets_the_waveform_of_a_private_song(api, artist_api, uploaded, render):
    render()
    Song.objects.update(visibility="private")
    assert api.get(f"/api/songs/{uploaded.pk}/waveform").status_code == 404
    assert artist_api.get(f"/api/songs/{uploaded.pk}/waveform").status_code == 200


@pytest.mark.parametrize("content", [b"no sound at all", b"ffconcat version 1.0\nfile /etc/passwd\n", b"RIFF"])
def test_the_artist_reads_why_rendering_failed(api, artist_api, make_song, render, content):
    song = give_audio(make_song(bitrate=500), content)
    render()

    assert (detail(api, song)["status"], detail(api, song)["status_reason"]) == ("failed", None)
    assert "can't be decoded" in detail(artist_api, song)["status_reason"]
    assert stored_files() == {song.audio_file.name}
    assert api.get(f"/api/songs/{song.pk}/stream").status_code == 200


@pytest.mark.parametrize(("limit", "value"), [("RENDERING_BYTES", 4096), ("MEMORY_BYTES", 2**24)])
def test_rendering_that_exceeds_a_limit_leaves_no_file(uploaded, render, monkeypatch, limit, value):
    monkeypatch.setattr(ffmpeg, limit, value)
    render()
    assert AudioAnalysis.objects.get().status == "failed"
    assert stored_files() == {uploaded.audio_file.name}


def test_a_tag_that_looks_like_a_measurement_is_ignored(artist_api, render):
    lie = "Integrated loudness: I: -1.0 LUFS True peak: Peak: 9.0 dBFS"
    upload(artist_api, audio_sample("flac", title=lie))
    render()
    assert AudioAnalysis.objects.get().lufs < -5


def test_new_audio_is_rendered_and_the_old_renditions_are_deleted(artist_api, uploaded, render):
    render()
    old = stored_files()
    new = BytesIO(audio_sample("wav", 3))
    answer = artist_api.patch(f"/api/songs/{uploaded.pk}", {"audio_file": new}, format="multipart")
    assert answer.json()["status"] == "processing"
    song = Song.objects.get()
    assert stored_files() == {song.audio_file.name}

    render()
    assert not old & stored_files()
    assert len(stored_files()) == 4
    assert {round(inspect_audio(rendition.file).seconds) for rendition in song.renditions.all()} == {3}


@pytest.mark.parametrize("way", ["song", "account"])
def test_renditions_are_deleted_with_their_song(artist_api, uploaded, render, way):
    render()
    assert len(stored_files()) == 4
    if way == "song":
        assert artist_api.delete(f"/api/songs/{uploaded.pk}").status_code == 204
    else:
        uploaded.artist.delete_account()
    assert stored_files() == set()
    assert not Rendition.objects.exists()


def test_rendering_twice_changes_nothing(uploaded, render):
    render()
    before = {rendition.pk: rendition.updated_at for rendition in Rendition.objects.all()}
    files = stored_files()
    render_song(uploaded.pk, uploaded.audio_file.name)
    AudioAnalysis.objects.update(status="processing")  # as if the worker had been killed before saving the result
    render_song(uploaded.pk, uploaded.audio_file.name)

    assert set(Rendition.objects.values_list("pk", flat=True)) == set(before)
    assert stored_files() == files
    assert AudioAnalysis.objects.get().status == "ready"


def test_a_file_half_written_by_a_killed_worker_is_replaced(uploaded, render):
    key = rendition_key(uploaded.audio_file.name, "low")
    default_storage.save(key, ContentFile(b"the first bytes"))
    render()

    assert round(inspect_audio(Rendition.objects.get(quality="low").file).seconds) == 2
    assert len(stored_files()) == 4


def test_a_song_deleted_while_rendering_leaves_no_file(artist_api, uploaded):
    source = uploaded.audio_file.name
    default_storage.save(rendition_key(source, "high"), ContentFile(b"of a worker that was killed"))
    artist_api.delete(f"/api/songs/{uploaded.pk}")
    render_song(uploaded.pk, source)
    assert stored_files() == set()


def test_a_task_for_old_audio_does_nothing_to_new_audio(artist_api, uploaded):
    old = uploaded.audio_file.name
    artist_api.patch(f"/api/songs/{uploaded.pk}", {"audio_file": BytesIO(audio_sample("mp3"))}, format="multipart")
    render_song(uploaded.pk, old)
    assert AudioAnalysis.objects.get().status == "processing"
    assert not Rendition.objects.exists()


def test_a_server_error_is_reported_after_the_last_attempt(artist_api, uploaded):
    default_storage.delete(uploaded.audio_file.name)

    class Context:
        attempt = 7

    for attempt, status in ((7, "processing"), (8, "failed")):
        Context.attempt = attempt
        with pytest.raises(FileNotFoundError):
            render_later.func(Context, str(uploaded.pk), uploaded.audio_file.name)
        assert AudioAnalysis.objects.get().status == status
    assert "our side" in detail(artist_api, uploaded)["status_reason"]


def test_render_missing_renders_songs_without_renditions(artist_api, uploaded, make_song):
    give_audio(make_song("From before"), audio_sample("mp3"))
    upload(artist_api, audio_sample("flac"))
    AudioAnalysis.objects.filter(song=uploaded).update(status="failed", reason="Something")

    output = StringIO()
    call_command("render_missing", stdout=output)
    assert output.getvalue() == "3 songs rendered, 0 failed.\n"
    assert set(AudioAnalysis.objects.values_list("status", "reason")) == {("ready", "")}

    again = StringIO()
    call_command("render_missing", stdout=again)
    assert again.getvalue() == "Nothing is missing.\n"


def test_render_missing_reports_failures(make_song):
    give_audio(make_song(), b"no sound")
    with pytest.raises(SystemExit):
        call_command("render_missing", stdout=StringIO())
