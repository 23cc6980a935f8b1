"""Base classes of the catalogue's viewsets: keyset pages of compiled queries, and writes that are answered as reads."""

import logging
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ObjectDoesNotExist
from django.db import transaction
from django.db.models import QuerySet, UUIDField
from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404
from rest_framework import mixins, status
from rest_framework.exceptions import AuthenticationFailed, ErrorDetail, NotAcceptable, NotFound, ValidationError
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.viewsets import GenericViewSet

from core.api.anonymous_cache import cached_for_anonymous
from core.api.row_serializers import RowSerializer
from core.db.base_model import UUID_REGEX
from core.db.compiled import CompiledQuery, Param, UserParam
from music.catalogue.api.permissions import IsArtistOrReadOnly
from music.catalogue.models import Listener
from users.api.permissions import HasConfirmedEmail

logger = logging.getLogger(__name__)

WRITES = ("create", "update", "partial_update")
PK_PARAM = Param("pk", UUIDField())


class BytesNegotiation(DefaultContentNegotiation):
    """Content negotiation for files: a client that accepts only audio/* is not refused for want of a renderer."""

    def select_renderer(self, request: Request, renderers: list, format_suffix: str | None = None) -> tuple:
        try:
            return super().select_renderer(request, renderers, format_suffix)
        except NotAcceptable:
            return renderers[0], renderers[0].media_type


class PageViewSet(GenericViewSet):
    """Lists and details from three querysets: `base_queryset`, `list_queryset` and `detail_queryset`.

    They are class methods of the listener, and not of the request, because lists and details are compiled: their SQL is
    made once for all listeners.
    """

    filterset_class: Any = None
    tie_breakers: dict[str, str] = {}

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        # An action may append functions to be called when the response has been sent.
        self.afterwards: list[Callable[[], None]] = []
        return super().initialize_request(request, *args, **kwargs)

    def finalize_response(self, *args: Any, **kwargs: Any) -> Response:
        response = super().finalize_response(*args, **kwargs)
        # Django calls the closers once the last byte has been sent.
        response._resource_closers += [log_errors_of(call) for call in self.afterwards]  # type: ignore[attr-defined]
        return response

    @classmethod
    def base_queryset(cls, listener: Listener) -> QuerySet:
        """Return the rows visible to the listener, without annotations: all that an action on one row needs."""
        return cls.queryset.all()

    @classmethod
    def list_queryset(cls, listener: Listener) -> QuerySet:
        """Return the rows visible to the listener, with everything a list shows of them."""
        return cls.base_queryset(listener)

    @classmethod
    def detail_queryset(cls, listener: Listener) -> QuerySet:
        """Return the rows visible to the listener, with everything a single object shows."""
        return cls.list_queryset(listener)

    def get_queryset(self) -> QuerySet:
        """Return the rows of a list as it shows them; for an action on one row, only what the action needs."""
        queryset = self.base_queryset if self.detail else self.list_queryset
        return queryset(self.request.user)

    def compiled_queryset(
        self, queryset: Callable[[Listener], QuerySet] | None = None, serializer: type[RowSerializer] | None = None
    ) -> CompiledQuery:
        """Return `list_queryset`, or another function of the listener, as a compiled query.

        With a serializer the query reads only the columns that the serializer shows.
        """
        return compile_queryset(
            queryset or self.list_queryset, serializer, for_anonymous=not self.request.user.is_authenticated
        )

    @property
    def is_filtered(self) -> bool:
        """Tell whether the query string names a filter, without making a FilterSet, which would build a form."""
        filters = self.filterset_class
        return bool(filters) and not filters.base_filters.keys().isdisjoint(self.request.query_params)

    @cached_for_anonymous
    def list(self, request: Request) -> Response:
        # Only unfiltered lists are compiled: each combination of filters would be a statement of its own.
        return self.page_of(self.filter_queryset(self.get_queryset()) if self.is_filtered else self.compiled_queryset())

    def retrieve(self, request: Request, pk: str) -> Response:
        return Response(self.get_serializer(self.get_object()).data)

    def get_object(self) -> Any:
        """Return the row as it is shown for `retrieve`, and the plain model for every other action."""
        if self.action == "retrieve":
            found = self.get_shown_row()
        else:
            found = get_object_or_404(self.get_queryset(), **self.kwargs)
        self.check_object_permissions(self.request, found)
        return found

    def get_shown_row(self) -> Any:
        if self.request.accepted_renderer.format != "json":
            # The browsable API shows a form, which needs a model instance.
            return get_object_or_404(self.detail_queryset(self.request.user), **self.kwargs)
        serializer: Any = self.get_serializer_class()
        row = self.compiled_queryset(self.detail_queryset).first(
            "one",
            lambda rows: serializer.read(rows.filter(pk=PK_PARAM)),
            {"user": self.request.user.pk, "pk": UUID(self.kwargs["pk"])},
        )
        if row is None:
            raise Http404
        return row

    def page_of(self, rows: QuerySet | CompiledQuery | Sequence) -> Response:
        """Answer with one page of the rows."""
        serializer = self.get_serializer(self.paginate_queryset(rows), many=True)
        return self.get_paginated_response(serializer.data)


