import django_filters

from music.filters.fields import WordsFilter


class ArtistFilter(django_filters.FilterSet):
    search = WordsFilter(columns=["name_folded", "username_key"], help_text="Words of the name.")
