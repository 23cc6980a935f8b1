"""The OpenAPI document: what drf-spectacular reads from the code, and the errors that any endpoint can answer."""

from typing import Any

from drf_spectacular.openapi import AutoSchema as SpectacularSchema
from drf_spectacular.utils import OpenApiExample, extend_schema_serializer
from rest_framework import serializers
from rest_framework.permissions import SAFE_METHODS, AllowAny

from music.viewsets.base import WRITES

MEANINGS = {
    "400": "The request is not valid; `errors` names each field that is not.",
    "401": "The token is missing, has ended or was revoked.",
    "403": "Known, but not allowed.",
    "404": "There is no such thing for this caller.",
    "413": "The body is larger than 100 MB.",
    "415": "The body is of a type that is not understood.",
    "429": "Too many requests; `Retry-After` says for how many seconds to wait.",
    "503": "The database or the storage can't be reached; nothing was changed.",
}


def canonical_paths(endpoints: list[tuple], **kwargs: Any) -> list[tuple]:
    """Paths as the contract writes them: the slash at the end is accepted, not advertised."""
    return [(path.rstrip("/"), *rest) for path, *rest in endpoints]


class ErrorSerializer(serializers.Serializer):
    code = serializers.CharField(help_text="For programs.")
    detail = serializers.CharField(help_text="For people.")
    attr = serializers.CharField(allow_null=True, help_text="The field or parameter that it is about.")


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "A field that is not valid",
            {
                "type": "validation_error",
                "errors": [{"code": "required", "detail": "This field is required.", "attr": "title"}],
            },
        )
    ]
)
class ErrorAnswerSerializer(serializers.Serializer):
    type = serializers.CharField(help_text="validation_error, client_error or server_error")
    errors = ErrorSerializer(many=True)


class AutoSchema(SpectacularSchema):
    def get_response_serializers(self) -> Any:
        """What was written is answered as it is read."""
        view: Any = self.view
        if view.action in WRITES and hasattr(view, "read_serializer_class"):
            return view.read_serializer_class
        return super().get_response_serializers()

    def _get_response_bodies(self, direction: str = "response") -> dict[str, Any]:
        bodies = super()._get_response_bodies(direction)
        for status in self._possible_errors():
            described = {"description": MEANINGS[status]}
            bodies.setdefault(status, {**self._get_response_for_code(ErrorAnswerSerializer, status), **described})
        return dict(sorted(bodies.items()))

    def _possible_errors(self) -> list[str]:
        writes = self.method not in SAFE_METHODS
        answers = {
            "400": writes or bool(self._get_parameters()),
            "401": bool(self.view.authentication_classes) or writes,
            "403": any(not isinstance(permission, AllowAny) for permission in self.view.get_permissions()) or writes,
            "404": "{" in self.path,
            "413": writes,
            "415": writes,
            "429": True,
            "503": True,
        }
        return [status for status, possible in answers.items() if possible]
