from typing import Any

from rest_framework.exceptions import PermissionDenied

from music.api.base import CatalogueViewSet
from music.catalogue.api.genre_filters import GenreFilter
from music.catalogue.api.genre_serializers import GenreSerializer
from music.catalogue.models import Genre


class GenreViewSet(CatalogueViewSet):
    queryset = Genre.objects.all()
    serializer_class = write_serializer_class = GenreSerializer
    filterset_class = GenreFilter
    orderings = {"title": "title_folded"}
    ordering = "title"

    def owner_id_of(self, genre: Genre) -> Any:
        return genre.maker_id

    def get_object(self) -> Genre:
        genre = super().get_object()
        if self.action in ("update", "partial_update", "destroy") and genre.is_used_by_others:
            raise PermissionDenied("Other artists use this genre, so it can't be changed or deleted.", "genre_in_use")
        return genre
