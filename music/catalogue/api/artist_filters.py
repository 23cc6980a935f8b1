import django_filters

from music.catalogue.api.filters import SearchFilter
from music.discovery.search.models import Kind


class ArtistFilter(django_filters.FilterSet):
    search = SearchFilter(kind=Kind.ARTIST)
