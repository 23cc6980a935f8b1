"""Covers and profile pictures in the sizes of `?size=`."""

import io
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import call_command
from PIL import Image

from core.images import sizes as picture_sizes
from core.storage.sweep import Sweep
from music.models import Ad, Album
from music.tests.samples import image_sample, saved
from music.tests.uploads import body_of, send_image, stored_files
from tests.s3 import BUCKET

pytestmark = pytest.mark.django_db


def three_stripes() -> bytes:
    """Return a picture of 900 × 300 px with a red, a green and a blue square."""
    picture = Image.new("RGB", (900, 300))
    for number, color in enumerate(("red", "lime", "blue")):
        picture.paste(color, (300 * number, 0, 300 * (number + 1), 300))
    return saved(picture, "PNG")


@pytest.fixture
def cover(api_as, artist):
    """Return the address of an album's cover."""
    album = Album.objects.create(title="Album", artist=artist)
    return send_image(api_as(artist), f"/api/albums/{album.pk}", three_stripes()).data["cover_image"]


def picture_in(answer) -> Image.Image:
    return Image.open(io.BytesIO(body_of(answer)))


@pytest.mark.parametrize(("size", "side"), [(64, 64), (300, 300), (640, 300)])
def test_a_size_is_the_central_square_and_never_enlarged(api, cover, size, side):
    answer = api.get(f"{cover}?size={size}")

    assert (answer.status_code, answer["Content-Type"]) == (200, "image/jpeg")
    assert answer["Cache-Control"] == "public, max-age=31536000, immutable"
    picture = picture_in(answer)
    red, green, blue = picture.getpixel((side // 2, side // 2))
    assert picture.size == (side, side)
    assert green > 200 > 60 > max(red, blue)


def test_without_a_size_the_picture_is_sent_unchanged(api, cover):
    assert picture_in(api.get(cover)).size == (900, 300)


def test_a_transparent_picture_stays_transparent(api, api_as, artist):
    album = Album.objects.create(title="Album", artist=artist)
    see_through = saved(Image.new("RGBA", (400, 400), (255, 0, 0, 40)), "PNG")
    address = send_image(api_as(artist), f"/api/albums/{album.pk}", see_through).data["cover_image"]

    answer = api.get(f"{address}?size=64")

    assert answer["Content-Type"] == "image/png"
    assert picture_in(answer).getpixel((9, 9))[3] == 40


@pytest.mark.parametrize("size", ["65", "0", "-64", "64x64", "064", "1e2", "", "640.0", "٦٤", "640000000"])
def test_another_size_is_refused(api, cover, size):
    answer = api.get(cover, {"size": size})

    assert answer.status_code == 400
    assert answer.json()["type"] == "validation_error"
    assert answer.json()["errors"][0]["attr"] == "size"
    assert len(stored_files()) == 1


def test_a_size_of_a_missing_picture_is_404(api):
    missing = "/media/covers/00000000-0000-4000-8000-000000000000.jpg"
    assert api.get(f"{missing}?size=300").status_code == 404
    assert stored_files() == set()


def test_the_keys_of_sizes_are_no_public_addresses(api, cover):
    api.get(f"{cover}?size=64")
    assert api.get(cover.replace(".jpg", "-64.jpg")).status_code == 404


@pytest.mark.parametrize("owner", ["profile", "ad"])
def test_every_kind_of_picture_comes_in_sizes(api, api_as, listener, owner):
    if owner == "ad":
        ad = Ad(name="Shoes")
        ad.image.save("ad.jpg", ContentFile(image_sample("JPEG", (400, 400))), save=False)
        address = f"/media/{ad.image.name}"
    else:
        picture = ContentFile(image_sample("JPEG", (400, 400)), name="me.jpg")
        answer = api_as(listener).patch("/api/profile", {"profile_picture": picture}, format="multipart")
        address = answer.data["profile_picture"]

    assert picture_in(api.get(f"{address}?size=300")).size == (300, 300)


def test_simultaneous_requests_make_a_size_once(api, cover, monkeypatch):
    made = []
    square_image = picture_sizes.square_image
    monkeypatch.setattr(picture_sizes, "square_image", lambda *asked: made.append(asked) or square_image(*asked))
    name = cover.partition("/media/")[2]

    with ThreadPoolExecutor(8) as clients:
        keys = set(clients.map(lambda _: picture_sizes.ensure_size(name, 300), range(16)))
    api.get(f"{cover}?size=300")

    assert len(made) == len(keys) == 1
    assert stored_files() == {name, *keys}


def test_two_processes_that_make_the_same_size_leave_one_file(cover):
    name = cover.partition("/media/")[2]
    key = picture_sizes.ensure_size(name, 64)
    before = default_storage.open(key).read()

    picture_sizes._store(key, ContentFile(before))

    assert default_storage.open(key).read() == before
    assert stored_files() == {name, key}


def test_sizes_are_deleted_with_their_picture(api, api_as, artist, cover, django_capture_on_commit_callbacks):
    for size in (64, 300, 640):
        api.get(f"{cover}?size={size}")
    assert len(stored_files()) == 4

    with django_capture_on_commit_callbacks(execute=True):
        api_as(artist).patch(f"/api/albums/{Album.objects.get().pk}", {"cover_image": None}, format="json")

    assert stored_files() == set()
    assert api.get(f"{cover}?size=64").status_code == 404


def test_the_sweep_keeps_the_sizes_of_named_pictures(api, artist, cover):
    api.get(f"{cover}?size=64")
    assert list(Sweep().unnamed(older_than=timedelta(0))) == []

    Album.objects.update(cover_image="")
    other = Album(title="Other", artist=artist)
    other.cover_image.save("cover.jpg", ContentFile(image_sample()))
    call_command("sweep_media", older_than=0)

    assert stored_files() == {other.cover_image.name}


def test_a_size_is_stored_once_in_a_bucket_and_clients_are_redirected(api, cover, s3_server, use_store):
    use_store(s3_server)
    name = cover.partition("/media/")[2]
    original = default_storage.save(name, ContentFile(saved(Image.new("RGB", (700, 500)), "JPEG")))

    answers = [api.get(f"/media/{original}?size=300") for _ in range(2)]

    for answer in answers:
        assert answer.status_code == 302
        assert f"/{BUCKET}/{original.replace('.jpg', '-300.jpg')}?" in answer["Location"]
    with default_storage.open(original.replace(".jpg", "-300.jpg")) as stored:
        assert Image.open(stored).size == (300, 300)
    assert api.get("/media/covers/00000000-0000-4000-8000-000000000000.jpg?size=64").status_code == 404
