"""Every resource of the API on one screen."""

from collections.abc import Callable
from typing import Any

from django.urls import URLPattern, reverse
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import APIRootView, DefaultRouter, Route
from rest_framework.viewsets import ViewSetMixin

from music.advertising.api.viewset import AdViewSet
from music.api.albums import AlbumViewSet
from music.api.artists import ArtistViewSet
from music.api.songs import SongViewSet
from music.catalogue.api.genres import GenreViewSet
from payments.api.viewsets import MemberViewSet, StripeViewSet, SubscriptionViewSet
from Spotify_Clone.account.export import ExportViewSet
from Spotify_Clone.account.profile import ProfileViewSet
from users.api.viewsets import (
    AccountViewSet,
    EmailViewSet,
    LoginViewSet,
    LogoutViewSet,
    PasswordViewSet,
    SessionViewSet,
)


class MusicAPI(APIRootView):
    """List the addresses of the API without an id, and those of the docs, which describe all others too."""

    name = "Music API"

    def get(self, request: Request) -> Response:
        paths = [reverse(name) for name in [*(self.api_root_dict or {}), "docs", "redoc", "schema"]]
        return Response({path.removeprefix("/api/"): request.build_absolute_uri(path) for path in paths})


class Router(DefaultRouter):
    """Router with an optional slash at the end. A viewset with `is_single` is one object, without an id."""

    include_format_suffixes = False
    include_root_view = False  # urls.py has a route for it, with and without the slash
    single = Route(
        url=r"^{prefix}{trailing_slash}$",
        mapping={"get": "retrieve", "put": "update", "patch": "partial_update", "delete": "destroy"},
        name="{basename}-detail",
        detail=True,
        initkwargs={},
    )

    def __init__(self) -> None:
        super().__init__()
        self.trailing_slash = "/?"

    def get_api_root_view(self, api_urls: Any = None) -> Callable:
        without_id = [url for url in self.urls if isinstance(url, URLPattern) and not url.pattern.regex.groups]
        return MusicAPI.as_view(api_root_dict={url.name: url.name for url in without_id})

    def get_routes(self, viewset: type[ViewSetMixin]) -> list[Route]:
        return [self.single] if getattr(viewset, "is_single", False) else super().get_routes(viewset)


router = Router()
# The most requested come first: Django tries the patterns in order.
router.register("songs", SongViewSet, "song")
router.register("albums", AlbumViewSet, "album")
router.register("genres", GenreViewSet, "genre")
router.register("artists", ArtistViewSet, "artist")
router.register("users", AccountViewSet, "user")
router.register("login", LoginViewSet, "login")
router.register("logout", LogoutViewSet, "logout")
router.register("password", PasswordViewSet, "password")
router.register("email", EmailViewSet, "email")
router.register("sessions", SessionViewSet, "session")
router.register("profile/export", ExportViewSet, "profile-export")
router.register("profile", ProfileViewSet, "profile")
router.register("ads", AdViewSet, "ad")
router.register("subscriptions/members", MemberViewSet, "member")
router.register("subscriptions", SubscriptionViewSet, "subscription")
router.register("stripe", StripeViewSet, "stripe")
