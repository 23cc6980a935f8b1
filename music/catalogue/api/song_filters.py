import django_filters

from music.catalogue.api.filters import ContainsFilter, DateFilter, IdOrNameFilter, SearchFilter, StrictBooleanFilter
from music.discovery.search.models import Kind


class SongFilter(django_filters.FilterSet):
    search = SearchFilter(kind=Kind.SONG)
    title = ContainsFilter(field_name="title_folded", help_text="Any part of the title; case and accents are ignored.")
    genre = IdOrNameFilter("genre", name="title_folded", help_text="The genre's id or full title.")
    artist = IdOrNameFilter("artist", name="name_folded", help_text="The artist's id or full name.")
    album = IdOrNameFilter("album", name="title_folded", help_text="The album's id or full title.")
    date_from = DateFilter(field_name="release_date", lookup_expr="gte", help_text="Released on this day or later.")
    date_to = DateFilter(field_name="release_date", lookup_expr="lte", help_text="Released on this day or earlier.")
    explicit = StrictBooleanFilter(field_name="explicit")
