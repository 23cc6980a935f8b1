"""Generation of the OpenAPI document: drf-spectacular's, with the texts of `reference.py` and the project's errors."""

from copy import deepcopy
from typing import Any

from drf_spectacular.drainage import warn
from drf_spectacular.openapi import AutoSchema as SpectacularSchema
from drf_spectacular.plumbing import ResolvedComponent, force_instance
from rest_framework import serializers
from rest_framework.permissions import SAFE_METHODS

from music.api.base import WRITES, BytesNegotiation
from music.catalogue.api.permissions import IsArtist, IsArtistOrReadOnly
from Spotify_Clone.openapi.examples import ANSWERS, BODIES, FORM_FILE
from Spotify_Clone.openapi.reference import FIELDS, OPERATIONS, PARAMETERS, PROBLEMS, Operation, Problem

# Basename and action of the views without an ETag: random songs differ each time, the export may not be stored.
WITHOUT_ETAG = [("song", "random"), ("profile-export", "retrieve")]

JSON = "application/json"
FORM = "multipart/form-data"

# For each status that many operations share: the name of its component, its description, and the problems (keys of
# PROBLEMS) that are its examples.
ERRORS = {
    "400": (
        "BadRequest",
        "The request is not valid; `errors` names each field that is not.",
        ["required", "invalid", "parse_error"],
    ),
    "401": (
        "Unauthorized",
        "The token is missing, wrong, or has ended.",
        ["not_authenticated", "authentication_failed"],
    ),
    "403": ("Forbidden", "The caller is known, but not allowed to do this.", ["permission_denied"]),
    "404": ("NotFound", "There is no such object for this caller.", ["not_found"]),
    "406": ("NotAcceptable", "`Accept` asks for a type that is not answered here.", ["not_acceptable"]),
    "409": ("Conflict", "Another request changed the same thing at the same moment; try again.", ["conflict"]),
    "411": ("LengthRequired", "The body came without a `Content-Length`.", ["length_required"]),
    "413": ("TooLarge", "The body is larger than 100 MB.", ["body_too_large"]),
    "415": ("UnsupportedMediaType", "The body is of a type that is not understood.", ["unsupported_media_type"]),
    "429": ("TooManyRequests", "Too many requests; `Retry-After` says for how many seconds to wait.", ["throttled"]),
    "502": ("PaymentsFailed", "Stripe can't be reached; nothing was changed.", ["payments_failed"]),
    "503": (
        "Unavailable",
        "The database or the storage can't be reached; nothing was changed.",
        ["database_unavailable", "storage_unavailable"],
    ),
}
TEXT = {"schema": {"type": "string"}, "required": True}
SECONDS = {"schema": {"type": "integer", "minimum": 0}, "required": True}
ERROR_HEADERS = {
    "401": {"WWW-Authenticate": {**TEXT, "description": "The scheme to send: `Token`."}},
    "429": {"Retry-After": {**SECONDS, "description": "Seconds to wait."}},
}
ETAG = {"ETag": {**TEXT, "description": "Identifies this answer; send it as `If-None-Match`."}}
IF_NONE_MATCH = {"name": "If-None-Match", "in": "header", "schema": {"type": "string"}}
# A parameter of all writing operations. openapi-python-client needs it too: it generates broken code for an operation
# whose only argument is a required body of two types.
REQUEST_ID = {
    "name": "X-Request-ID",
    "in": "header",
    "schema": {"type": "string", "pattern": "^[A-Za-z0-9_.-]{8,64}$"},
}
UNCHANGED = {"description": "The client has this answer already (`If-None-Match`).", "headers": ETAG}
MEANINGS = {
    "200": "Done.",
    "201": "Created.",
    "202": "Accepted.",
    "204": "Done; there is no body.",
}

# A picture in a JSON body: only null. Not as `enum` of null, which openapi-fetch takes for a field that is never sent.
NO_PICTURE = {
    "type": "string",
    "nullable": True,
    "maxLength": 0,
    "description": "null removes the picture. Send a new one with a form.",
}

