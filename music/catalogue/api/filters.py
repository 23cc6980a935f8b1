"""Filters that take a bad value for an error, and text as people compare it."""

from typing import Any
from uuid import UUID

import django_filters
from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet

from core.folding import fold_accents
from music.discovery.search.finder import matching

TRUTH = {"true": True, "1": True, "false": False, "0": False}


class TruthField(forms.CharField):
    def clean(self, value: Any) -> bool | None:
        text = super().clean(value).strip().lower()
        if text and text not in TRUTH:
            raise ValidationError("Give true or false.", "invalid")
        return TRUTH.get(text)


class TruthFilter(django_filters.Filter):
    field_class = TruthField


class DateFilter(django_filters.DateFilter):
    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, input_formats=["%Y-%m-%d"], **kwargs)


class TextFilter(django_filters.CharFilter):
    """A text no longer than what it is compared with; SQLite gives up on patterns that are very long."""

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, max_length=200, **kwargs)


class ContainsFilter(TextFilter):
    """The text anywhere in a folded column; case and accents ignored."""

    def filter(self, queryset: QuerySet, value: str) -> QuerySet:
        text = fold_accents(value)
        return queryset.filter(**{f"{self.field_name}__contains": text}) if text else queryset


class IdOrNameFilter(django_filters.CharFilter):
    """An id, or the whole name as people compare it. What is unknown gives an empty list."""

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
    """What a search for the text would find, in the list's own order."""

    def __init__(self, *, kind: str, **kwargs: Any):
        self.kind = kind
        super().__init__(help_text="As search finds it: accents, case, word order and typos are forgiven.", **kwargs)

    def filter(self, queryset: QuerySet, value: str) -> QuerySet:
        return matching(queryset, value, self.kind) if value else queryset
