"""Parser of release dates in the many spellings of shops, rippers and people."""

import re
import unicodedata
from collections.abc import Iterable
from datetime import date
from itertools import chain

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
MONTH = (
    r"\b(?P<month>jan(?=uary|\b)|feb(?=ruary|\b)|mar(?=ch|\b)|apr(?=il|\b)|may\b|jun(?=e?\b)|jul(?=y?\b)|aug(?=ust|\b)"
    r"|sep(?=tember|t?\b)|oct(?=ober|\b)|nov(?=ember|\b)|dec(?=ember|\b))[a-z]*\b\.?"
)
YEAR, DAY = r"(?P<year>[12][0-9]{3})", r"(?P<day>[0-3]?[0-9])(?:st|nd|rd|th)?"
# Separators of year, month and day. The Chinese, Japanese and Korean characters stand behind a number each.
BETWEEN = r"\s*[-./\s_:年月년월]\s*"
START, END = r"(?<![0-9])", r"(?![0-9])"

YEAR_FIRST = re.compile(rf"{START}{YEAR}{BETWEEN}(?P<month>[01]?[0-9])(?:{BETWEEN}(?P<day>[0-3]?[0-9]))?{END}")
COMPACT = re.compile(rf"{START}{YEAR}(?P<month>[01][0-9])(?P<day>[0-3][0-9])?(?:t[0-9:z]*)?{END}")
DAY_FIRST = re.compile(
    rf"{START}(?P<first>[0-3]?[0-9])(?P<sign>[-./\s])\s*(?P<second>[0-3]?[0-9])[-./\s]\s*{YEAR}{END}"
)
MONTH_FIRST = re.compile(rf"{START}(?P<month>[01]?[0-9])[-./]{YEAR}{END}")
WORDS = (
    re.compile(rf"{START}{DAY}[-\s.,]*(?:of\s+)?{MONTH}[-\s,/']*{YEAR}{END}"),
    re.compile(rf"{MONTH}[-\s]*{DAY}[-\s,]+(?:[0-9:]{{5,8}}\s+(?:[a-z]+\s+)?)?{YEAR}{END}"),
    re.compile(rf"{START}{YEAR}[-\s,/]*{MONTH}(?:[-\s]*{DAY})?{END}"),
    re.compile(rf"{MONTH}[-\s,/']*{YEAR}{END}"),
)
YEAR_ALONE = re.compile(rf"{START}{YEAR}{END}")


def first_date(texts: Iterable[str]) -> date | None:
    """Return the date in the first text that has one (see `read_date`)."""
    return next(filter(None, map(read_date, texts)), None)


def read_date(text: str) -> date | None:
    """Return the date in a text, or None.

    The first day of the month or year if the text has no more; 1 January if it has an impossible day or month.
    """
    plain = unicodedata.normalize("NFKC", text[:200]).lower().strip()
    for month, day, year in chain(_dates_in_words(plain), _dates_in_digits(plain)):
        try:
            return date(year, month or 1, (month and day) or 1)
        except ValueError:
            continue
    found = YEAR_ALONE.search(plain) or re.search(YEAR, plain)
    return date(int(found["year"]), 1, 1) if found else None


def _dates_in_digits(text: str) -> Iterable[tuple[int, int, int]]:
    """Yield possible readings as month, day, year; a day of 0 is missing."""
    for pattern in (YEAR_FIRST, COMPACT):
        if found := pattern.search(text):
            yield int(found["month"]), int(found["day"] or 0), int(found["year"])
    if found := DAY_FIRST.search(text):
        first, second, year = int(found["first"]), int(found["second"]), int(found["year"])
        # 12/5/1997 is in May in London and in December in New York, so such a date is read as its year only. With dots
        # and hyphens the day comes first everywhere.
        if first > 12 or first == second or found["sign"] != "/":
            yield (second, first, year) if second <= 12 else (first, second, year)
        elif second > 12:
            yield first, second, year
    elif found := MONTH_FIRST.search(text):
        yield int(found["month"]), 0, int(found["year"])


def _dates_in_words(text: str) -> Iterable[tuple[int, int, int]]:
    """Yield possible readings of texts with the name of a month, as month, day, year; a day of 0 is missing."""
    for pattern in WORDS:
        if found := pattern.search(text):
            groups = found.groupdict()
            yield MONTHS.index(found["month"]) + 1, int(groups.get("day") or 0), int(found["year"])
