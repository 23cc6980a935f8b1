import django_filters

from music.discovery.search.models import Kind
from music.filters.fields import SearchFilter


class GenreFilter(django_filters.FilterSet):
    search = SearchFilter(kind=Kind.GENRE)
