"""Renditions, loudness and waveform of a recording, which the worker makes after the upload.

Renditions are MP3 with a constant bitrate. Every browser and phone plays MP3, including open-source builds without
licensed decoders (unlike AAC) and old Apple devices (unlike Opus). LAME needs about 3 s for four minutes at 320 kbps,
ffmpeg's AAC encoder 20 s. With a constant bitrate players compute the byte of a position, so seeking is exact, and
LAME's tag in the first frame says what to cut off at both ends, so the length is that of the original.
"""

import tempfile
from collections import Counter
from collections.abc import Iterable
from contextlib import ExitStack
from math import isfinite
from pathlib import PurePath
from typing import IO, Any
from uuid import UUID

from django.core.files.base import File
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import Count, QuerySet
from django_tasks.base import TaskContext

from core.jobs.retries import retried_task
from core.storage.stored_files import discard
from music.catalogue.audio import locate_audio
from music.catalogue.ffmpeg import FfmpegError, FfmpegLimitError, render
from music.catalogue.models import Song
from music.streaming.models import AudioAnalysis, Rendition, Status
from music.streaming.quality import KBPS, is_within
from music.streaming.waveform import waveform_of
from users.models import AudioQuality

FORMAT = "mp3"
ATTEMPTS = 8
LOWEST_PRIORITY = -100  # of django-tasks
UNDECODABLE = "The sound can't be decoded to its end. Export it again and replace the file."
TOO_LONG = "The sound is too long to be prepared. Upload it in parts."
OUR_FAULT = "Something is wrong on our side. The song plays as it was uploaded."


def enqueue_renditions(songs: Iterable[Song], **kwargs: object) -> None:
    """Create the analyses of new songs and enqueue the rendering of each. Receiver for songs_added."""
    sources = {song: str(song.audio_file.name) for song in songs if song.audio_file}
    AudioAnalysis.objects.bulk_create(AudioAnalysis(song=song, source=source) for song, source in sources.items())
    # A song's priority falls with the number of songs of its artist that are waiting, so that the first song of an
    # artist is not delayed by the hundredth of another.
    artists = {song.artist_id for song in sources}
    waiting = AudioAnalysis.objects.filter(song__artist__in=artists, status=Status.PROCESSING).exclude(song__in=sources)
    places = Counter(dict(waiting.values_list("song__artist").annotate(Count("pk"))))
    for song, source in sources.items():
        places[song.artist_id] += 1
        priority = max(-places[song.artist_id], LOWEST_PRIORITY)
        render_later.using(priority=priority).enqueue(str(song.pk), source)


def render_replaced_audio(song: Song, **kwargs: object) -> None:
    """Delete the results for the old recording (files after commit), enqueue the new. Receiver for audio_replaced."""
    Rendition.objects.filter(song=song).delete()
    AudioAnalysis.objects.filter(song=song).delete()
    enqueue_renditions([song])


def expected_renditions(names: frozenset[str], **kwargs: object) -> set[str]:
    """Return those of the keys that belong to songs without renditions. Receiver for unnamed_files_found.

    A worker that was killed has stored these files, and the next one may use them at any moment.
    """
    sources = missing_renditions().values_list("audio_file", flat=True).iterator() if names else ()
    return {key for source in sources for quality in AudioQuality if (key := rendition_key(source, quality)) in names}


def missing_renditions() -> QuerySet[Song]:
    """Return songs with audio whose renditions are not ready: waiting, in progress or failed."""
    return Song.objects.exclude(audio_file="").exclude(analysis__status=Status.READY)


@retried_task(attempts=ATTEMPTS, queue_name="rendering", takes_context=True)
def render_later(context: TaskContext, song_id: str, source: str) -> None:
    """Render a song in the worker; after the last attempt say that it failed."""
    try:
        render_song(song_id, source)
    except Exception:
        if context.attempt >= ATTEMPTS:
            _save_result(song_id, source, AudioAnalysis(status=Status.FAILED, reason=OUR_FAULT))
        raise


