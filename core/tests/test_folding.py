from importlib import import_module

import pytest
from django.apps import apps
from django.db import connection

from core.folding import fold_accents, fold_address, fold_anew, fold_case
from users.models import User
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
def test_folding_ignores_case_space_and_unicode_form(one, other):
    assert fold_case(one) == fold_case(other)


@pytest.mark.parametrize(("one", "other"), [("nina", "nína"), ("Шостакович", "Шостаковиц"), ("a b", "ab")])
def test_folding_keeps_different_letters_apart(one, other):
    assert fold_case(one) != fold_case(other)


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Beyoncé", "beyonce"),
        ("Sigur Rós", "sigur ros"),
        ("Spin\u0308al Tap", "spinal tap"),  # no single code point is n with this mark
        ("Tiếng Việt", "tieng viet"),
        ("Ǿ", "o"),
        ("Dvořák", "dvorak"),
        ("Đorđe", "dorde"),
        ("İBRAHİM TATLISES", "ibrahim tatlises"),
        ("İbrahim Tatlıses", "ibrahim tatlises"),
        ("Ζορμπάς", "ζορμπασ"),
        ("ΖΟΡΜΠΑΣ", "ζορμπασ"),
        ("Алёна Апина", "алена апина"),
        ("за́мок", "замок"),
        ("שָׁלוֹם", "שלום"),
        ("أُغْنِيَة", "اغنية"),
        ("ﾊﾞﾝﾄﾞ", "バンド"),
        ("\u1112\u1161\u11ab", "한"),
        ("Don’t", "don't"),
        ("❤\ufe0f\u200d🔥", "❤🔥"),
        ("soft\u00adhyphen\u200b\x07", "softhyphen"),
        ("Чайковский", "чайковский"),
        ("Їжак ў", "їжак ў"),
        ("ガール", "ガール"),
        ("한글", "한글"),
    ],
)
def test_accents_are_folded_and_marks_that_make_letters_stay(text, folded):
    assert fold_accents(text) == folded


@pytest.mark.parametrize("fold", [fold_case, fold_accents])
@pytest.mark.parametrize("text", ["", " ", "Beyoncé", "ﷺ", "İstanbul", "ガ", "e\u0301\u0301"])
def test_folding_twice_changes_nothing(fold, text):
    assert fold(fold(text)) == fold(text)


@pytest.mark.django_db
def test_a_text_that_grows_when_folded_fits_its_column(make_user):
    user = make_user("nina", name="㍍" * 200)

    assert len(user.name_folded) == 400


def test_no_letter_is_another_one_in_upper_case():
    letters = [chr(code) for code in range(0x20000) if not 0xD800 <= code < 0xE000]
    folded = {letter: fold_accents(letter) for letter in letters}
    assert [letter for letter in letters if fold_accents(letter.upper()) != folded[letter]] == []
    assert [letter for letter in letters if fold_accents(folded[letter]) != folded[letter]] == []


def test_texts_from_before_are_folded_anew(make_user):
    for number in range(3):
        make_user(f"user{number}", name=f"Алёна {number}")
    User.objects.filter(username="user1").update(name_folded="алёна 1")

    fold_anew(User)

    assert sorted(User.objects.values_list("name_folded", flat=True)) == ["алена 0", "алена 1", "алена 2"]


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
def test_a_username_can_be_made_of_any_text(text, username):
    assert username_base(text) == username


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("nina@m\u00fcnchen.example", "nina@xn--mnchen-3ya.example"),
        ("nina@M\u00dcNCHEN.example", "nina@mu\u0308nchen.EXAMPLE"),
        ("nina@example.org\u00ad", "nina@example.org"),
        ("ni\u00adna@exam\u00adple.org", "nina@example.org"),
        ("nina@example\u3002org", "nina@example.org"),
        ("nina@\u043f\u043e\u0447\u0442\u0430.example", "nina@xn--80a1acny.example"),
    ],
)
def test_addresses_of_one_mailbox_are_equal(one, other):
    assert fold_address(one) == fold_address(other)


@pytest.mark.parametrize(
    "address",
    ["", "@", "nina", "nina@", "nina@.", "a@" + "\u00fc." * 200, "a@" + "\u00fc" * 500, "a@\ud800", "a@xn--\u00fc"],
)
def test_an_invalid_address_can_be_folded(address):
    assert len(fold_address(address)) <= 400


@pytest.mark.django_db
def test_the_migration_gives_known_addresses_their_new_keys(make_user):
    fold_addresses = import_module("users.migrations.0005_addresses_by_a_label").fold_addresses
    nina, other, third = make_user("nina"), make_user("other"), make_user("third")
    for user, domain in (
        (nina, "m\u00fcnchen.example"),
        (other, "xn--mnchen-3ya.example"),
        (third, "k\u00f6ln.example"),
    ):
        User.objects.filter(pk=user.pk).update(email=f"a@{domain}", email_key=f"a@{domain}")

    fold_addresses(apps, connection.schema_editor())

    keys = dict(User.objects.values_list("username", "email_key"))
    # The mailbox has an account with its new key already.
    assert keys == {
        "nina": "a@m\u00fcnchen.example",
        "other": "a@xn--mnchen-3ya.example",
        "third": "a@xn--kln-sna.example",
    }
