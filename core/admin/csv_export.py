"""CSV export of admin lists, streamed while the rows are read."""

import csv
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.admin.options import IS_POPUP_VAR, IncorrectLookupParameters
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.urls import path
from django.utils import timezone
from django.utils.text import slugify

from core.admin.pages import is_beyond_database

ROWS_AT_ONCE = 2000
# A spreadsheet takes a cell that begins so for a formula. The wide forms come from Chinese and Japanese input methods.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def safe_cell(value: Any) -> Any:
    """Return a value that no spreadsheet runs as a formula: an apostrophe in front marks it as text."""
    if value is None:
        return ""
    if isinstance(value, str) and value.lstrip(" ").startswith(FORMULA_STARTS):
        return f"'{value}"
    return value


class _Echo:
    """File for csv.writer that returns each line instead of storing it."""

    def write(self, text: str) -> str:
        return text


def csv_lines(head: Iterable[str], rows: Iterable[Iterable[Any]]) -> Iterator[str]:
    writer = csv.writer(_Echo())
    yield "\ufeff"  # without a byte-order mark Excel reads UTF-8 as the Windows code page
    yield writer.writerow(head)
    for row in rows:
        yield writer.writerow([safe_cell(value) for value in row])


class ExportedList(admin.ModelAdmin):
    """ModelAdmin with CSV export: a link exports the filtered list, an action the selected rows."""

    change_list_template = "admin/exported_list.html"
    # For each column its heading, and a lookup or a function of the row.
    csv_columns: dict[str, str | Callable[[Any], Any]] = {}

    def get_urls(self) -> list:
        name = f"{self.opts.app_label}_{self.opts.model_name}_export"
        return [path("export/", self.admin_site.admin_view(self.export_view), name=name), *super().get_urls()]

    def get_actions(self, request: HttpRequest) -> dict:
        if IS_POPUP_VAR in request.GET:
            return {}
        description = f"Save the selected {self.opts.verbose_name_plural} as CSV"
        return {**super().get_actions(request), "export": (_export_selected, "export", description)}

    def export_view(self, request: HttpRequest) -> HttpResponse:
        """Export the list as it is filtered, searched and ordered."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if is_beyond_database(request.GET):
            return HttpResponseRedirect("../?e=1")
        try:
            rows = self.get_changelist_instance(request).queryset
        except IncorrectLookupParameters:
            messages.error(request, "The list cannot be filtered like this.")
            return HttpResponseRedirect("../?e=1")
        return self.export(request, rows)

    def export(self, request: HttpRequest, rows: QuerySet) -> StreamingHttpResponse:
        name = slugify(str(self.opts.verbose_name_plural))
        LogEntry.objects.create(
            user=request.user,
            content_type=ContentType.objects.get_for_model(self.model),
            object_repr="a list",
            action_flag=CHANGE,
            change_message=f"Saved {self.opts.verbose_name_plural} as CSV.",
        )
        answer = StreamingHttpResponse(
            csv_lines(self.csv_columns, self._cells(rows)), content_type="text/csv; charset=utf-8"
        )
        answer["Content-Disposition"] = f'attachment; filename="{name}-{timezone.now():%Y-%m-%d}.csv"'
        return answer

    def _cells(self, rows: QuerySet) -> Iterator[tuple]:
        columns = self.csv_columns.values()
        if all(isinstance(column, str) for column in columns):
            yield from rows.values_list(*columns).iterator(ROWS_AT_ONCE)
            return
        for row in rows.iterator(ROWS_AT_ONCE):
            yield tuple(column(row) if callable(column) else getattr(row, column) for column in columns)


@admin.action(permissions=["view"])
def _export_selected(pages: ExportedList, request: HttpRequest, rows: QuerySet) -> StreamingHttpResponse:
    return pages.export(request, rows)
