import django_filters

from music.filters.fields import DateFilter, IdOrNameFilter, WordsFilter


class AlbumFilter(django_filters.FilterSet):
    search = WordsFilter(columns=["title_folded", "artist__name_folded"], help_text="Words of the title or artist.")
    artist = IdOrNameFilter("artist", name="name_folded", help_text="Their id, or their whole name.")
    date_from = DateFilter(field_name="release_date", lookup_expr="gte", help_text="Released on this day or later.")
    date_to = DateFilter(field_name="release_date", lookup_expr="lte", help_text="Released on this day or earlier.")
