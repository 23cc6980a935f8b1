import django_filters

from music.filters.fields import ContainsFilter


class GenreFilter(django_filters.FilterSet):
    search = ContainsFilter(field_name="title_folded", help_text="A part of the title.")