# Names of schemas whose serializer's name says too little.
SCHEMA_NAMES = {
    "AlbumNameSerializer": "AlbumSummary",
    "ArtistNameSerializer": "ArtistSummary",
    "CollectedAlbumSerializer": "LibraryAlbum",
    "CollectedSongSerializer": "LibrarySong",
    "ErrorAnswerSerializer": "ErrorResponse",
    "ErrorSerializer": "ErrorDetail",
    "FeaturesSerializer": "PlanFeatures",
    "MemberNameSerializer": "MemberSummary",
    "MemberSerializer": "PlanMember",
    "PageURLSerializer": "HostedPage",
    "PlaySerializer": "Playback",
    "ReasonSerializer": "RecommendationReason",
    "SearchAnswerSerializer": "SearchResults",
    "SignedInSerializer": "AccountWithToken",
    "SkipSerializer": "SkipAllowance",
    "SongNameSerializer": "SongSummary",
    "SubscribedSerializer": "SubscribeResult",
    "TokenSerializer": "NewToken",
}


def canonical_paths(endpoints: list[tuple], **kwargs: Any) -> list[tuple]:
    """Remove the slash at the end of paths, which the API accepts but does not document."""
    return [(path.rstrip("/"), *rest) for path, *rest in endpoints]


def reading_order(endpoint: tuple) -> tuple:
    """Sort operations in the order of the reference, those that it lacks last."""
    path, _, method, _ = endpoint
    keys = list(OPERATIONS)
    key = f"{method} {path.rstrip('/').replace('{pk}', '{id}')}"
    return (keys.index(key) if key in keys else len(keys), path, method)


