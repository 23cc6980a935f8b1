"""What is made of a recording after its upload: renditions, loudness and waveform.

Renditions are MP3 with a constant bitrate. Every browser and phone plays it, open builds without licensed decoders
too (unlike AAC), and Apple's as far back as there are players (unlike Opus). LAME needs about 3 s for four minutes at
320 kbps where ffmpeg's AAC encoder needs 20. A constant bitrate makes a time a byte, so seeking is exact, and LAME's
tag in the first frame tells players what to cut off at both ends, so the length is that of the source.
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
MAX_TURN = 100  # django-tasks knows priorities from -100 on
UNDECODABLE = "The sound can't be decoded to its end. Export it again and replace the file."
TOO_LONG = "The sound is too long to be prepared. Upload it in parts."
OUR_FAULT = "Something is wrong on our side. The song plays as it was uploaded."


def index_added_songs(songs: Iterable[Song], **kwargs: object) -> None:
    """Receiver for songs_added."""
    sources = {song: str(song.audio_file.name) for song in songs if song.audio_file}
    AudioAnalysis.objects.bulk_create(AudioAnalysis(song=song, source=source) for song, source in sources.items())
    turns = _waiting_by_artist(sources)
    for song, source in sources.items():
        turns[song.artist_id] += 1
        render_later.using(priority=-min(turns[song.artist_id], MAX_TURN)).enqueue(str(song.pk), source)


def _waiting_by_artist(songs: Iterable[Song]) -> Counter:
    """How many other songs of these artists wait for their renditions already.

    A song's turn is its place among those of its own artist, so nobody waits for another artist's second song.
    """
    artists = {song.artist_id for song in songs}
    waiting = AudioAnalysis.objects.filter(song__artist__in=artists, status=Status.PROCESSING).exclude(song__in=songs)
    return Counter(dict(waiting.values_list("song__artist").annotate(Count("pk"))))


def render_replaced_audio(song: Song, **kwargs: object) -> None:
    """Receiver for audio_replaced: what was made of the old recording goes, with its files after commit."""
    Rendition.objects.filter(song=song).delete()
    AudioAnalysis.objects.filter(song=song).delete()
    index_added_songs([song])


def keep_expected_renditions(names: frozenset[str], **kwargs: object) -> set[str]:
    """Receiver for unnamed_files_found: what a killed worker has left may be taken up by the next at any time."""
    sources = missing_renditions().values_list("audio_file", flat=True).iterator() if names else ()
    return {key for source in sources for quality in AudioQuality if (key := rendition_key(source, quality)) in names}


def missing_renditions() -> QuerySet[Song]:
    return Song.objects.exclude(audio_file="").exclude(analysis__status=Status.READY)


@retried_task(attempts=ATTEMPTS, queue_name="rendering", takes_context=True)
def render_later(context: TaskContext, song_id: str, source: str) -> None:
    try:
        render_song(song_id, source)
    except Exception:
        if context.attempt >= ATTEMPTS:
            _end(song_id, source, AudioAnalysis(status=Status.FAILED, reason=OUR_FAULT))
        raise


def render_song(song_id: UUID | str, source: str) -> None:
    """Makes what there is to make of this stored file, unless it is made already or the song has another by now."""
    song = Song.objects.filter(pk=song_id, audio_file=source).first()
    if song is None:
        _discard_renditions(source)  # of a worker that was killed while the song went
    elif not AudioAnalysis.objects.filter(song=song, source=source, status=Status.READY).exists():
        _render(song, source)


def _render(song: Song, source: str) -> None:
    wanted = [quality for quality in AudioQuality if not is_within(song.bitrate, quality)]
    with ExitStack() as open_files:
        # Files without names: a worker that is killed leaves nothing behind.
        mp3s = {quality: open_files.enter_context(tempfile.TemporaryFile()) for quality in wanted}
        upload = open_files.enter_context(tempfile.TemporaryFile())
        samples = open_files.enter_context(tempfile.TemporaryFile())
        _fetch(song, upload)
        try:
            lufs, peak = render(
                locate_audio(upload, song.audio_format).source(f"/dev/fd/{upload.fileno()}"),
                upload,
                mp3s={KBPS[quality]: file for quality, file in mp3s.items()},
                samples=samples,
            )
        except FfmpegError as error:
            reason = TOO_LONG if isinstance(error, FfmpegLimitError) else UNDECODABLE
            _end(song.pk, source, AudioAnalysis(status=Status.FAILED, reason=reason))
            return
        sound = AudioAnalysis(status=Status.READY, waveform=waveform_of(samples))
        if isfinite(peak):
            sound.lufs, sound.peak = lufs, peak
        _end(song.pk, source, sound, [_stored(source, quality, file) for quality, file in mp3s.items()])


def _fetch(song: Song, target: IO[bytes]) -> None:
    with default_storage.open(str(song.audio_file.name)) as stored:
        for chunk in stored.chunks():
            target.write(chunk)
    target.flush()


def _stored(source: str, quality: AudioQuality, file: IO[bytes]) -> Rendition:
    """Under the one key that it can have, so that whoever comes after a crash knows what was left."""
    key, content = rendition_key(source, quality), File(file, name=f"rendition.{FORMAT}")
    if not default_storage.exists(key) or default_storage.size(key) != content.size:
        default_storage.delete(key)
        saved = default_storage.save(key, content)
        if saved != key:  # a worker that was thought lost has just stored the same
            default_storage.delete(saved)
    return Rendition(quality=quality, file=key, format=FORMAT, bitrate=KBPS[quality], bytes=content.size)


def rendition_key(source: str, quality: AudioQuality) -> str:
    return f"renditions/{PurePath(source).stem}-{quality}.{FORMAT}"


@transaction.atomic
def _end(song_id: UUID | str, source: str, sound: AudioAnalysis, renditions: Iterable[Rendition] = ()) -> None:
    # Held, so that it neither goes nor gets other audio while this is written; plays and likes go on.
    song = Song.objects.select_for_update(no_key=True).filter(pk=song_id, audio_file=source).first()
    if song is None:
        _discard_renditions(source)
        return
    sound.song, sound.source = song, source
    _put(sound, "song")
    for rendition in renditions:
        rendition.song = song
        _put(rendition, "song", "quality")


def _put(row: AudioAnalysis | Rendition, *unique: str) -> None:
    """As it is, in place of the one that is there already."""
    names = {field.name for field in row._meta.concrete_fields} - {"id", "created_at", *unique}
    rows: Any = type(row)._default_manager
    rows.bulk_create([row], update_conflicts=True, unique_fields=unique, update_fields=sorted(names))


def _discard_renditions(source: str) -> None:
    for quality in AudioQuality:
        discard(rendition_key(source, quality))
