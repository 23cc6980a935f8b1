"""Base classes of all admin pages: bounded lists, actions that are logged with a reason, and read-only tables."""

import json
import re
from collections.abc import Callable, Iterable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.actions import delete_selected as delete_as_django_does
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.models import CHANGE, DELETION, LogEntry
from django.contrib.admin.views.main import SEARCH_VAR
from django.contrib.admin.widgets import AutocompleteSelect
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import CASCADE, Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.functional import cached_property

# Django accepts 1,000 form fields, and the page that asks for a reason has one for each row.
MAX_SELECTED = 500


class BoundedPaginator(Paginator):
    """Paginator that counts 10,000 rows at most: counting all reads the whole table."""

    object_list: QuerySet
    LIMIT = 10_000

    @cached_property
    def counted(self) -> int:
        return self.object_list.order_by()[: self.LIMIT + 1].count()

    @cached_property
    def count(self) -> int:
        return min(self.counted, self.LIMIT)

    @property
    def has_more(self) -> bool:
        return self.counted > self.LIMIT


def is_beyond_database(query: QueryDict) -> bool:
    """Return whether a query string has values that the database refuses when the query runs: NUL, or huge ids."""
    for name, values in query.lists():
        if "\x00" in "".join([name, *values]):
            return True
        if name != SEARCH_VAR and re.search(r"(^|,)-?\d{19,}(,|$)", ",".join(values)):
            return True
    return False


def check_ids(model: type[Model], ids: Iterable[Any]) -> None:
    """Raise ValidationError if a value cannot be an id of the model; the database would fail on it."""
    for pk in ids:
        model._meta.pk.run_validators(model._meta.pk.to_python(pk))


def can_be_id(model: type[Model], pk: Any) -> bool:
    try:
        check_ids(model, [pk])
    except ValidationError:
        return False
    return True


class ValidatedChoices(forms.ModelMultipleChoiceField):
    def clean(self, value: Any) -> Any:
        if isinstance(value, list | tuple):
            check_ids(self.queryset.model, value)
        return super().clean(value)


class ValidatedAutocomplete(AutocompleteSelect):
    """Django's AutocompleteSelect without submitted values that cannot be ids; the database would fail on them."""

    def optgroups(self, name: str, value: list, attr: dict | None = None) -> list:
        model = self.choices.queryset.model
        return super().optgroups(name, [pk for pk in value if not pk or can_be_id(model, pk)], attr)


class ReasonForm(forms.Form):
    reason = forms.CharField(
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3, "cols": 80}),
        help_text="Stays in the log of the admin, and the person concerned gets it with the export of their data.",
    )


class ReasonField(forms.CharField):
    """Reason in a change form, required only if the change takes something from a person (see `check_reason`)."""

    widget = forms.Textarea(attrs={"rows": 2})

    def __init__(self, needed_for: str):
        super().__init__(
            required=False, max_length=500, help_text=f"Needed to {needed_for}. It stays in the log of the admin."
        )


def check_reason(form: forms.ModelForm, *, is_taken: bool) -> None:
    """Add an error to the form if the change takes something from a person and no reason is given."""
    if is_taken and not form.cleaned_data.get("reason") and "reason" not in form.errors:
        form.add_error("reason", "Say why.")


