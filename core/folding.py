"""Text as people compare it. Done in Python because SQLite's LOWER knows ASCII only."""

import re
import unicodedata
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from typing import Any

from django.db import models
from django.utils.encoding import punycode

# Folding can lengthen a text (one "ﷺ" becomes 18 letters), and an index row has a limit.
LONGEST = 400
REFOLDED_AT_ONCE = 1000


def fold_case(text: str) -> str:
    """Equal for texts that differ in case, surrounding or repeated space, or Unicode form only."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())[:LONGEST]


def fold_address(address: str) -> str:
    """Equal for e-mail addresses of one mailbox: whatever the case, the domain as its A-label, no soft hyphens.

    A-labels are those of IDNA 2003, as Django has them when it sends mail.
    """
    local, at, domain = fold_case(address.replace("\u00ad", "")).rpartition("@")
    with suppress(UnicodeError):  # no domain, and no mailbox
        domain = punycode(domain)
    return f"{local}{at}{domain}"[:LONGEST]


# Letters that Unicode does not decompose but people type without their stroke or dot, ligatures, and letters that
# keyboards of different countries write with different code points.
PLAIN_LETTERS = {
    **{"ø": "o", "ł": "l", "đ": "d", "ð": "d", "ħ": "h", "ŧ": "t", "ı": "i", "þ": "th", "æ": "ae", "œ": "oe"},
    **{"ٱ": "ا", "ى": "ي", "ی": "ي", "ک": "ك"},
}
PLAIN_SIGNS = dict.fromkeys("`’‘ʼʻ´ʹ′‛", "'") | dict.fromkeys("“”„‟″«»", '"') | dict.fromkeys("‐‑‒–—―−", "-")
PLAIN = str.maketrans(PLAIN_LETTERS | PLAIN_SIGNS)
# Marks that are accents. Any other mark makes another letter (й, ガ, Hangul) and stays.
ACCENTS = re.compile(
    "(?<=[a-z\u00c0-\u02af\u0370-\u03ff])[\u0300-\u036f]+"  # of Latin and Greek letters
    "|(?<=е)[\u0300\u0301\u0308]+|(?<=[аиоуыэюяєі])[\u0300\u0301]+"  # ё, and where a Cyrillic word is stressed
    "|[\u0591-\u05bd\u05bf-\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06ed]+"  # points
)
# Characters that nobody sees though their category is one of visible characters: variation selectors, fillers, blanks.
INVISIBLE = re.compile("[\u034f\u115f\u1160\u180b-\u180f\u2800\ufe00-\ufe0f\U000e0100-\U000e01ef]")
# Spells the flags of England, Scotland and Wales.
TAGS = re.compile("[\U000e0020-\U000e007f]")


def fold_accents(text: str) -> str:
    """Equal for texts that differ only in what fold_case ignores, in accents, in the kind of a quote or dash, or in
    characters that nobody sees: "Beyoncé" and "beyonce", "Ζορμπάς" and "ΖΟΡΜΠΑΣ", "don’t" and "don't" are one.
    """
    folded = fold_case(text)
    if not folded.isprintable() or not folded.isascii():
        visible = "".join(map(_visible, folded))
        plain = ACCENTS.sub("", unicodedata.normalize("NFD", visible))
        folded = " ".join(unicodedata.normalize("NFC", plain).split())
    return folded.translate(PLAIN)[:LONGEST]


@lru_cache(maxsize=4096)
def _visible(character: str) -> str:
    """Return the character, or nothing in the place of controls, enclosing marks and invisible characters."""
    if INVISIBLE.match(character):
        return ""
    return (
        "" if unicodedata.category(character) in ("Cc", "Cf", "Cs", "Me") and not TAGS.match(character) else character
    )


def fold_anew(model: type[models.Model]) -> None:
    """Fold the texts of all rows again, for a migration after the folding has changed."""
    fields = [field for field in model._meta.fields if isinstance(field, FoldedField)]
    rows = model._default_manager.order_by("pk")
    batch = list(rows[:REFOLDED_AT_ONCE])
    while batch:
        changed = [row for row in batch if _fold(row, fields)]
        rows.bulk_update(changed, [field.attname for field in fields])
        batch = list(rows.filter(pk__gt=batch[-1].pk)[:REFOLDED_AT_ONCE])


def _fold(row: models.Model, fields: "list[FoldedField]") -> bool:
    """Fold the row in memory, and return whether that made a difference."""
    before = [getattr(row, field.attname) for field in fields]
    return before != [field.pre_save(row, add=False) for field in fields]


class FoldedField(models.CharField):
    """Keeps the folded text of another field of its row, for unique constraints, filters and orderings."""

    def __init__(self, *args: Any, source: str = "", fold: Callable[[str], str] = fold_case, **kwargs: Any):
        self.source, self.fold = source, fold
        super().__init__(*args, **{"max_length": LONGEST, "editable": False, **kwargs})

    def deconstruct(self) -> tuple:
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, {**kwargs, "source": self.source, "fold": self.fold}

    def pre_save(self, instance: models.Model, add: bool) -> str | None:
        text = getattr(instance, self.source)
        folded = None if text is None else self.fold(text)
        setattr(instance, self.attname, folded)
        return folded
