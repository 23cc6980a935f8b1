"""Public names, which never are e-mail addresses, however they were set."""

from importlib import import_module
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.db import connection
from django.urls import reverse

from conftest import PASSWORD
from users.models import User
from users.tests.test_user_admin import NEW

pytestmark = pytest.mark.django_db

migration = import_module("users.migrations.0006_names_without_addresses")


def registered(api, **fields):
    answer = api.post("/api/users", {"email": "nina@example.com", "password": NEW, **fields})
    assert answer.status_code == 201, answer.json()
    return answer.json()["user"]


@pytest.mark.parametrize(
    ("fields", "username", "name"),
    [
        ({}, "nina", "nina"),
        ({"username": "nina@example.com"}, "nina@example.com", "nina"),
        ({"name": "nina@example.com"}, "nina", "nina"),
        ({"name": "Nina @ home"}, "nina", "Nina @ home"),
        ({"name": "M@TT"}, "nina", "M@TT"),
    ],
)
def test_the_default_name_is_not_an_address(api, fields, username, name):
    user = registered(api, **fields)

    assert (user["username"], user["name"]) == (username, name)


def test_a_name_cannot_be_changed_to_an_address(api_as, listener):
    answer = api_as(listener).patch("/api/profile", {"name": listener.email})

    assert answer.json()["user"]["name"] == "listener"


def test_the_name_of_a_superuser_is_not_an_address(db):
    assert User.objects.create_superuser("boss@example.com", "boss@example.com", PASSWORD).name == "boss"


def test_the_name_of_an_account_created_in_the_admin_is_not_an_address(client, make_user):
    client.force_login(make_user("boss", is_staff=True, is_superuser=True))
    form = {
        "email": "nina@example.com",
        "username": "nina@example.com",
        "name": "",
        "role": "artist",
        "password1": NEW,
        "password2": NEW,
        "usable_password": "true",
    }

    assert client.post(reverse("admin:users_user_add"), form).status_code == 302

    assert User.objects.get(email="nina@example.com").name == "nina"


def test_the_migration_cuts_names_that_are_addresses(api, artist, other_artist):
    User.objects.filter(pk=artist.pk).update(name="Artist@Example.com", name_folded="artist@example.com")
    imported = User.objects.create_user(None, "imported", role="artist")
    User.objects.filter(pk=imported.pk).update(name="hello@club.com", name_folded="hello@club.com")

    migration.cut_addresses(apps, SimpleNamespace(connection=connection))

    artist.refresh_from_db()
    assert (artist.name, artist.name_folded) == ("Artist", "artist")
    names = {row["name"] for row in api.get("/api/artists").json()["results"]}
    assert names == {"Artist", "Another Artist", "hello@club.com"}
