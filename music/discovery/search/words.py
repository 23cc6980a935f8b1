"""Text as people search for it: what of a name is indexed, and the words that are compared."""

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from itertools import chain
from typing import Any

from core.folding import fold_accents

# What nobody types inside a word.
LEFT_OUT = str.maketrans({"'": "", "_": " "})
# P!nk, Ke$ha, A$AP, Tr@p, Earth, Wind & Fire, Florence + The Machine: signs that are read as letters or as a word.
READ_AS: list[tuple[re.Pattern, Any]] = [
    (re.compile(r"(?<=\w)!(?=\w)"), "i"),
    (re.compile(r"(?<=\w)@(?=\w)"), "a"),
    (re.compile(r"\$(?=\$*[^\W\d])"), "s"),
    (re.compile(r"(?<=[^\W\d])\$+(?!\d)"), lambda signs: "s" * len(signs[0])),
    (re.compile(r"&|(?<=\s)\+(?=\s)|(?<=[^\W\d])\+(?=[^\W\d])"), " and "),
]
# Guns N' Roses are found by both.
N, AND = "n", "and"
# In front of names of artists. Not those that often are another word, as "den" and "as".
ARTICLES = frozenset(
    ["the", "a", "an", "le", "la", "les", "el", "los", "las", "il", "lo", "gli", "der", "die", "das", "ein", "eine"]
)
# ASCII signs would be taken apart by both engines. No folded text has full-width forms, so nothing else is spelled so.
SPELLED = {sign: sign + 0xFEE0 for sign in range(0x21, 0x7F)}
# Scripts that are written without spaces between words, and Hangul, where endings cling to them.
UNSPACED = re.compile(
    "([\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u1100-\u11ff\u3005-\u3007\u3041-\u30ff\u3130-\u318f"
    "\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff]+)"
)
# What a title says after its name: "(Remix)", "[Live]", "- 2011 Remaster".
APPENDIX = re.compile(r"\s+(?=[(\[~]|[-–—]\s).*", re.DOTALL)


def folded(text: str) -> str:
    # A zero-width non-joiner stands between parts of a word, which people type together or apart.
    text = fold_accents(text.replace("\u200c", "-")).translate(LEFT_OUT)
    for sign, reading in READ_AS:
        text = sign.sub(reading, text)
    return text


def _is_of_word(character: str) -> bool:
    return character.isalnum() or unicodedata.category(character)[0] == "M"


def is_of_signs(word: str) -> bool:
    return not any(map(str.isalnum, word))


@lru_cache(maxsize=4096)
def chunks(text: str) -> list[list[str]]:
    """The words of a text. A word with signs in it is a list of its parts: "AC/DC live" is [[ac, dc], [live]]."""
    plain = fold_accents(text)
    if is_of_signs(plain):  # "÷" and "!!!" are a word too, which no letters spell
        signs = "".join(plain.split()).translate(SPELLED)
        return [[signs]] if signs else []
    found = []
    for chunk in folded(text).split():
        spaced = chunk if chunk.isalnum() else "".join(c if _is_of_word(c) else " " for c in chunk)
        if parts := [part for part in spaced.split() if not is_of_signs(part)]:
            found.append(parts)
    return found


@lru_cache(maxsize=4096)
def spoken(text: str) -> str:
    """A name as it is compared: its words, and after " / " those of its appendix: "ignition / remix"."""
    name, appendix = (" ".join(chain.from_iterable(chunks(part))) for part in without_appendix(text))
    return f"{name} / {appendix}" if appendix else name


def squashed(text: str) -> str:
    """Without any space: "blink 182" and "blink182" are one."""
    return text.replace(" ", "")


def without_appendix(text: str) -> tuple[str, str]:
    name = APPENDIX.sub("", text)
    return (name, text[len(name) :]) if name.strip() else (text, "")


def without_article(words: Sequence[str]) -> Sequence[str]:
    """The words without the article that they begin with, unless there is no other word."""
    return words[1:] if len(words) > 1 and words[0] in ARTICLES else words
