import pytest
from django.core.cache import caches
from rest_framework.test import APIClient

pytest_plugins = ["tests.s3", "tests.stripe_server"]

PASSWORD = "long and winding road"


@pytest.fixture(autouse=True)
def outside_world(settings, tmp_path):
    """Nothing of a test outlives it or leaves the machine, and tasks run at once, all but rendering."""
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.TASKS = {"default": {"BACKEND": "tests.tasks.AtOnce", "QUEUES": []}}
    settings.ANONYMOUS_CACHE_SECONDS = 0  # tests look right after they have changed something
    settings.WHITENOISE_AUTOREFRESH = True  # else it looks for every static file anew for each client
    for kept in caches.all(initialized_only=True):
        kept.clear()


@pytest.fixture
def api():
    return APIClient()


@pytest.fixture
def api_as():
    """A client that has logged in: `api_as(listener).get(...)`."""

    def logged_in(user):
        from users.models import AuthToken

        _, token = AuthToken.objects.create(user)
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Token {token}")
        return client

    return logged_in


@pytest.fixture
def make_user(db):
    """`make_user("nina", role="artist")`: an account whose password is PASSWORD."""

    def make(username, **fields):
        from users.models import User

        return User.objects.create_user(f"{username}@example.com", username, PASSWORD, **fields)

    return make


@pytest.fixture
def listener(make_user):
    return make_user("listener")


@pytest.fixture
def artist(make_user):
    return make_user("artist", role="artist", name="The Artist")


@pytest.fixture
def other_artist(make_user):
    return make_user("other", role="artist", name="Another Artist")
