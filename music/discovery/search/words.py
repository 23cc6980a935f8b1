"""Text as people search for it: what of a name is indexed, and the words that are compared."""

import re
import unicodedata
from functools import lru_cache
from itertools import chain

from users.folding import fold_accents

# Letters that Unicode does not take apart but people type without their stroke, and signs that nobody types.
TYPED_AS = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "ħ": "h", "ı": "i", "þ": "th", "æ": "ae", "œ": "oe", "ё": "е"}
    | dict.fromkeys("'’‘ʼ`´\u0640", "")
    | {"&": " and ", "_": " "}
)
# P!nk, Ke$ha, A$AP, Tr@p: signs that stand for a letter of the word around them.
SIGNS_IN_WORDS = [(re.compile(r"(?<=\w)!(?=\w)"), "i"), (re.compile(r"(?<=\w)@(?=\w)"), "a")]
DOLLAR = re.compile(r"\$(?!\d)")
# Scripts that are written without spaces between words, and Hangul, where endings cling to them.
UNSPACED = re.compile(
    "([\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u1100-\u11ff\u3005-\u3007\u3041-\u30ff\u3130-\u318f"
    "\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff]+)"
)
# What a title says after its name: "(Remix)", "[Live]", "- 2011 Remaster".
APPENDIX = re.compile(r"\s+(?=[(\[~]|[-–—]\s).*", re.DOTALL)


@lru_cache(maxsize=1024)
def _without_mark(character: str) -> str:
    """Greek letters without their accents, Hebrew and Arabic without points; й, ガ and Hangul as they are."""
    base = unicodedata.normalize("NFD", character)[0]
    if unicodedata.name(base, "").startswith("GREEK"):
        return base
    return "" if 0x0591 <= ord(character) <= 0x0670 and unicodedata.category(character) == "Mn" else character


def folded(text: str) -> str:
    text = fold_accents(text).translate(TYPED_AS)
    if not text.isascii():
        text = "".join(map(_without_mark, text))
    for sign, letter in SIGNS_IN_WORDS:
        text = sign.sub(letter, text)
    return DOLLAR.sub("s", text)


def _is_of_word(character: str) -> bool:
    return character.isalnum() or unicodedata.category(character)[0] == "M"


@lru_cache(maxsize=4096)
def chunks(text: str) -> list[list[str]]:
    """The words of a text. A word with signs in it is a list of its parts: "AC/DC live" is [[ac, dc], [live]]."""
    found = []
    for chunk in folded(text).split():
        spaced = chunk if chunk.isalnum() else "".join(c if _is_of_word(c) else " " for c in chunk)
        if parts := spaced.split():
            found.append(parts)
    if not found and (signs := "".join(fold_accents(text).split())):
        # A name of signs alone ("÷", "!!!") is one word, spelled by its code points.
        return [["signs" + signs.encode("utf-8", "ignore").hex()[:60]]]
    return found


@lru_cache(maxsize=4096)
def spoken(text: str) -> str:
    """A name as it is compared: its words, and after " / " those of its appendix: "ignition / remix"."""
    name, appendix = (" ".join(chain.from_iterable(chunks(part))) for part in _without_appendix(text))
    return f"{name} / {appendix}" if appendix else name


def squashed(text: str) -> str:
    """Without any space: "blink 182" and "blink182" are one."""
    return text.replace(" ", "")


def _without_appendix(text: str) -> tuple[str, str]:
    name = APPENDIX.sub("", text)
    return (name, text[len(name) :]) if name.strip() else (text, "")