class AdminPages(admin.ModelAdmin):
    """Base of all admin pages: quick on a million rows, safe on bad input, with actions that are logged."""

    paginator = BoundedPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    list_per_page = 50
    delete_confirmation_template = "admin/delete_with_reason.html"
    delete_selected_confirmation_template = "admin/delete_selected_with_reason.html"
    # Whether the confirmation page of a deletion asks for a reason.
    asks_why_deleted = True

    # Lists

    def changelist_view(self, request: HttpRequest, extra_context: dict | None = None) -> HttpResponse:
        if is_beyond_database(request.GET):
            return HttpResponseRedirect(f"{request.path}?e=1")
        return super().changelist_view(request, extra_context)

    def get_search_results(self, request: HttpRequest, rows: QuerySet, term: str) -> tuple[QuerySet, bool]:
        return super().get_search_results(request, rows, term.replace("\x00", ""))

    def response_action(self, request: HttpRequest, queryset: QuerySet) -> HttpResponse | None:
        try:
            check_ids(self.model, request.POST.getlist(ACTION_CHECKBOX_NAME))
        except ValidationError:
            messages.error(request, "The selected rows are not in this list.")
            return None
        return super().response_action(request, queryset)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name in self.get_autocomplete_fields(request):
            kwargs.setdefault("widget", ValidatedAutocomplete(db_field, self.admin_site, using=kwargs.get("using")))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        return super().formfield_for_manytomany(db_field, request, form_class=ValidatedChoices, **kwargs)

    # Actions

    def act(self, request: HttpRequest, rows: QuerySet, entry: str, act: Callable[[QuerySet], Any]) -> list:
        """Call `act` with the rows and log the entry for each, in one transaction. Return the rows."""
        with transaction.atomic():
            # Locked and read once: filters in `rows` may not match any more after the action.
            changed = list(rows.select_for_update(of=("self",)))
            act(rows.model._default_manager.filter(pk__in=[row.pk for row in changed]))
            self.log_action_of(request, changed, entry)
        return changed

    def log_action_of(self, request: HttpRequest, rows: Iterable[Model], entry: str) -> None:
        LogEntry.objects.log_actions(request.user.pk, rows, CHANGE, entry)

    def are_too_many(self, request: HttpRequest, rows: QuerySet) -> bool:
        """Return whether more rows are selected than an action takes at once, with a message to the admin."""
        are_too_many = rows.order_by()[: MAX_SELECTED + 1].count() > MAX_SELECTED
        if are_too_many:
            messages.error(request, f"Select at most {MAX_SELECTED} at once. Nothing was changed.")
        return are_too_many

    def ask(
        self, request: HttpRequest, rows: QuerySet, form: type[forms.Form], *, action: str, title: str, explanation: str
    ) -> forms.Form | HttpResponse:
        """Return the valid form, or the page that shows it."""
        asked = form(request.POST if request.POST.get("confirm") else None)
        if asked.is_valid():
            return asked
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": title,
            "explanation": explanation,
            "rows": rows,
            "form": asked,
            "action": action,
            "action_checkbox_name": ACTION_CHECKBOX_NAME,
        }
        return TemplateResponse(request, "admin/ask_before_action.html", context)

    def ask_why(self, request: HttpRequest, rows: QuerySet, **words: str) -> str | HttpResponse | None:
        """Return the reason, or the page that asks for it; None if too many rows are selected."""
        if self.are_too_many(request, rows):
            return None
        answer = self.ask(request, rows, ReasonForm, **words)
        return answer.cleaned_data["reason"] if isinstance(answer, forms.Form) else answer

    # The log

    def log_deletions(self, request: HttpRequest, queryset: Iterable[Model]) -> list[LogEntry]:
        """Log each deletion with its reason and the owner, by whose id the deletion of an account finds the entry."""
        given = ReasonForm(request.POST)
        reason = given.cleaned_data["reason"] if given.is_valid() else ""
        entries: list[LogEntry] = []
        for row in queryset:
            parts = [f"It belonged to {owner} ({owner.pk})." if (owner := owner_of(row)) else "", reason_text(reason)]
            message = " ".join(filter(None, parts))
            entries += LogEntry.objects.log_actions(request.user.pk, [row], DELETION, message)
        return entries

    def construct_change_message(
        self, request: HttpRequest, form: forms.ModelForm, formsets: list, add: bool = False
    ) -> list | str:
        reason = form.cleaned_data.get("reason")
        if "reason" in form.fields and "reason" in form.changed_data:
            form.changed_data.remove("reason")  # it is no field of the row
        message = super().construct_change_message(request, form, formsets, add)
        if not reason:
            return message
        return f"{message_text(message)} {reason_text(reason)}"

    def render_delete_form(self, request: HttpRequest, context: dict) -> HttpResponse:
        return super().render_delete_form(request, {**context, "reason_form": self._reason_of_deletion()})

    def _reason_of_deletion(self) -> ReasonForm | None:
        return ReasonForm(use_required_attribute=False) if self.asks_why_deleted else None

    def get_actions(self, request: HttpRequest) -> dict:
        actions = super().get_actions(request)
        if "delete_selected" in actions:
            _, name, description = actions["delete_selected"]
            actions["delete_selected"] = (delete_selected, name, description)
        return actions


def delete_selected(pages: AdminPages, request: HttpRequest, rows: QuerySet) -> HttpResponse | None:
    """Delete the rows with Django's action, whose confirmation page also asks for a reason."""
    if pages.are_too_many(request, rows):
        return None
    answer = delete_as_django_does(pages, request, rows)
    if isinstance(answer, TemplateResponse):
        answer.context_data["reason_form"] = pages._reason_of_deletion()
    return answer


def reason_text(reason: str | None) -> str:
    return f"Reason: {reason}" if reason else ""


def message_text(change_message: Any) -> str:
    """Return the text of a change message, which Django composes as a list and translates when it is shown."""
    return LogEntry(change_message=json.dumps(change_message)).get_change_message()


def owner_of(row: Model) -> Any:
    """Return the user whose deletion cascades to the row, or None."""
    for field in row._meta.concrete_fields:
        if field.related_model is get_user_model() and field.remote_field.on_delete is CASCADE:
            return getattr(row, field.name)
    return None


class ReadOnlyPages(AdminPages):
    """Read-only pages, for rows that are written elsewhere."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse deletion here, and allow it as part of deleting an account: Django asks for each cascading model."""
        own_pages = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")
        is_here = request.path.startswith(own_pages)
        return not is_here and super().has_delete_permission(request, obj)
