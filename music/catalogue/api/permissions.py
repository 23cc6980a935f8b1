from typing import Any

from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request


class IsArtist(BasePermission):
    message = "Only artists may do this. Change your role to artist in your profile."

    def has_permission(self, request: Request, view: Any) -> bool:
        return bool(request.user.is_authenticated and request.user.is_artist)


class IsArtistOrReadOnly(IsArtist):
    """Artists may create; owners may change and delete; everyone may read."""

    def has_permission(self, request: Request, view: Any) -> bool:
        if request.method in SAFE_METHODS:
            return True
        # For a single object has_object_permission decides, after the lookup: an unknown id is a 404, not a 403.
        return super().has_permission(request, view) or bool(view.detail and request.user.is_authenticated)

    def has_object_permission(self, request: Request, view: Any, obj: Any) -> bool:
        return request.method in SAFE_METHODS or view.owner_id_of(obj) == request.user.pk
