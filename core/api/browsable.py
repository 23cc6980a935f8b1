"""The browsable API: answers as HTML pages, with forms that stay filled in when they are refused."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.http import Http404
from django.urls import resolve
from django.utils import timezone
from rest_framework import serializers
from rest_framework.exceptions import APIException, ErrorDetail, ParseError
from rest_framework.renderers import BrowsableAPIRenderer
from rest_framework.request import Request, override_method
from rest_framework.settings import api_settings
from rest_framework.utils import json
from rest_framework.utils.encoders import JSONEncoder

from core.errors import DomainError

# Values for required fields in the raw data form.
EXAMPLES: dict[type[serializers.Field], Any] = {
    serializers.EmailField: "nina@example.com",
    serializers.URLField: "https://example.com/",
    serializers.BooleanField: False,
    serializers.IntegerField: 1,
}


class BrowsableAPI(BrowsableAPIRenderer):
    """DRF's browsable API, but a refused form is shown first, as it was filled in and with an error at each field."""

    # Set by `render`.
    accepted_media_type: str
    renderer_context: Mapping[str, Any]

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Mapping[str, Any] | None = None
    ) -> bytes:
        # JSON can contain half of a surrogate pair, which cannot be encoded as UTF-8.
        return super().render(data, accepted_media_type, renderer_context).encode("utf-8", "replace")

    def get_context(
        self, data: Any, accepted_media_type: str | None, renderer_context: Mapping[str, Any]
    ) -> dict[str, Any]:
        context = super().get_context(data, accepted_media_type, renderer_context)
        request, response = renderer_context["request"], renderer_context["response"]
        has_forms = any(context[name] for name in ("post_form", "put_form", "raw_data_post_form", "raw_data_put_form"))
        is_refused = response.status_code >= 400 and request.method not in ("GET", "HEAD", "OPTIONS")
        errors = []
        if is_refused and isinstance(data, dict):
            for error in data.get("errors", []):
                label = (error["attr"] or "").replace("_", " ").capitalize()
                errors.append({"label": label, "detail": error["detail"]})
        return context | {
            "has_forms": has_forms,
            "display_edit_forms": has_forms,
            # A view that does not support GET: the page shows its form and no answer.
            "is_form_alone": has_forms and request.method == "GET" and response.status_code == 405,
            "is_refused": is_refused,
            "errors": errors,
            "is_done": response.status_code == 204,
        }

    def get_breadcrumbs(self, request: Request) -> list[tuple[str, str]]:
        crumbs = super().get_breadcrumbs(request)
        return [(name, url) for name, url in crumbs[:-1] if resolve(url).url_name != "no-such-resource"] + crumbs[-1:]

    def get_rendered_html_form(self, data: Any, view: Any, method: str, request: Request) -> Any:
        if method in ("DELETE", "OPTIONS"):
            return super().get_rendered_html_form(data, view, method, request)
        serializer = self._serializer_of_form(data, view, method, request)
        return None if serializer is None else self.render_form_for_serializer(serializer)

    def render_form_for_serializer(self, serializer: serializers.BaseSerializer) -> Any:
        # Unlike DRF, do not validate again: the errors are set already, and checking an upload twice would take long.
        style = {"style": {"template_pack": "rest_framework/horizontal"}}
        return self.form_renderer_class().render(serializer.data, self.accepted_media_type, style)

    def get_raw_data_form(self, data: Any, view: Any, method: str, request: Request) -> forms.Form | None:
        serializer = self._serializer_of_form(data, view, method, request)
        if serializer is None or _requires_file(serializer):
            return None
        form = super().get_raw_data_form(data, view, method, request)
        if form is not None:
            form.initial["_content"] = self._refused_json(method, request) or _as_json(
                _example_body(serializer, request)
            )
        return form

    def _refused_json(self, method: str, request: Request) -> str | None:
        """Return the refused JSON as it was typed, or None."""
        is_refused = self.renderer_context["response"].status_code >= 400 and request.method == method
        return getattr(request, "json_text", None) if is_refused else None

    def _serializer_of_form(
        self, data: Any, view: Any, method: str, request: Request
    ) -> serializers.BaseSerializer | None:
        """Return the serializer of this method's form, or None if the caller may not use the method here."""
        is_error = isinstance(data, dict) and data.keys() == {"type", "errors"}
        is_refused = is_error and method == ("PUT" if request.method == "PATCH" else request.method)
        shown = getattr(data, "serializer", None)
        instance = None if isinstance(shown, serializers.ListSerializer) else getattr(shown, "instance", None)
        typed = _data_of(request) if is_refused else None
        with override_method(view, request, method) as as_method:
            if not hasattr(view, "get_serializer") or not self.show_form_for_method(view, method, as_method, instance):
                return None
            if method != "POST" and instance is None:  # the answer is an error or empty
                try:
                    instance = view.get_object()
                except (APIException, DomainError, Http404):
                    return None
            if is_refused:
                return _as_refused(view.get_serializer(data=typed, partial=True), data["errors"])
            serializer = view.get_serializer(instance if method != "POST" else None)
        return None if isinstance(serializer, serializers.ListSerializer) else serializer


def _data_of(request: Request) -> Any:
    try:
        return request.data
    except (APIException, ParseError):
        return {}


def _as_refused(serializer: Any, errors: list[dict[str, Any]]) -> Any:
    """Set the errors of the answer on the serializer with the typed values, whatever code raised them."""
    found: dict[str, list[ErrorDetail]] = {}
    for error in errors:
        field = str(error["attr"]).partition(".")[0]
        name = field if field in serializer.fields else api_settings.NON_FIELD_ERRORS_KEY
        found.setdefault(name, []).append(ErrorDetail(error["detail"], error["code"]))
    serializer._validated_data, serializer._errors = {}, found
    return serializer


def _requires_file(serializer: Any) -> bool:
    return serializer.instance is None and any(
        isinstance(field, serializers.FileField) and field.required and not field.read_only
        for field in serializer.fields.values()
    )


def _example_body(serializer: Any, request: Request) -> dict[str, Any]:
    """Return a valid body: for an object its present values, for a new one examples."""
    values = serializer.data
    body = {}
    for name, field in serializer.fields.items():
        if field.read_only or isinstance(field, serializers.FileField | serializers.HiddenField):
            continue
        value = None if field.style.get("input_type") == "password" else values.get(name)
        is_valid = field.allow_null if value is None else value != "" or getattr(field, "allow_blank", False)
        if is_valid:
            body[name] = value
        elif field.required:
            body[name] = _example(field)
    return body


def _example(field: Any) -> Any:
    if field.style.get("input_type") == "password":
        return "a long password"
    if isinstance(field, serializers.ChoiceField | serializers.RelatedField):
        return next(iter(field.choices), None)
    if isinstance(field, serializers.DateField):
        return timezone.now().date()
    known = (value for kind, value in EXAMPLES.items() if isinstance(field, kind))
    return next(known, f"New {str(field.label).lower()}")


def _as_json(body: dict[str, Any]) -> str:
    return json.dumps(body, cls=JSONEncoder, indent=4, ensure_ascii=False)
