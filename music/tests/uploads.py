"""Uploads as a client sends them, and what they leave in storage."""

from pathlib import Path

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile

from music.models import Song
from music.tests.samples import audio_sample


def upload(client, content: bytes | None = None, *, name: str = "song.mp3", type: str = "audio/mpeg", **fields):
    """POST /api/songs with this content; by default a small MP3 that has every tag."""
    file = SimpleUploadedFile(name, audio_sample("mp3") if content is None else content, type)
    return client.post("/api/songs", {"audio_file": file, **fields}, format="multipart")


def send_image(client, path: str, content: bytes, *, method: str = "patch", **fields):
    file = SimpleUploadedFile("cover.bin", content, "image/jpeg")
    return getattr(client, method)(path, {"cover_image": file, **fields}, format="multipart")


def browser_form(*fields: tuple[str, str], files: dict[str, tuple[bytes, bytes]]) -> dict:
    """Return arguments for a test client: the body that Chromium sends for a form, and its content type.

    `files` has the file name (as the browser writes it) and the content of each file input; UNTOUCHED for an empty one.
    """
    parts = [f'Content-Disposition: form-data; name="{name}"\r\n\r\n{value}'.encode() for name, value in fields]
    parts += [
        b'Content-Disposition: form-data; name="%s"; filename="%s"\r\nContent-Type: application/octet-stream\r\n\r\n%s'
        % (name.encode(), file_name, content)
        for name, (file_name, content) in files.items()
    ]
    boundary = "----WebKitFormBoundary7MA4YWxkTrZu0gW"
    body = b"".join(b"--%s\r\n%s\r\n" % (boundary.encode(), part) for part in parts)
    return {
        "data": body + f"--{boundary}--\r\n".encode(),
        "content_type": f"multipart/form-data; boundary={boundary}",
    }


UNTOUCHED = (b"", b"")


def give_audio(song: Song, content: bytes = b"0123456789", audio_format: str = "mp3") -> Song:
    """Store a file as the song's audio, without the cost of an upload."""
    song.audio_format, song.audio_bytes = audio_format, len(content)
    song.audio_file.save(f"audio.{audio_format}", ContentFile(content))
    return song


def stored_files() -> set[str]:
    """Return the keys of all files in the local storage."""
    root = Path(settings.MEDIA_ROOT)
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}


def body_of(response) -> bytes:
    return b"".join(response.streaming_content)


def code_of(response, status: int = 400) -> tuple[str, str | None]:
    """Return (code, attr) of the response's only error, after checking its status."""
    assert response.status_code == status, response.content
    (error,) = response.json()["errors"]
    return error["code"], error["attr"]
