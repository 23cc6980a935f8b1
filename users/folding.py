"""Text as people compare it. Done in Python because SQLite's LOWER knows ASCII only."""

import re
import unicodedata
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from django.db import models
from django.utils.encoding import punycode

# Folding can lengthen a text (one "ﷺ" becomes 18 letters), and an index row has a limit.
LONGEST = 400


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


# Only Latin letters lose their marks: in other scripts they make another letter (й, ガ, Hangul).
MARKED_LATIN = re.compile("([a-z\u00c0-\u02af])[\u0300-\u036f]+")


def fold_accents(text: str) -> str:
    """As fold_case, and Latin letters without their accents: "Beyoncé" and "beyonce" are one."""
    folded = fold_case(text)
    if folded.isascii():
        return folded
    return unicodedata.normalize("NFC", MARKED_LATIN.sub(r"\1", unicodedata.normalize("NFD", folded)))[:LONGEST]


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
