from typing import Any

from django.db.models import QuerySet
from rest_framework import mixins, status
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.viewsets import GenericViewSet

from music.permissions import IsArtistOrReadOnly

UUID_REGEX = "[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"


class PageViewSet(GenericViewSet):
    def page_of(self, rows: QuerySet) -> Response:
        """A page of rows that an action has chosen itself."""
        serializer = self.get_serializer(self.paginate_queryset(rows), many=True)
        return self.get_paginated_response(serializer.data)


class CatalogueViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, mixins.DestroyModelMixin, PageViewSet):
    """Everybody reads, artists add, owners change. What was written is answered as it is read."""

    lookup_value_regex = UUID_REGEX
    permission_classes = [IsArtistOrReadOnly]
    write_serializer_class: type[BaseSerializer]

    def get_serializer_class(self) -> type[BaseSerializer]:
        writes = self.action in ("create", "update", "partial_update", "metadata")
        return self.write_serializer_class if writes else self.serializer_class

    def filter_queryset(self, queryset: QuerySet) -> QuerySet:
        # Parameters narrow lists; they are not known to a single object.
        return super().filter_queryset(queryset) if self.action == "list" else queryset

    def owner_id_of(self, obj: Any) -> Any:
        return obj.artist_id

    def create(self, request: Request) -> Response:
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        return Response(self._as_read(serializer.save()), status=status.HTTP_201_CREATED)

    def update(self, request: Request, pk: str, partial: bool = False) -> Response:
        """Fields that are not sent keep their values, files too."""
        instance = self.get_object()
        if not partial and "title" not in request.data:
            raise ValidationError({"title": [ErrorDetail("This field is required.", "required")]})
        serializer = self.get_serializer(instance, data=request.data, partial=True)
        serializer.is_valid(raise_exception=True)
        return Response(self._as_read(serializer.save()))

    def partial_update(self, request: Request, pk: str) -> Response:
        return self.update(request, pk, partial=True)

    def _as_read(self, instance: Any) -> Any:
        row = self.get_queryset().get(pk=instance.pk)
        return self.serializer_class(row, context=self.get_serializer_context()).data