def log_errors_of(call: Callable[[], None]) -> Callable[[], None]:
    """Wrap a function that is called after the response. Django would swallow its errors without a word."""

    def call_and_log() -> None:
        try:
            call()
        except Exception:
            logger.exception("Error after the response was sent")

    return call_and_log


@cache
def compile_queryset(
    queryset: Callable[[Listener], QuerySet], serializer: type[RowSerializer] | None = None, *, for_anonymous: bool
) -> CompiledQuery:
    """Compile the function's queryset: once for all anonymous callers, and once for all logged-in ones."""
    rows = queryset(AnonymousUser() if for_anonymous else UserParam())
    return CompiledQuery(serializer.read(rows) if serializer else rows)


class CatalogueViewSet(mixins.DestroyModelMixin, PageViewSet):
    """Songs, albums and genres: everyone reads, artists create, owners change. A write is answered as a read is."""

    lookup_value_regex = UUID_REGEX
    permission_classes = [IsArtistOrReadOnly, HasConfirmedEmail]
    write_serializer_class: type[BaseSerializer]
    # For a single object, if it shows more than a row of a list.
    detail_serializer_class: type[BaseSerializer] | None = None

    @property
    def shows_details(self) -> bool:
        return self.action in ("retrieve", *WRITES)

    def get_serializer_class(self) -> type[BaseSerializer]:
        if self.action in (*WRITES, "metadata"):
            return self.write_serializer_class
        return self.read_serializer_class if self.shows_details else self.serializer_class

    @property
    def read_serializer_class(self) -> type[BaseSerializer]:
        return self.detail_serializer_class or self.serializer_class

    def owner_id_of(self, obj: Any) -> Any:
        return obj.artist_id

    def create(self, request: Request) -> Response:
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        try:
            created = serializer.save()
        except ObjectDoesNotExist as error:  # the caller's account was closed during the request
            raise AuthenticationFailed from error
        return Response(self.read_representation(created), status=status.HTTP_201_CREATED)

    def update(self, request: Request, pk: str, partial: bool = False) -> Response:
        """Change the fields that are sent. Unlike DRF's, a PUT leaves the others (files too) as they are."""
        instance = self.get_object()
        serializer = self.get_serializer(instance, data=request.data, partial=True)
        # The one difference between PUT and PATCH: a PUT needs the title.
        has_title = partial or not isinstance(request.data, dict) or "title" in request.data
        serializer.is_valid(raise_exception=has_title)
        if not has_title:
            raise ValidationError({"title": [ErrorDetail("This field is required.", "required")], **serializer.errors})
        try:
            changed = serializer.save()
        except ObjectDoesNotExist as error:  # the object was deleted during the request
            raise NotFound from error
        return Response(self.read_representation(changed))

    def partial_update(self, request: Request, pk: str) -> Response:
        return self.update(request, pk, partial=True)

    def perform_destroy(self, instance: Any) -> None:
        with transaction.atomic():
            # Read again under a lock: another request may have replaced the file since, and the new one has to go.
            for current in type(instance)._default_manager.select_for_update().filter(pk=instance.pk):
                current.delete()

    def read_representation(self, instance: Any) -> Any:
        row = get_object_or_404(self.detail_queryset(self.request.user), pk=instance.pk)
        return self.read_serializer_class(row, context=self.get_serializer_context()).data
