"""Folding: text without the differences that people ignore when they compare (case, accents, space).

It is done in Python because SQLite's LOWER knows ASCII only.
"""

import re
import unicodedata
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from typing import Any

from django.db import models
from django.utils.encoding import punycode

# Folding can lengthen a text (one "ﷺ" becomes 18 letters), and PostgreSQL limits the size of an index row.
LONGEST = 400
REFOLD_BATCH = 1000


def fold_case(text: str) -> str:
    """Return text that is equal for texts which differ only in case, surrounding or repeated space, or Unicode form."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())[:LONGEST]


def fold_address(address: str) -> str:
    """Return text that is equal for e-mail addresses of one mailbox.

    Case is folded, soft hyphens are removed, and the domain becomes its A-label: that of IDNA 2003, which Django uses
    when it sends mail.
    """
    local, at, domain = fold_case(address.replace("\u00ad", "")).rpartition("@")
    with suppress(UnicodeError):  # not a domain: the address is invalid, and validation refuses it
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
# Invisible characters in categories of visible ones: variation selectors, fillers, blanks.
INVISIBLE = re.compile("[\u034f\u115f\u1160\u180b-\u180f\u2800\ufe00-\ufe0f\U000e0100-\U000e01ef]")
# Spells the flags of England, Scotland and Wales.
TAGS = re.compile("[\U000e0020-\U000e007f]")


def fold_accents(text: str) -> str:
    """Return text that is equal for texts which differ only in what fold_case ignores, in accents, in the kind of a
    quote or dash, or in invisible characters.

    "Beyoncé" and "beyonce" become equal, as do "Ζορμπάς" and "ΖΟΡΜΠΑΣ", or "don’t" and "don't".
    """
    folded = fold_case(text)
    if not folded.isprintable() or not folded.isascii():
        visible = "".join(map(_visible, folded))
        plain = ACCENTS.sub("", unicodedata.normalize("NFD", visible))
        folded = " ".join(unicodedata.normalize("NFC", plain).split())
    return folded.translate(PLAIN)[:LONGEST]


@lru_cache(maxsize=4096)
def _visible(character: str) -> str:
    """Return the character, or an empty text for controls, enclosing marks and invisible characters."""
    if INVISIBLE.match(character):
        return ""
    return (
        "" if unicodedata.category(character) in ("Cc", "Cf", "Cs", "Me") and not TAGS.match(character) else character
    )


def fold_anew(model: type[models.Model]) -> None:
    """Fold the texts of all rows again. For a migration that follows a change of the folding."""
    fields = [field for field in model._meta.fields if isinstance(field, FoldedField)]
    rows = model._default_manager.order_by("pk")
    batch = list(rows[:REFOLD_BATCH])
    while batch:
        changed = []
        for row in batch:
            before = [getattr(row, field.attname) for field in fields]
            if before != [field.pre_save(row, add=False) for field in fields]:
                changed.append(row)
        rows.bulk_update(changed, [field.attname for field in fields])
        batch = list(rows.filter(pk__gt=batch[-1].pk)[:REFOLD_BATCH])


class FoldedField(models.CharField):
    """Column with the folded text of another field of its row, for unique constraints, filters and orderings."""

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
