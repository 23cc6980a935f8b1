"""File names of downloads."""

import re
import unicodedata
from urllib.parse import quote

from music.catalogue.models import Song

# Characters that some file system forbids (Windows is the strictest), and Unicode categories that are invisible or
# change the direction of text. DEVICES are names that Windows reserves, with any extension.
FORBIDDEN = re.compile(r'[<>:"/\\|?*]')
INVISIBLE = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
DEVICES = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])\s*(\.|$)", re.IGNORECASE)
# Most file systems allow 255 bytes, some that encrypt names 143.
NAME_BYTES = 140


def file_name(song: Song, ending: str) -> str:
    """Return "artist - title.ending", changed where needed to be valid on every file system."""
    stem = _sanitize(f"{song.artist.name} - {song.title}").encode()[: NAME_BYTES - len(ending) - 1]
    # The cut may have left a part of a character, and a space or dot at the end, which Windows removes.
    name = stem.decode(errors="ignore").rstrip(" .") or "song"
    return f"{'_' if DEVICES.match(name) else ''}{name}.{ending}"


def attachment_header(name: str) -> str:
    """Return a Content-Disposition header (RFC 6266) with the name, and an ASCII name for old clients."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    plain = re.sub(r'[%"\\]', "_", plain).strip(" ")
    if plain.startswith((".", "-")):
        plain = f"song{plain}"
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def _sanitize(text: str) -> str:
    letters = unicodedata.normalize("NFC", text)
    visible = "".join(letter for letter in letters if unicodedata.category(letter) not in INVISIBLE)
    return " ".join(FORBIDDEN.sub("_", visible).split()).strip(" .")
