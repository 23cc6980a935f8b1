"""Filters for query parameters: invalid values are errors, and text is compared without case and accents."""

from typing import Any
from uuid import UUID

import django_filters
from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet

from core.folding import fold_accents
from music.discovery.search.finder import matching

BOOLEANS = {"true": True, "1": True, "false": False, "0": False}


class StrictBooleanField(forms.CharField):
    """A boolean that refuses unknown words; Django's BooleanField takes any text for true."""

    def clean(self, value: Any) -> bool | None:
        text = super().clean(value).strip().lower()
        if text and text not in BOOLEANS:
            raise ValidationError("Give true or false.", "invalid")
        return BOOLEANS.get(text)


class StrictBooleanFilter(django_filters.Filter):
    field_class = StrictBooleanField


class DateFilter(django_filters.DateFilter):
    """A date as YYYY-MM-DD only, not in the formats of Django's forms."""

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, input_formats=["%Y-%m-%d"], **kwargs)


class ContainsFilter(django_filters.CharFilter):
    """Rows that contain the text anywhere in a folded column; case and accents are ignored.

    The text may be as long as the column: SQLite raises an error for very long patterns.
    """

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, max_length=200, **kwargs)

    def filter(self, queryset: QuerySet, value: str) -> QuerySet:
        text = fold_accents(value)
        return queryset.filter(**{f"{self.field_name}__contains": text}) if text else queryset


class IdOrNameFilter(django_filters.CharFilter):
    """Rows whose related object has this id or full name; case and accents are ignored.

    An unknown id or name gives an empty list, not an error. `name` is the related object's folded column.
    """

    def __init__(self, field_name: str, *, name: str, **kwargs: Any):
        self.name = name
        super().__init__(field_name, **kwargs)

    def filter(self, queryset: QuerySet, value: str) -> QuerySet:
        if not value:
            return queryset
        try:
            return queryset.filter(**{self.field_name: UUID(value)})
        except ValueError:
            return queryset.filter(**{f"{self.field_name}__{self.name}": fold_accents(value)})


class SearchFilter(django_filters.CharFilter):
    """Rows that a search for the text finds, in the list's own order."""

    def __init__(self, *, kind: str, **kwargs: Any):
        self.kind = kind
        super().__init__(help_text="Words to search for; accents, case, word order and typos are forgiven.", **kwargs)

    def filter(self, queryset: QuerySet, value: str) -> QuerySet:
        return matching(queryset, value, self.kind) if value else queryset
