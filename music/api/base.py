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


class BytesNegotiation(DefaultContentNegotiation):
    """For answers that no renderer makes: a player that accepts audio/* alone is right to ask here."""

    def select_renderer(self, request: Request, renderers: list, format_suffix: str | None = None) -> tuple:
        try:
            return super().select_renderer(request, renderers, format_suffix)
        except NotAcceptable:
            return renderers[0], renderers[0].media_type


class PageViewSet(GenericViewSet):
    filterset_class: Any = None
    tie_breakers: dict[str, str] = {}

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        self.afterwards: list[Callable[[], None]] = []
        return super().initialize_request(request, *args, **kwargs)

    def finalize_response(self, *args: Any, **kwargs: Any) -> Response:
        response = super().finalize_response(*args, **kwargs)
        # Called when the last byte has gone.
        response._resource_closers += [logged(todo) for todo in self.afterwards]  # type: ignore[attr-defined]
        return response

    @classmethod
    def list_queryset(cls, listener: Listener) -> QuerySet:
        """What is shown, with all that is shown of it; `get_queryset` is what can be acted upon."""
        return cls.queryset.all()

    @classmethod
    def detail_queryset(cls, listener: Listener) -> QuerySet:
        """The same for a single one, of which more may be shown."""
        return cls.list_queryset(listener)

    def get_rows(self) -> QuerySet:
        return self.list_queryset(self.request.user)

    def compiled_queryset(
        self, list_queryset: Callable[[Listener], QuerySet] | None = None, shown_by: type[RowSerializer] | None = None
    ) -> CompiledQuery:
        """These rows, or others and just what a serializer shows of them, with their SQL kept: for whatever is asked
        all the time.
        """
        return kept(list_queryset or self.list_queryset, shown_by, has_task=self.request.user.is_authenticated)

    @property
    def is_filtered(self) -> bool:
        # Asking the FilterSet makes its forms.
        filters = self.filterset_class
        return bool(filters) and not filters.base_filters.keys().isdisjoint(self.request.query_params)

    @cached_for_anonymous
    def list(self, request: Request) -> Response:
        return self.page_of(self.filter_queryset(self.get_rows()) if self.is_filtered else self.compiled_queryset())

    def retrieve(self, request: Request, pk: str) -> Response:
        return Response(self.get_serializer(self.get_object()).data)

    def get_object(self) -> Any:
        """For an answer the row as it is shown, else what can be acted upon."""
        found = (
            self._row_shown() if self.action == "retrieve" else get_object_or_404(self.get_queryset(), **self.kwargs)
        )
        self.check_object_permissions(self.request, found)
        return found

    def _row_shown(self) -> Any:
        if self.request.accepted_renderer.format != "json":  # a page for people has a form, which takes a model
            return get_object_or_404(self.detail_queryset(self.request.user), **self.kwargs)
        serializer: Any = self.get_serializer_class()
        given = {"user": self.request.user.pk, "pk": UUID(self.kwargs["pk"])}
        found = self.compiled_queryset(self.detail_queryset).first(
            "one", lambda rows: serializer.read(rows.filter(pk=ONE)), given
        )
        if found is None:
            raise Http404
        return found

    def page_of(self, rows: QuerySet | CompiledQuery | Sequence) -> Response:
        """A page of rows that an action has chosen itself."""
        serializer = self.get_serializer(self.paginate_queryset(rows), many=True)
        return self.get_paginated_response(serializer.data)


def logged(todo: Callable[[], None]) -> Callable[[], None]:
    """Django lets no error out of what is done after an answer, and says nothing of it."""

    def do() -> None:
        try:
            todo()
        except Exception:
            logger.exception("after the answer")

    return do


ONE = Param("pk", UUIDField())


@cache
def kept(
    list_queryset: Callable[[Listener], QuerySet], shown_by: type[RowSerializer] | None = None, *, has_task: bool
) -> CompiledQuery:
    rows = list_queryset(UserParam() if has_task else AnonymousUser())
    return CompiledQuery(shown_by.read(rows) if shown_by else rows)


class CatalogueViewSet(mixins.DestroyModelMixin, PageViewSet):
    """Everybody reads, artists add, owners change. What was written is answered as it is read."""

    lookup_value_regex = UUID_REGEX
    permission_classes = [IsArtistOrReadOnly, HasConfirmedEmail]
    write_serializer_class: type[BaseSerializer]
    # Of a single object, where lists show less.
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
        except ObjectDoesNotExist as error:  # the account was closed a moment ago
            raise AuthenticationFailed from error
        return Response(self._as_read(created), status=status.HTTP_201_CREATED)

    def update(self, request: Request, pk: str, partial: bool = False) -> Response:
        """Fields that are not sent keep their values, files too."""
        instance = self.get_object()
        serializer = self.get_serializer(instance, data=request.data, partial=True)
        has_title = partial or not isinstance(request.data, dict) or "title" in request.data
        serializer.is_valid(raise_exception=has_title)
        if not has_title:
            raise ValidationError({"title": [ErrorDetail("This field is required.", "required")], **serializer.errors})
        try:
            changed = serializer.save()
        except ObjectDoesNotExist as error:  # it was deleted a moment ago
            raise NotFound from error
        return Response(self._as_read(changed))

    def partial_update(self, request: Request, pk: str) -> Response:
        return self.update(request, pk, partial=True)

    def perform_destroy(self, instance: Any) -> None:
        with transaction.atomic():
            # As it is now: since it was looked up it may have got another file.
            for current in type(instance)._default_manager.select_for_update().filter(pk=instance.pk):
                current.delete()

    def _as_read(self, instance: Any) -> Any:
        row = get_object_or_404(self.detail_queryset(self.request.user), pk=instance.pk)
        return self.read_serializer_class(row, context=self.get_serializer_context()).data
