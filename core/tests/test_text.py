import pytest

from core.text import clean_text

FLAG_OF_ENGLAND = "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("  Blue  Train \n", "Blue  Train"),
        ("Jo\u0301ga", "J\u00f3ga"),
        ("\ufeffHello", "Hello"),
        ("He\ufeffllo\ufeff", "Hello"),
        ("\x07bell", "bell"),
        ("C1 \x91quoted\x92", "C1 quoted"),
        ("a\0b", "ab"),
        ("\u202egnp.exe", "gnp.exe"),
        ("\u2066isolated\u2069", "isolated"),
        ("Anna\r\nBcc: all@example.org", "Anna Bcc: all@example.org"),
        ("one\u2028two", "one two"),
        ("\u200b\u2060Title\u200b", "Title"),
        ("\u3164Title\u2800", "Title"),
    ],
)
def test_unwanted_characters_are_removed(text, cleaned):
    assert clean_text(text) == cleaned


@pytest.mark.parametrize(
    "text",
    [
        "\u2764\ufe0f",
        FLAG_OF_ENGLAND,
        "\U0001f469\u200d\U0001f3a4",
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
        "\u05d0\u200f!",
        "\u20ac\u00a5\u2020",
        "\u0e17\u0e35\u0e48",
        "\U0001fae9",
        "...",
        "10\u00a0cc",
    ],
)
def test_joiners_and_direction_marks_stay(text):
    assert clean_text(text) == text


@pytest.mark.parametrize(
    "text",
    [
        *("", "   ", "\u200b", "\u3164", "\u2800", "\ufeff", "\u00ad", "\u2063", "\u200d\u200e", "\x07", "\u0301"),
        *("\ufe0f", "\u115f\u1160", "\u034f", "\U000e0041", "\u00a0\u3000"),
    ],
)
def test_invisible_text_becomes_empty(text):
    assert clean_text(text) == ""
