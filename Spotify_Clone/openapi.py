"""The OpenAPI document: what drf-spectacular reads from the code, and the errors that any endpoint can answer."""

from typing import Any

from drf_spectacular.openapi import AutoSchema as SpectacularSchema
from drf_spectacular.plumbing import ResolvedComponent, get_doc
from drf_spectacular.utils import OpenApiExample, extend_schema_serializer
from rest_framework import serializers
from rest_framework.permissions import SAFE_METHODS

from music.permissions import IsArtist, IsArtistOrReadOnly
from music.viewsets.base import WRITES, BytesNegotiation

# Drawn anew at each request.
# Of the viewsets that answer them. What nobody may store has no ETag.
NEVER_STORED = [("song", "random"), ("profile-export", "retrieve")]

# Name and meaning of what any endpoint may answer; kept once in the document and referred to.
ERRORS = {
    "400": ("BadRequest", "The request is not valid; `errors` names each field that is not."),
    "401": ("Unauthorized", "The token is missing, has ended or was revoked."),
    "403": ("Forbidden", "Known, but not allowed."),
    "404": ("NotFound", "There is no such thing for this caller."),
    "406": ("NotAcceptable", "`Accept` asks for something that is not answered here."),
    "409": ("Conflict", "Somebody else changed the same thing at the same moment; try again."),
    "413": ("TooLarge", "The body is larger than 100 MB."),
    "415": ("UnsupportedMediaType", "The body is of a type that is not understood."),
    "429": ("TooManyRequests", "Too many requests; `Retry-After` says for how many seconds to wait."),
    "503": ("Unavailable", "The database, the storage or the payments are away or not set up; nothing was changed."),
}
TEXT = {"schema": {"type": "string"}, "required": True}
ERROR_HEADERS = {
    "401": {"WWW-Authenticate": TEXT},
    "429": {"Retry-After": {"schema": {"type": "integer", "minimum": 0}, "required": True}},
}
ETAG = {"ETag": {**TEXT, "description": "Of the answer, computed without the signatures in it."}}
IF_NONE_MATCH = {
    "name": "If-None-Match",
    "in": "header",
    "schema": {"type": "string"},
    "description": "The `ETag` of what one has already: 304 where it is still the same.",
}
UNCHANGED = {"description": "The client has this answer already (`If-None-Match`).", "headers": ETAG}


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
    type = serializers.ChoiceField(["validation_error", "client_error", "server_error"])
    errors = ErrorSerializer(many=True, allow_empty=False)


class AutoSchema(SpectacularSchema):
    def get_description(self) -> str:
        """Of the endpoint itself: what is said about a whole class is for those who read the code."""
        return get_doc(getattr(self.view, self._handler(), None))

    def get_auth(self) -> list[dict[str, Any]]:
        """Reading the catalogue needs no token, though one shows more."""
        auth = super().get_auth()
        is_open = self.method in SAFE_METHODS and IsArtistOrReadOnly in map(type, self.view.get_permissions())
        return [*auth, {}] if is_open and {} not in auth else auth

    def get_request_serializer(self) -> Any:
        """DELETE takes a body only where it says so."""
        return None if self.method == "DELETE" else super().get_request_serializer()

    def _get_request_body(self, direction: str = "request") -> dict[str, Any] | None:
        if self.method != "DELETE":
            return super()._get_request_body(direction)
        # drf-spectacular gives no body to DELETE; closing an account asks for the password.
        self.method = "POST"
        try:
            return super()._get_request_body(direction)
        finally:
            self.method = "DELETE"

    def get_response_serializers(self) -> Any:
        """What was written is answered as it is read."""
        view: Any = self.view
        if view.action in WRITES and hasattr(view, "read_serializer_class"):
            return view.read_serializer_class
        return super().get_response_serializers()

    def _resolve_path_parameters(self, variables: list[str]) -> list[dict[str, Any]]:
        parameters = super()._resolve_path_parameters(variables)
        for parameter in parameters:
            if "pattern" in parameter["schema"]:  # the router matches ids, and nothing else by a pattern
                parameter["schema"] = {"type": "string", "format": "uuid"}
        return parameters

    def _get_parameters(self) -> list[dict[str, Any]]:
        parameters = super()._get_parameters()
        return [*parameters, IF_NONE_MATCH] if self._has_etag() else parameters

    def _get_response_bodies(self, direction: str = "response") -> dict[str, Any]:
        bodies = super()._get_response_bodies(direction)
        for status, answer in bodies.items():
            if status >= "400" and not self._answers_bytes():
                answer.setdefault("content", self._error_content(status))
        if self._has_etag():
            bodies["200"].setdefault("headers", {}).update(ETAG)
            bodies["304"] = UNCHANGED
        for status in self._possible_errors():
            bodies.setdefault(status, self._error(status))
        return dict(sorted(bodies.items()))

    def _error(self, status: str) -> dict[str, str]:
        name, meaning = ERRORS[status]
        answer = {"description": meaning, "content": self._error_content(status)}
        if status in ERROR_HEADERS:
            answer["headers"] = ERROR_HEADERS[status]
        component = ResolvedComponent(name, ResolvedComponent.RESPONSE, answer, object=name)
        self.registry.register_on_missing(component)
        return component.ref

    def _error_content(self, status: str) -> dict[str, Any]:
        return self._get_response_for_code(ErrorAnswerSerializer, status)["content"]

    def _possible_errors(self) -> list[str]:
        view: Any = self.view
        writes = self.method not in SAFE_METHODS
        takes_body = self._get_request_body() is not None
        takes_query = any(parameter["in"] == "query" for parameter in self._get_parameters())
        knows_callers = bool(view.authentication_classes)
        is_for_artists = any(type(permission) is IsArtist for permission in view.get_permissions())
        answers = {
            "400": takes_body or takes_query,
            "401": knows_callers,
            "403": is_for_artists or (writes and knows_callers),  # a session without a CSRF token
            "404": "{" in self.path,
            "406": not self._answers_bytes(),
            "409": writes,
            "413": writes,
            "415": takes_body,
            "429": True,
            "503": True,
        }
        return [status for status, possible in answers.items() if possible]

    def _has_etag(self) -> bool:
        asked = (getattr(self.view, "basename", None), self._handler())
        return self.method == "GET" and not self._answers_bytes() and asked not in NEVER_STORED

    def _handler(self) -> str:
        """The name of the method that answers, in a viewset or in a plain view."""
        return getattr(self.view, "action", None) or self.method.lower()

    def _answers_bytes(self) -> bool:
        return issubclass(self.view.content_negotiation_class, BytesNegotiation)