def render_song(song_id: UUID | str, source: str) -> None:
    """Render the stored file `source`, unless that is done already or the song is gone or has another file by now."""
    song = Song.objects.filter(pk=song_id, audio_file=source).first()
    if song is None:
        # A worker that was killed just when the song was deleted may have left files.
        _discard_renditions(source)
    elif not AudioAnalysis.objects.filter(song=song, source=source, status=Status.READY).exists():
        _render(song, source)


def _render(song: Song, source: str) -> None:
    wanted = [quality for quality in AudioQuality if not is_within(song.bitrate, quality)]
    with ExitStack() as open_files:
        # Unnamed temporary files: a worker that is killed leaves nothing behind.
        mp3s = {quality: open_files.enter_context(tempfile.TemporaryFile()) for quality in wanted}
        upload = open_files.enter_context(tempfile.TemporaryFile())
        samples = open_files.enter_context(tempfile.TemporaryFile())
        with default_storage.open(source) as stored:
            for chunk in stored.chunks():
                upload.write(chunk)
        upload.flush()
        try:
            lufs, peak = render(
                locate_audio(upload, song.audio_format).source(f"/dev/fd/{upload.fileno()}"),
                upload,
                mp3s={KBPS[quality]: file for quality, file in mp3s.items()},
                samples=samples,
            )
        except FfmpegError as error:
            reason = TOO_LONG if isinstance(error, FfmpegLimitError) else UNDECODABLE
            _save_result(song.pk, source, AudioAnalysis(status=Status.FAILED, reason=reason))
            return
        analysis = AudioAnalysis(status=Status.READY, waveform=waveform_of(samples))
        if isfinite(peak):  # silence has no peak
            analysis.lufs, analysis.peak = lufs, peak
        renditions = [_store_rendition(source, quality, file) for quality, file in mp3s.items()]
        _save_result(song.pk, source, analysis, renditions)


def _store_rendition(source: str, quality: AudioQuality, file: IO[bytes]) -> Rendition:
    """Store an encoded file and return its unsaved row.

    The key follows from source and quality, so that files which a killed worker has left are found and used again.
    """
    key, content = rendition_key(source, quality), File(file, name=f"rendition.{FORMAT}")
    # Another size means that the file was cut off, by a full disk for example.
    if not default_storage.exists(key) or default_storage.size(key) != content.size:
        default_storage.delete(key)
        saved = default_storage.save(key, content)
        if saved != key:
            # The storage chose another name, since the key exists by now: a worker whose lease had ended was still
            # alive and has stored the same file.
            default_storage.delete(saved)
    return Rendition(quality=quality, file=key, format=FORMAT, bitrate=KBPS[quality], bytes=content.size)


def rendition_key(source: str, quality: AudioQuality) -> str:
    return f"renditions/{PurePath(source).stem}-{quality}.{FORMAT}"


@transaction.atomic
def _save_result(
    song_id: UUID | str, source: str, analysis: AudioAnalysis, renditions: Iterable[Rendition] = ()
) -> None:
    """Save the rows of a song, or discard the files if it is gone or has another audio file by now."""
    # Lock the song so that it is not deleted and its audio not replaced meanwhile. NO KEY allows concurrent plays and
    # likes, which lock it FOR KEY SHARE by their foreign keys.
    song = Song.objects.select_for_update(no_key=True).filter(pk=song_id, audio_file=source).first()
    if song is None:
        _discard_renditions(source)
        return
    analysis.song, analysis.source = song, source
    _upsert(analysis, "song")
    for rendition in renditions:
        rendition.song = song
        _upsert(rendition, "song", "quality")


def _upsert(row: AudioAnalysis | Rendition, *unique: str) -> None:
    """Insert the row, or overwrite the existing one with the same values of the unique fields."""
    names = {field.name for field in row._meta.concrete_fields} - {"id", "created_at", *unique}
    rows: Any = type(row)._default_manager
    rows.bulk_create([row], update_conflicts=True, unique_fields=unique, update_fields=sorted(names))


def _discard_renditions(source: str) -> None:
    for quality in AudioQuality:
        discard(rendition_key(source, quality))
