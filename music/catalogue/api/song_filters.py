import django_filters

from music.catalogue.api.filters import ContainsFilter, DateFilter, IdOrNameFilter, SearchFilter, TruthFilter
from music.discovery.search.models import Kind


class SongFilter(django_filters.FilterSet):
    search = SearchFilter(kind=Kind.SONG)
    title = ContainsFilter(field_name="title_folded", help_text="A part of the title.")
    genre = IdOrNameFilter("genre", name="title_folded", help_text="Its id, or its whole title.")
    artist = IdOrNameFilter("artist", name="name_folded", help_text="Their id, or their whole name.")
    album = IdOrNameFilter("album", name="title_folded", help_text="Its id, or its whole title.")
    date_from = DateFilter(field_name="release_date", lookup_expr="gte", help_text="Released on this day or later.")
    date_to = DateFilter(field_name="release_date", lookup_expr="lte", help_text="Released on this day or earlier.")
    explicit = TruthFilter(field_name="explicit")
