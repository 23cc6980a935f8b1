import django_filters

from music.catalogue.api.filters import DateFilter, IdOrNameFilter, SearchFilter
from music.discovery.search.models import Kind


class AlbumFilter(django_filters.FilterSet):
    search = SearchFilter(kind=Kind.ALBUM)
    artist = IdOrNameFilter("artist", name="name_folded", help_text="The artist's id or full name.")
    date_from = DateFilter(field_name="release_date", lookup_expr="gte", help_text="Released on this day or later.")
    date_to = DateFilter(field_name="release_date", lookup_expr="lte", help_text="Released on this day or earlier.")
