"""The error shape of the API: which exception becomes which answer, in views and outside of them."""

import sys
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from django.core.exceptions import (
    NON_FIELD_ERRORS,
    RequestDataTooBig,
    TooManyFieldsSent,
    TooManyFilesSent,
    ValidationError,
)
from django.db import DatabaseError, IntegrityError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views import defaults
from drf_spectacular.utils import extend_schema
from drf_standardized_errors.formatter import ExceptionFormatter
from drf_standardized_errors.handler import ExceptionHandler
from drf_standardized_errors.types import Error
from rest_framework import exceptions
from rest_framework.permissions import AllowAny
from rest_framework.renderers import BrowsableAPIRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.views import APIView

from core.api.throttling import seconds_until_refusal_ends
from core.db.outages import is_database_outage
from core.errors import (
    Conflict,
    DomainError,
    LimitReached,
    NotAllowed,
    NotAuthenticated,
    NotFound,
    Unavailable,
    UpstreamFailed,
)

REFUSALS = (exceptions.NotAuthenticated, exceptions.AuthenticationFailed, exceptions.PermissionDenied)
# Renderers that can write an error; the browsable API writes JSON into a page.
ERROR_RENDERERS = (JSONRenderer, BrowsableAPIRenderer)


STATUS_CODES: dict[type[Exception], int] = {
    NotAuthenticated: 401,
    NotAllowed: 403,
    NotFound: 404,
    Conflict: 409,
    LimitReached: 429,
    UpstreamFailed: 502,
    Unavailable: 503,
}


class StorageUnavailable(Unavailable):
    default_code = "storage_unavailable"
    default_detail = "Files can't be stored or read right now. Nothing was changed; try again in a moment."


class DatabaseUnavailable(Unavailable):
    default_code = "database_unavailable"
    default_detail = "The database can't be reached right now. Nothing was changed; try again in a moment."


class AnsweredError(exceptions.APIException):
    """A domain error with its HTTP status. DRF sends `wait` as Retry-After, `auth_header` as WWW-Authenticate."""

    auth_header: str | None = None

    def __init__(self, error: DomainError):
        super().__init__(error.detail, error.code)
        self.status_code = next(STATUS_CODES[kind] for kind in type(error).__mro__ if kind in STATUS_CODES)
        self.wait = error.wait


class ErrorHandler(ExceptionHandler):
    """Turn errors of the domain, the database and the storage into HTTP errors."""

    def convert_known_exceptions(self, exc: Exception) -> Exception:
        request = self.context["request"]
        if request and (seconds := seconds_until_refusal_ends(request._request)):
            return exceptions.Throttled(wait=seconds)
        return self.as_answered(exc)

    def as_answered(self, exc: Exception) -> Exception:
        if isinstance(exc, REFUSALS) and (unknown := self._unknown_method()):
            return unknown
        if isinstance(exc, ValidationError):
            return to_api_error(exc)
        if isinstance(exc, DomainError):
            return self._from_domain(exc)
        if outage := outage_error(exc):
            return self._from_domain(outage)
        if isinstance(exc, IntegrityError):
            return self._from_domain(Conflict())
        if isinstance(exc, RequestDataTooBig):
            return exceptions.ValidationError("The request's body is too large for its purpose.", "too_large")
        if isinstance(exc, TooManyFieldsSent | TooManyFilesSent):
            return exceptions.ParseError("The request's body has too many fields.")
        if isinstance(exc, RecursionError):
            return exceptions.ParseError("The request's body is nested too deeply.")
        return super().convert_known_exceptions(exc)

    def _from_domain(self, error: DomainError) -> AnsweredError:
        answer = AnsweredError(error)
        if isinstance(error, NotAuthenticated):
            # APIView does the same for DRF's own errors: a 401 has to name a scheme to log in by.
            view, request = self._asked()
            answer.auth_header = view.get_authenticate_header(request)
            if not answer.auth_header:
                answer.status_code = 403
        return answer

    def _unknown_method(self) -> exceptions.MethodNotAllowed | None:
        """Return 405 for a method that the view does not support, before 401 or 403: no credentials would help."""
        view, request = self._asked()
        return None if request.method in view.allowed_methods else exceptions.MethodNotAllowed(request.method)

    def get_response(self, exc: exceptions.APIException, data: dict) -> Response:
        view, request = self._asked()
        renderer = getattr(request, "accepted_renderer", None) or view.get_renderers()[0]
        # Views with other renderers, such as YAML, answer errors as JSON.
        if not isinstance(renderer, ERROR_RENDERERS):
            request.accepted_renderer, request.accepted_media_type = JSONRenderer(), JSONRenderer.media_type
        return super().get_response(exc, data)

    def _asked(self) -> tuple[Any, Any]:
        return self.context["view"], self.context["request"]


