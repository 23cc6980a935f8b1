"""Cleaning of names and titles, whether they come from forms, JSON or tags in files."""

import re
import unicodedata
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models

# Normalizing takes quadratic time for a run of accents, so longer texts are cut first.
MAX_LENGTH = 5000

LINE_BREAKS = re.compile("[\t-\r\x85\u2028\u2029]+")
# Controls, noncharacters, byte-order marks, and overrides of the direction of the text that follows. Direction marks
# (U+200E, U+200F) and joiners stay: Hebrew, Persian and emoji need them.
UNWANTED = re.compile("[\0-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u202a-\u202e\u2066-\u206f\ufeff\ufffe\uffff]")

# Invisible characters, most of which Unicode classes as letters or symbols.
BLANKS = "\u00ad\u115f\u1160\u180e\u200b\u2060\u2800\u3164\uffa0"
EDGES = re.compile(rf"^[\s{BLANKS}]+|[\s{BLANKS}]+$")
UNSEEN_CATEGORIES = ("Cc", "Cf", "Cs", "Mn", "Me", "Zs", "Zl", "Zp")


def clean_text(text: str) -> str:
    """Return a name or title trimmed, composed (NFC), on one line, without controls, direction overrides and byte-order
    marks. Return an empty text if nothing visible is left.
    """
    text = UNWANTED.sub("", LINE_BREAKS.sub(" ", text[:MAX_LENGTH]))
    text = EDGES.sub("", unicodedata.normalize("NFC", text))
    return text if any(map(is_visible, text)) else ""


def is_visible(character: str) -> bool:
    return (
        unicodedata.category(character) not in UNSEEN_CATEGORIES
        and character not in BLANKS
        and not "\U000e0000" <= character <= "\U000e0fff"
    )


class NameField(models.CharField):
    """CharField for names and titles, which cleans them with `clean_text`."""

    def clean(self, value: Any, model_instance: models.Model | None) -> Any:
        if isinstance(value, str) and value.strip():
            value = clean_text(value)
            if not value:
                raise ValidationError(self.error_messages["blank"], "blank")
        return super().clean(value, model_instance)

    def deconstruct(self) -> tuple:
        # Migrations see an ordinary CharField: the database has nothing to change.
        name, _, args, kwargs = super().deconstruct()
        return name, "django.db.models.CharField", args, kwargs