def tidy_components(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """Describe fields, drop unused schemas, and drop `readOnly` and `writeOnly`.

    Requests and answers have schemas of their own (COMPONENT_SPLIT_REQUEST), so a direction says nothing more.
    """
    schemas = result["components"]["schemas"]
    for schema in schemas.values():
        for name, field in schema.get("properties", {}).items():
            for mark in ("readOnly", "writeOnly", "title"):
                field.pop(mark, None)
            if name in FIELDS and field.get("type"):  # a $ref allows no description beside it
                field["description"] = FIELDS[name]
    while unused := schemas.keys() - references_in(result):
        for name in unused:
            del schemas[name]
    return result


def references_in(part: Any) -> set[str]:
    """Return the names of all components that a part of the document refers to."""
    if isinstance(part, dict):
        own = {part["$ref"].rpartition("/")[2]} if isinstance(part.get("$ref"), str) else set()
        return own.union(*map(references_in, part.values()))
    return set().union(*map(references_in, part)) if isinstance(part, list) else set()


class ErrorSerializer(serializers.Serializer):
    code = serializers.CharField(help_text="For programs; it never changes.")
    detail = serializers.CharField(help_text="For people.")
    attr = serializers.CharField(allow_null=True, help_text="The field or parameter, or null.")


class ErrorAnswerSerializer(serializers.Serializer):
    type = serializers.ChoiceField(["validation_error", "client_error", "server_error"])
    errors = ErrorSerializer(many=True, allow_empty=False)


class AutoSchema(SpectacularSchema):
    @property
    def documented(self) -> Operation:
        try:
            return OPERATIONS[f"{self.method} {self.path}"]
        except KeyError:
            warn(f"{self.method} {self.path} has no row in Spotify_Clone/openapi/reference.py.")
            return Operation(super().get_operation_id(), super().get_tags()[0], "", "")

    def get_operation_id(self) -> str:
        return self.documented.id

    def get_tags(self) -> list[str]:
        return [self.documented.tag]

    def get_summary(self) -> str:
        return self.documented.summary

    def get_description(self) -> str:
        return self.documented.description

    def get_auth(self) -> list[dict[str, Any]]:
        """Return the authentication schemes: optional for reading the catalogue, none for logging in."""
        if not self.view.authentication_classes:
            return []
        auth = super().get_auth()
        is_open = self.method in SAFE_METHODS and IsArtistOrReadOnly in map(type, self.view.get_permissions())
        return [*auth, {}] if is_open and {} not in auth else auth

    # Schemas

    def get_serializer_name(self, serializer: serializers.BaseSerializer, direction: Any) -> str:
        name = type(serializer).__name__
        return SCHEMA_NAMES.get(name, name)

    def get_paginated_name(self, serializer_name: str) -> str:
        return f"{serializer_name}Page"

    def _map_basic_serializer(self, serializer: Any, direction: Any) -> dict[str, Any]:
        """Drop the docstring, which is for readers of the code, and mark all fields of an answer as required."""
        schema = super()._map_basic_serializer(serializer, direction)
        schema.pop("description", None)
        if direction == "response" and schema.get("properties"):
            optional = getattr(serializer, "optional_in_answers", ())
            schema["required"] = sorted(name for name in schema["properties"] if name not in optional)
        return schema

    # Requests

    def get_request_serializer(self) -> Any:
        """Return None for DELETE. `extend_schema(request=…)` replaces this method, and so can give it a body."""
        return None if self.view.request.method == "DELETE" else super().get_request_serializer()

    def _get_request_body(self, direction: Any = "request") -> dict[str, Any] | None:
        """Describe the JSON body and, if it has a file, the form; the form alone if the file is required."""
        if self.method in SAFE_METHODS:
            return None
        serializer = force_instance(self.get_request_serializer())
        if not isinstance(serializer, serializers.Serializer):
            return super()._get_request_body(direction)
        schema = self._with_required(self._map_serializer(serializer, "request"))
        if not schema.get("properties"):
            return None
        files = [name for name, field in serializer.fields.items() if isinstance(field, serializers.FileField)]
        schemas = {FORM: as_form(schema)} if files else {}
        if not set(files) & set(schema.get("required", ())):
            schemas[JSON] = self._as_json(schema, files)
        return {
            "content": {media_type: self._content(media_type, schema) for media_type, schema in schemas.items()},
            **({"required": True} if all(schema.get("required") for schema in schemas.values()) else {}),
        }

    def _with_required(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Require only the title for PUT, if there is one, and nothing for PATCH. Neither accepts an empty title."""
        schema = deepcopy(schema)
        if self.method == "POST" or self.method == "DELETE":
            return schema
        properties = schema["properties"]
        schema["required"] = ["title"] if self.method == "PUT" and "title" in properties else []
        if "title" in properties:
            properties["title"]["minLength"] = 1
        return schema

    def _as_json(self, schema: dict[str, Any], files: list[str]) -> dict[str, Any]:
        """Return the schema without files, except for the null that removes one."""
        schema = deepcopy(schema)
        for name in files:
            file = schema["properties"].pop(name)
            if file.get("nullable") and self.method != "POST":
                schema["properties"][name] = dict(NO_PICTURE)
        for name in self.documented.needed_in_json:
            field = schema["properties"][name]
            schema["properties"][name] = field.get("oneOf", [field])[0]  # drop the alternative of an empty text
        schema["required"] = sorted({*schema.get("required", ()), *self.documented.needed_in_json})
        return schema

    def _content(self, media_type: str, schema: dict[str, Any]) -> dict[str, Any]:
        operation = self.documented.id
        name = operation[0].upper() + operation[1:] + ("Form" if media_type == FORM else "Request")
        if not schema["required"]:
            del schema["required"]
        component = ResolvedComponent(name, ResolvedComponent.SCHEMA, schema, object=name)
        self.registry.register_on_missing(component)
        content = {"schema": component.ref}
        if operation in BODIES:
            sent = BODIES[operation].items()
            content["example"] = {key: value for key, value in sent if media_type == FORM or value != FORM_FILE}
        return content

    # Parameters

    def _resolve_path_parameters(self, variables: list[str]) -> list[dict[str, Any]]:
        parameters = super()._resolve_path_parameters(variables)
        for parameter in parameters:
            if "pattern" in parameter["schema"]:  # only ids have one
                parameter["schema"] = {"type": "string", "format": "uuid"}
        return parameters

    def _get_parameters(self) -> list[dict[str, Any]]:
        parameters = super()._get_parameters()
        if self.method not in SAFE_METHODS:
            parameters.append(REQUEST_ID)
        elif self._has_etag():
            parameters.append(IF_NONE_MATCH)
        for parameter in parameters:
            parameter["description"] = PARAMETERS.get(parameter["name"]) or parameter.get("description", "")
        return parameters

    # Responses

    def get_response_serializers(self) -> Any:
        """Return the serializer of reading for writing actions too: they answer the object as it is read."""
        view: Any = self.view
        if view.action in WRITES and hasattr(view, "read_serializer_class"):
            return view.read_serializer_class
        return super().get_response_serializers()

    def _get_response_bodies(self, direction: Any = "response") -> dict[str, Any]:
        bodies = super()._get_response_bodies(direction)
        for status, answer in bodies.items():
            answer["description"] = answer.get("description") or MEANINGS.get(status, "")
            if example := example_of(answer):
                answer["content"][JSON]["example"] = example
        bodies["204"] = {"description": MEANINGS["204"]} if "204" in bodies else None
        if self._has_etag():
            bodies["200"].setdefault("headers", {}).update(ETAG)
            bodies["304"] = UNCHANGED
        for status in self._possible_errors():
            bodies[status] = self._error(status)
        return {status: bodies[status] for status in sorted(bodies) if bodies[status]}

    def _error(self, status: str) -> dict[str, Any]:
        """Refer to the common component of this status, or write it out if the operation has errors of its own."""
        name, meaning, common = ERRORS[status]
        own = [problem for problem in map(problem_named, self.documented.errors) if problem.status == status]
        if own:
            codes = ", ".join(dict.fromkeys(f"`{problem.code}`" for problem in own))
            meaning = f"{meaning} Here also: {codes}."
        problems = [*own, *(PROBLEMS[problem] for problem in common)]
        schema = self.resolve_serializer(ErrorAnswerSerializer, "response").ref
        answer = {
            "description": meaning,
            "content": {JSON: {"schema": schema, "examples": error_examples(problems)}},
            **({"headers": ERROR_HEADERS[status]} if status in ERROR_HEADERS else {}),
        }
        if own:
            return answer
        component = ResolvedComponent(name, ResolvedComponent.RESPONSE, answer, object=name)
        self.registry.register_on_missing(component)
        return component.ref

    def _possible_errors(self) -> list[str]:
        view: Any = self.view
        writes = self.method not in SAFE_METHODS
        takes_body = self._get_request_body() is not None
        knows_callers = bool(view.authentication_classes)
        is_for_artists = any(type(permission) is IsArtist for permission in view.get_permissions())
        answers = {
            "400": True,  # any query string can be too long
            "401": knows_callers,
            "403": is_for_artists or (writes and knows_callers),  # a session may lack the CSRF token
            "404": "{" in self.path,
            "406": not self._answers_bytes(),
            "409": writes,
            "411": writes,
            "413": writes,
            "415": takes_body,
            "429": True,
            "503": True,
        }
        own = {problem_named(problem).status for problem in self.documented.errors}
        return sorted(own | {status for status, possible in answers.items() if possible})

    def _has_etag(self) -> bool:
        action = getattr(self.view, "action", None) or self.method.lower()  # a plain view has no actions
        is_excluded = (getattr(self.view, "basename", None), action) in WITHOUT_ETAG
        return self.method == "GET" and not self._answers_bytes() and not is_excluded

    def _answers_bytes(self) -> bool:
        return issubclass(self.view.content_negotiation_class, BytesNegotiation)


def as_form(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema for a form, which cannot send null."""
    form = deepcopy(schema)
    for field in form["properties"].values():
        field.pop("nullable", None)
    form.setdefault("required", [])
    return form


def example_of(answer: dict[str, Any]) -> Any:
    """Return the example of a response by the name of its schema, or None."""
    name = answer.get("content", {}).get(JSON, {}).get("schema", {}).get("$ref", "").rpartition("/")[2]
    if name.endswith("Page") and name not in ANSWERS:
        rows = ANSWERS.get(name.removesuffix("Page"))
        return rows and {"next": None, "previous": None, "results": [rows]}
    return ANSWERS.get(name)


def problem_named(name: str) -> Problem:
    """Return the problem for a code, or for "code on field"."""
    code, _, field = name.partition(" on ")
    return PROBLEMS[code]._replace(attr=field) if field else PROBLEMS[code]


def error_examples(problems: list[Problem]) -> dict[str, Any]:
    """Return an example for each code: of two problems with the same code, the first."""
    examples: dict[str, Any] = {}
    for problem in problems:
        error = {"code": problem.code, "detail": problem.detail, "attr": problem.attr}
        examples.setdefault(problem.code, {"value": {"type": problem.kind, "errors": [error]}})
    return examples
