from collections import Counter
from datetime import timedelta

import pytest
import time_machine
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from music.models import Ad
from music.tests.samples import audio_sample, image_sample
from music.tests.uploads import body_of, code_of, stored_files


@pytest.fixture
def make_ad(db):
    def make(name="Shoes", **fields):
        ad = Ad(name=name, link="https://shoes.example/", **fields)
        ad.audio.save("ad.mp3", ContentFile(b"0123456789"), save=False)
        ad.image.save("ad.jpg", ContentFile(image_sample()), save=False)
        ad.save()
        return ad

    return make


@pytest.fixture
def admin_pages(client, make_user):
    client.force_login(make_user("boss", is_staff=True, is_superuser=True))
    return client


@pytest.fixture
def play(make_song):
    """`play(client, times)`: play as many songs, and return the ad (or None) of each answer."""

    def plays(client, times=1):
        return [client.post(f"/api/songs/{make_song().pk}/play").json()["ad"] for _ in range(times)]

    return plays


def test_an_ad_comes_with_each_third_counted_play(api, api_as, listener, make_ad, play):
    ad = make_ad()
    shown = play(api_as(listener), 7)
    assert [bool(each) for each in shown] == [False, False, True, False, False, True, False]
    assert shown[2] == {
        "id": str(ad.pk),
        "audio": f"http://testserver/api/ads/{ad.pk}/audio",
        "image": f"http://testserver/media/{ad.image.name}",
        "link": "https://shoes.example/",
    }


def test_audio_and_image_of_an_ad_need_no_header(api, make_ad, api_as, listener, play):
    make_ad()
    *_, shown = play(api_as(listener), 3)
    whole, part = api.get(shown["audio"]), api.get(shown["audio"], HTTP_RANGE="bytes=2-4")
    assert (body_of(whole), whole["Content-Type"]) == (b"0123456789", "audio/mpeg")
    assert (part.status_code, body_of(part)) == (206, b"234")
    assert api.get(shown["image"]).status_code == 200


def test_only_counted_plays_count_towards_the_next_ad(api_as, listener, song, make_ad, play):
    make_ad()
    client = api_as(listener)
    play(client, 1)
    for _ in range(5):  # one counted play and four repeats
        assert client.post(f"/api/songs/{song.pk}/play").json()["ad"] is None
    assert play(client, 1)[0] is not None


def test_premium_listeners_get_no_ads(api_as, listener, make_ad, play, give_premium):
    make_ad()
    subscription, client = give_premium(listener), api_as(listener)
    assert play(client, 6) == [None] * 6
    subscription.status = "canceled"
    subscription.save()
    assert [bool(ad) for ad in play(client, 3)] == [False, False, True]


def test_plays_are_counted_towards_ads_for_each_listener(api_as, listener, artist, make_ad, play):
    make_ad()
    play(api_as(listener), 2)
    assert play(api_as(artist), 1) == [None]
    assert play(api_as(listener), 1) != [None]


@pytest.mark.parametrize(
    "fields",
    [
        {"is_active": False},
        {"starts": timezone.now() + timedelta(days=1)},
        {"starts": timezone.now() - timedelta(days=9), "ends": timezone.now() - timedelta(days=1)},
    ],
)
def test_an_ad_runs_between_its_dates_while_it_is_active(api_as, listener, make_ad, play, fields):
    make_ad(**fields)
    client = api_as(listener)
    assert play(client, 3) == [None] * 3
    running = make_ad("Running", starts=timezone.now() - timedelta(days=1), ends=timezone.now() + timedelta(days=1))
    assert play(client, 3)[2]["id"] == str(running.pk)


def test_an_ad_of_greater_weight_is_drawn_more_often(api_as, listener, song, make_ad):
    names = {str(make_ad("light").pk): "light", str(make_ad("heavy", weight=9).pk): "heavy"}
    client, shown = api_as(listener), Counter()
    with time_machine.travel(timezone.now(), tick=False) as clock:
        for _ in range(120):
            clock.shift(timedelta(seconds=31))
            if ad := client.post(f"/api/songs/{song.pk}/play").json()["ad"]:
                shown[names[ad["id"]]] += 1
    assert shown.total() == 40
    assert shown["heavy"] > 25 > shown["light"]


