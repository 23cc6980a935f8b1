"""Names for files that leave us."""

import re
import unicodedata
from urllib.parse import quote

from music.catalogue.models import Song

# What some file system can't have in a name (Windows is the strictest), and what can't be seen or turns text around.
FORBIDDEN = re.compile(r'[<>:"/\\|?*]')
INVISIBLE = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
DEVICES = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])\s*(\.|$)", re.IGNORECASE)
# Most file systems hold 255 bytes; some that encrypt names hold 143.
NAME_BYTES = 140


def file_name(song: Song, ending: str) -> str:
    """Artist and title, safe in every file system."""
    stem = _safe(f"{song.artist.name} - {song.title}")
    stem = _cut(stem, NAME_BYTES - len(ending) - 1).rstrip(" .") or "song"
    return f"{'_' if DEVICES.match(stem) else ''}{stem}.{ending}"


def attachment_header(name: str) -> str:
    """A Content-Disposition (RFC 6266) that old clients understand too."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    plain = re.sub(r'[%"\\]', "_", plain).strip(" ")
    if plain.startswith((".", "-")):
        plain = f"song{plain}"
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def _safe(text: str) -> str:
    visible = (
        "" if unicodedata.category(letter) in INVISIBLE else letter for letter in unicodedata.normalize("NFC", text)
    )
    return " ".join(FORBIDDEN.sub("_", "".join(visible)).split()).strip(" .")


def _cut(text: str, size: int) -> str:
    return text.encode()[:size].decode(errors="ignore")
