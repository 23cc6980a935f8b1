"""Names and titles as they may be stored, whichever way they came in."""

import re
import unicodedata
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models

# Composing takes the square of a run of accents: longer texts are cut before it.
LONGEST = 5000

LINE_BREAKS = re.compile("[\t-\r\x85\u2028\u2029]+")
# Controls, noncharacters, byte-order marks, and what turns the direction of the text after it. Marks of direction
# (U+200E, U+200F) and joiners stay: Hebrew, Persian and emoji are spelled with them.
UNWANTED = re.compile("[\0-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u202a-\u202e\u2066-\u206f\ufeff\ufffe\uffff]")

# Characters that look like nothing although Unicode calls most of them letters or signs.
BLANKS = "\u00ad\u115f\u1160\u180e\u200b\u2060\u2800\u3164\uffa0"
EDGES = re.compile(rf"^[\s{BLANKS}]+|[\s{BLANKS}]+$")
UNSEEN_CATEGORIES = ("Cc", "Cf", "Cs", "Mn", "Me", "Zs", "Zl", "Zp")


def clean_text(text: str) -> str:
    """Return a name or title trimmed, composed (NFC), on one line, and without controls, direction overrides and
    byte-order marks. Return an empty text where nothing visible is left.
    """
    text = UNWANTED.sub("", LINE_BREAKS.sub(" ", text[:LONGEST]))
    text = EDGES.sub("", unicodedata.normalize("NFC", text))
    return text if any(map(is_visible, text)) else ""


def is_visible(character: str) -> bool:
    return (
        unicodedata.category(character) not in UNSEEN_CATEGORIES
        and character not in BLANKS
        and not "\U000e0000" <= character <= "\U000e0fff"
    )


class NameField(models.CharField):
    """A column of names or titles, which forms and `full_clean` store as `clean_text` returns them."""

    def clean(self, value: Any, model_instance: models.Model | None) -> Any:
        if isinstance(value, str) and value.strip():
            value = clean_text(value)
            if not value:
                raise ValidationError(self.error_messages["blank"], "blank")
        return super().clean(value, model_instance)

    def deconstruct(self) -> tuple:
        # To the database it is any column of text, so the migrations have nothing to change.
        name, _, args, kwargs = super().deconstruct()
        return name, "django.db.models.CharField", args, kwargs
