"""Normalisation of names and queries: which words a text has, and how they are spelled in the index."""

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from itertools import chain
from typing import Any

from core.folding import fold_accents

# Apostrophes are dropped ("don't" is "dont"), underscores separate words.
IGNORED_SIGNS = str.maketrans({"'": "", "_": " "})
# Signs that artists use as letters or as a word: P!nk, Ke$ha, A$AP, Tr@p, Earth, Wind & Fire, Florence + The Machine.
SIGN_READINGS: list[tuple[re.Pattern, Any]] = [
    (re.compile(r"(?<=\w)!(?=\w)"), "i"),
    (re.compile(r"(?<=\w)@(?=\w)"), "a"),
    (re.compile(r"\$(?=\$*[^\W\d])"), "s"),
    (re.compile(r"(?<=[^\W\d])\$+(?!\d)"), lambda signs: "s" * len(signs[0])),
    (re.compile(r"&|(?<=\s)\+(?=\s)|(?<=[^\W\d])\+(?=[^\W\d])"), " and "),
]
# Guns N' Roses: an "n" between other words also counts as "and".
N, AND = "n", "and"
# Leading articles of artist names in several languages. Without those that are often another word, as "den" and "as".
ARTICLES = frozenset(
    ["the", "a", "an", "le", "la", "les", "el", "los", "las", "il", "lo", "gli", "der", "die", "das", "ein", "eine"]
)
# Both engines split text at ASCII signs, so a name like "!!!" is stored in full-width forms (U+FF01 to U+FF5E).
# Folding turns full-width forms into ASCII, so no other text has them.
TO_FULL_WIDTH = {sign: sign + 0xFEE0 for sign in range(0x21, 0x7F)}
# Scripts written without spaces between words, and Hangul, whose endings are attached to words.
UNSPACED = re.compile(
    "([\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u1100-\u11ff\u3005-\u3007\u3041-\u30ff\u3130-\u318f"
    "\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff]+)"
)
# The version that a title states after the name: "(Remix)", "[Live]", "- 2011 Remaster".
APPENDIX = re.compile(r"\s+(?=[(\[~]|[-–—]\s).*", re.DOTALL)


def is_symbols(word: str) -> bool:
    return not any(map(str.isalnum, word))


@lru_cache(maxsize=4096)
def chunks(text: str) -> list[list[str]]:
    """Return the words of a text, each as a list of the parts between its signs.

    "AC/DC live" gives [["ac", "dc"], ["live"]].
    """
    plain = fold_accents(text)
    if is_symbols(plain):  # names such as "÷" and "!!!" are one word
        signs = "".join(plain.split()).translate(TO_FULL_WIDTH)
        return [[signs]] if signs else []
    found = []
    for chunk in _read_signs(text).split():
        spaced = chunk if chunk.isalnum() else "".join(c if _is_part_of_word(c) else " " for c in chunk)
        if parts := [part for part in spaced.split() if not is_symbols(part)]:
            found.append(parts)
    return found


def _read_signs(text: str) -> str:
    """Return the text without case and accents, with signs replaced by the letters or the word they are read as."""
    # A zero-width non-joiner (Persian) separates parts of a word that people type joined or apart, like a hyphen.
    text = fold_accents(text.replace("\u200c", "-")).translate(IGNORED_SIGNS)
    for sign, reading in SIGN_READINGS:
        text = sign.sub(reading, text)
    return text


def _is_part_of_word(character: str) -> bool:
    # Category M: combining vowel signs of Indic and other scripts, which are not alphanumeric.
    return character.isalnum() or unicodedata.category(character)[0] == "M"


@lru_cache(maxsize=4096)
def normalized(text: str) -> str:
    """Return the words of a name, and after " / " those of its appendix: "ignition / remix"."""
    name, appendix = (" ".join(chain.from_iterable(chunks(part))) for part in split_appendix(text))
    return f"{name} / {appendix}" if appendix else name


def squashed(text: str) -> str:
    """Return the text without spaces, so that "blink 182" equals "blink182"."""
    return text.replace(" ", "")


def split_appendix(text: str) -> tuple[str, str]:
    """Return the name and its appendix ("(Remix)", "- 2011 Remaster"), which is empty if there is none."""
    name = APPENDIX.sub("", text)
    return (name, text[len(name) :]) if name.strip() else (text, "")


def without_article(words: Sequence[str]) -> Sequence[str]:
    """Return the words without a leading article, unless the article is the only word."""
    return words[1:] if len(words) > 1 and words[0] in ARTICLES else words
