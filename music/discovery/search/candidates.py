"""Candidates for an answer: a bounded number of entries of each kind, however common the words are.

Entries whose whole name equals the query come first, then those that have its words in their name or credit, then
those that have them anywhere, and if there are none, those that have corrections of the words; among these the most
popular tiers first. The database stops once there are enough. Every candidate has each word of the query.
"""

from collections.abc import Sequence
from itertools import chain
from typing import NamedTuple

from core.db.compiled import Statement
from music.discovery.search.index import CTE, empty_condition, entry_ctes, words_sql
from music.discovery.search.models import Kind
from music.discovery.search.query import Query
from music.discovery.search.spelling import deletion_terms

# The CTE with known words that may be corrections, and the "kind" of its rows.
WORDS = "words"
# Queries of so many words are not spell-checked if anything matches them exactly.
MIN_WORDS_TO_TRUST = 3
# Only queries of up to so many words may match very many entries.
MAX_WORDS_TO_BE_COMMON = 2
CANDIDATES_SQL = """
    SELECT DISTINCT kind, CAST(object_id AS text), name, credit, coalesce(CASE kind
        WHEN 'song' THEN (SELECT play_count FROM music_songcounts WHERE song_id = object_id)
        WHEN 'artist' THEN (SELECT follower_count FROM music_artistcounts WHERE artist_id = object_id)
        END, 0)
    FROM ({}) hits
"""


class Candidate(NamedTuple):
    kind: str
    pk: str
    name: str
    credit: str
    popularity: int


def find_candidates(query: Query, kinds: Sequence[str]) -> list[Candidate]:
    """Return candidates in up to three statements: exact matches, then fuzzy ones, then distant ones.

    Fuzzy matches are added for the kinds without exact ones, but for genres only if no kind has exact ones. Distant
    matches count only if there is nothing else.
    """
    expected = [kind for kind in kinds if kind != Kind.GENRE] or list(kinds)
    # More words are seldom common enough to need the extra pass over whole words.
    is_short = len(query.words) <= MAX_WORDS_TO_BE_COMMON
    first = [query.whole, query.whole_words] if is_short else [query.whole]
    ctes = entry_ctes([*first, query.exact], kinds, query.substrings, common=True)
    ctes_of_expected = [cte for cte in ctes if cte.kind in expected]
    is_trusted = len(query.words) >= MIN_WORDS_TO_TRUST
    # Known words are read in the same statement, but only if a kind (or every kind) turns out to have no match.
    found = _fetch(query, ctes, empty_condition(ctes_of_expected, " AND " if is_trusted else " OR "))
    kinds_found = {candidate.kind for candidate in found}
    to_guess = [kind for kind in expected if kind not in kinds_found and not is_trusted] if found else kinds
    if to_guess and query.corrections:
        ctes = _fuzzy_ctes(query, to_guess)
        # If this finds nothing either, the statement has read the words that distant corrections need.
        found += _fetch(query, ctes, "" if found else empty_condition(ctes, " AND "), distant=True)
    elif not found:
        _fetch(query, [], "true", distant=True)
    if not found and query.has_distant_matches:
        found = _fetch(query, entry_ctes([query.distant], expected, query.substrings))
    return found


def _fuzzy_ctes(query: Query, kinds: Sequence[str]) -> list[CTE]:
    closest, fuzzy = query.closest, query.fuzzy
    if closest == fuzzy:
        return entry_ctes([fuzzy], kinds, query.substrings)
    if len(query.words) == 1:
        # The closest correction may be a name that is misspelled itself, so the others are read too, after it.
        return entry_ctes([closest, fuzzy], kinds, query.substrings)
    # Several closest corrections that occur together are meant. Wider ones count only if there are none.
    ctes = entry_ctes([closest], kinds, query.substrings)
    return [*ctes, *entry_ctes([fuzzy], kinds, query.substrings, instead_of=ctes)]


def _fetch(query: Query, ctes: Sequence[CTE], learn_where: str = "", *, distant: bool = False) -> list[Candidate]:
    """Return the entries of the CTEs. If the condition `learn_where` holds, also set the query's corrections."""
    terms = deletion_terms(query.distant_typos if distant else query.typos, distant=distant)
    words = [CTE(WORDS, *words_sql(terms, condition=learn_where))] if learn_where and terms else []
    if not ctes and not words:
        return []
    parts = [*ctes, *words]
    # MATERIALIZED: evaluated once, though the conditions of later CTEs read the rows too.
    with_ctes = ", ".join(f"{part.name} AS MATERIALIZED ({part.sql})" for part in parts)
    selects = []
    if ctes:
        entries = " UNION ALL ".join(f"SELECT * FROM {cte.name}" for cte in ctes if cte.kind)
        selects.append(CANDIDATES_SQL.format(entries))
    if words:
        selects.append(f"SELECT '{WORDS}', NULL, word, '', 0 FROM {WORDS}")
    values = chain.from_iterable(part.params for part in parts)
    rows = Statement.of(f"WITH {with_ctes} {' UNION ALL '.join(selects)}").fetch(dict(enumerate(values)))
    known = [name for kind, _, name, *_ in rows if kind == WORDS]
    found = [Candidate._make(row) for row in rows if row[0] != WORDS]
    if known or not (found or query.corrections):
        query.learn_corrections(known, distant=distant)
    return found
