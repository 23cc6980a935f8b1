"""Search for the admin's lists, with the index that the API searches."""

import re

from django.db.models import QuerySet
from django.http import HttpRequest

from core.admin.pages import AdminPages
from core.db.base_model import UUID_REGEX
from music.discovery.search.finder import matching
from music.discovery.search.models import Kind


class IndexedSearch(AdminPages):
    """Search a list by id, or as the API does: words in any order, the last one unfinished, typos forgiven."""

    kind: Kind
    search_fields = ["id"]  # Django shows the search box only if there are some

    def get_search_results(self, request: HttpRequest, rows: QuerySet, term: str) -> tuple[QuerySet, bool]:
        term = term.replace("\x00", "").strip()  # PostgreSQL refuses NUL in text
        if not term:
            return rows, False
        if re.fullmatch(UUID_REGEX, term):
            return rows.filter(pk=term), False
        return matching(rows, term, self.kind), False
