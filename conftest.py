import pytest
from django.core.cache import caches
from rest_framework.test import APIClient

pytest_plugins = ["tests.s3", "tests.stripe_server", "music.tests.fixtures"]

PASSWORD = "long and winding road"


@pytest.fixture(autouse=True)
def outside_world(settings, tmp_path):
    """Isolate a test: temporary media, empty caches, and tasks that run when they are enqueued, except rendering."""
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.TASKS = {"default": {"BACKEND": "tests.tasks.AtOnce", "QUEUES": []}}
    settings.ANONYMOUS_CACHE_SECONDS = 0  # tests read right after they write
    settings.WHITENOISE_AUTOREFRESH = True  # otherwise each new client scans all static files
    for cache in caches.all(initialized_only=True):
        cache.clear()


@pytest.fixture
def api():
    return APIClient()


@pytest.fixture
def api_as():
    """Return a function that makes an authenticated client: `api_as(listener).get(...)`."""

    def logged_in(user):
        from users.models import AuthToken

        _, token = AuthToken.objects.create(user)
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Token {token}")
        return client

    return logged_in


@pytest.fixture
def make_user(db):
    """Return a function that creates an account with PASSWORD: `make_user("nina", role="artist")`."""

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