def outage_error(error: BaseException | None) -> Unavailable | None:
    """Return the error to answer with if the database or the file storage can't be reached, else None."""
    if error and is_database_outage(error):
        return DatabaseUnavailable()
    if isinstance(error, OSError | BotoCoreError | ClientError) and not isinstance(error, DatabaseError):
        return StorageUnavailable()
    return None


class ErrorFormatter(ExceptionFormatter):
    """drf-standardized-errors' formatter, with `attr: null` for errors that concern no field."""

    def get_errors(self) -> list[Error]:
        errors = super().get_errors()
        for error in errors:
            # Messages repeat what was sent, and JSON can contain half of a surrogate pair, which cannot be encoded.
            error.detail = error.detail.encode("utf-8", "replace").decode()
            if error.attr in (api_settings.NON_FIELD_ERRORS_KEY, NON_FIELD_ERRORS):
                error.attr = None
        return errors


def to_api_error(error: ValidationError) -> exceptions.ValidationError:
    if hasattr(error, "error_dict"):
        return exceptions.ValidationError({field: _details(errors) for field, errors in error.error_dict.items()})
    return exceptions.ValidationError(_details(error.error_list))


def _details(errors: list[ValidationError]) -> list[exceptions.ErrorDetail]:
    return [exceptions.ErrorDetail(error.messages[0], error.code or "invalid") for error in errors]


def error_answer(status: int, code: str, detail: str, *, attr: str | None = None) -> JsonResponse:
    """Return an error in the API's shape, for middleware and handlers outside of DRF."""
    kind = "validation_error" if attr else "server_error" if status >= 500 else "client_error"
    return JsonResponse({"type": kind, "errors": [{"code": code, "detail": detail, "attr": attr}]}, status=status)


def is_api(request: HttpRequest) -> bool:
    return request.path_info == "/api" or request.path_info.startswith("/api/")


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    if is_api(request):
        return error_answer(403, "permission_denied", f"CSRF failed: {reason}")
    from django.views.csrf import csrf_failure as page

    return page(request, reason)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if is_api(request):
        return error_answer(400, "bad_request", "The request could not be understood.")
    return defaults.bad_request(request, exception)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    if is_api(request):
        return error_answer(404, "not_found", "Not found.")
    return defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    # Outside of the API's views, as in a middleware or in the admin, an outage ends here.
    outage = outage_error(sys.exception())
    status = STATUS_CODES[Unavailable] if outage else 500
    if is_api(request):
        error = outage or DomainError()
        return error_answer(status, error.code, error.detail)
    response = defaults.server_error(request)
    response.status_code = status
    return response


@extend_schema(exclude=True)
class NoSuchResource(APIView):
    """404 for every unknown path under /api/, whatever the method."""

    permission_classes = [AllowAny]
    authentication_classes: list[type] = []

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        self.format_kwarg = None  # content negotiation reads it
        raise exceptions.NotFound

    def get(self, request: Request) -> Response:  # the browsable API needs at least one method
        raise exceptions.NotFound
