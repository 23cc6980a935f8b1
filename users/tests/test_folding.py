import pytest

from users.folding import fold_accents, fold_case
from users.registration import username_base


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Nina", "nINA"),
        ("  Nina   Simone ", "nina simone"),
        ("STRASSE", "straße"),
        ("ÜNAL", "ünal"),
        ("ＮＩＮＡ", "nina"),
        ("Beyonc\u00e9", "Beyonce\u0301"),
        ("ΟΔΟΣ", "οδος"),
        ("a\u00a0b", "A B"),
    ],
)
def test_case_space_and_unicode_form_do_not_count(one, other):
    assert fold_case(one) == fold_case(other)


@pytest.mark.parametrize(("one", "other"), [("nina", "nína"), ("Шостакович", "Шостаковиц"), ("a b", "ab")])
def test_other_letters_count(one, other):
    assert fold_case(one) != fold_case(other)


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Beyoncé", "beyonce"),
        ("Sigur Rós", "sigur ros"),
        ("Spin\u0308al Tap", "spinal tap"),  # no code point has n and this mark together
        ("Tiếng Việt", "tieng viet"),
        ("Ǿ", "ø"),
        ("Dvořák", "dvorak"),
        ("Đorđe", "đorđe"),  # a letter of its own, not one with a mark
        ("Чайковский", "чайковский"),
        ("ガール", "ガール"),
        ("한글", "한글"),
    ],
)
def test_only_latin_letters_lose_their_marks(text, folded):
    assert fold_accents(text) == folded


@pytest.mark.parametrize("fold", [fold_case, fold_accents])
@pytest.mark.parametrize("text", ["", " ", "Beyoncé", "ﷺ", "İstanbul", "ガ", "e\u0301\u0301"])
def test_what_is_folded_stays_so(fold, text):
    assert fold(fold(text)) == fold(text)


@pytest.mark.django_db
def test_a_text_that_grows_when_folded_still_fits_its_row(make_user):
    user = make_user("nina", name="ﷺ" * 200)

    assert len(user.name_folded) == 400


@pytest.mark.parametrize(
    ("text", "username"),
    [
        ("Beyoncé Knowles", "beyonce.knowles"),
        ("AC/DC", "ac.dc"),
        ("..", "listener"),
        ("宇多田", "listener"),
        ("x" * 300, "x" * 100),
    ],
)
def test_a_username_is_made_of_any_text(text, username):
    assert username_base(text) == username