def counted(ad):
    ad.refresh_from_db()
    return ad.impressions, ad.clicks


def test_an_impression_and_a_click_count_once_for_each_time_the_ad_was_given(api, api_as, listener, make_ad, play):
    ad, client = make_ad(), api_as(listener)
    for round in (1, 2):
        play(client, 3)
        for path in ("impression", "click"):
            for _ in range(3):
                assert client.post(f"/api/ads/{ad.pk}/{path}").status_code == 204
        assert counted(ad) == (round, round)
    assert api.post(f"/api/ads/{ad.pk}/click").status_code == 401
    assert code_of(client.post(f"/api/ads/{listener.pk}/click"), 404) == ("not_found", None)


def test_impressions_may_be_sent_after_the_next_ad_was_given(api_as, listener, make_ad, play):
    ad, client = make_ad(), api_as(listener)
    play(client, 6)

    for _ in range(3):
        client.post(f"/api/ads/{ad.pk}/impression")
    client.post(f"/api/ads/{ad.pk}/click")

    assert counted(ad) == (2, 1)


def test_impressions_of_an_ad_given_to_another_listener_do_not_count(api_as, listener, artist, make_ad, play):
    ad = make_ad()
    play(api_as(artist), 3)

    for path in ("impression", "click"):
        assert api_as(listener).post(f"/api/ads/{ad.pk}/{path}").status_code == 204

    assert counted(ad) == (0, 0)


def test_clicks_on_an_ad_that_was_not_given_do_not_count(api_as, listener, make_ad, play):
    given, other, client = make_ad(), make_ad("Hats", is_active=False), api_as(listener)
    play(client, 3)

    for ad in (given, other):
        client.post(f"/api/ads/{ad.pk}/click")

    assert (counted(given), counted(other)) == ((0, 1), (0, 0))


def test_ads_cannot_be_listed_or_read(api_as, listener, make_ad):
    ad = make_ad()
    assert api_as(listener).get("/api/ads").status_code == 404
    assert api_as(listener).get(f"/api/ads/{ad.pk}").status_code == 404


def ad_form(**fields):
    return {"name": "Shoes", "weight": 2, "starts_0": "2026-01-01", "starts_1": "00:00:00", "is_active": "on", **fields}


def audio_upload(content: bytes) -> SimpleUploadedFile:
    return SimpleUploadedFile("../shoes.exe", content)


def test_an_admin_adds_an_ad_and_replaces_its_files(admin_pages):
    picture = SimpleUploadedFile("shoes.png", image_sample("PNG"))
    answer = admin_pages.post("/admin/music/ad/add/", ad_form(audio=audio_upload(audio_sample("ogg")), image=picture))
    assert answer.status_code == 302, answer.context["errors"]
    ad = Ad.objects.get()
    assert ad.audio.name.endswith(".ogg")
    assert stored_files() == {ad.audio.name, ad.image.name}
    assert admin_pages.get("/admin/music/ad/").status_code == 200

    page = f"/admin/music/ad/{ad.pk}/change/"
    assert admin_pages.get(page).status_code == 200
    assert admin_pages.post(page, ad_form(audio=audio_upload(audio_sample("mp3")))).status_code == 302
    ad = Ad.objects.get()
    assert ad.audio.name.endswith(".mp3")
    assert stored_files() == {ad.audio.name, ad.image.name}

    admin_pages.post(f"/admin/music/ad/{ad.pk}/delete/", {"post": "yes"})
    assert stored_files() == set()


def test_the_admin_refuses_a_file_that_is_not_audio(admin_pages):
    answer = admin_pages.post("/admin/music/ad/add/", ad_form(audio=audio_upload(b"no sound")))
    assert "not an audio file" in answer.content.decode()
    assert not Ad.objects.exists()
    assert stored_files() == set()
