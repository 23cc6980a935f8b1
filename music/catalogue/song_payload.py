"""Triggers that keep `Song.payload` (denormalized JSON) and `Song.is_public` up to date.

FIELDS is the only list of the fields in the JSON. Both SQL dialects of the triggers, the columns that they watch and
the fields of SongSerializer are made from it: a new field is one line here and a migration that adds the column.

A transaction that writes a song takes share locks on its artist, album and genre. So it waits for a concurrent
transaction that renames one of them, and the renaming waits for it; otherwise the payload could keep the old name.
"""

from typing import NamedTuple


class Related(NamedTuple):
    """A JSON object made from a row that the song refers to; null if the song refers to none."""

    table: str
    # Name of each field (in the JSON and of the column) and the kind of its value.
    fields: dict[str, str]
    # Columns that are not in the JSON, but on which `is_public` depends.
    also_watched: tuple[str, ...] = ()


# Name of each field (in the JSON and of the column) and the kind of its value: a key of POSTGRES_VALUES, SQLITE_VALUES.
FIELDS: dict[str, str | Related] = {
    "id": "uuid",
    "title": "plain",
    "artist": Related("users_user", {"id": "uuid", "username": "username", "name": "plain"}, ("is_active",)),
    "album": Related("music_album", {"id": "uuid", "title": "plain", "cover_image": "file"}),
    "genre": Related("music_genre", {"id": "uuid", "title": "plain"}),
    "track_number": "plain",
    "disc_number": "plain",
    "duration": "plain",
    "release_date": "plain",
    "explicit": "boolean",
    "visibility": "plain",
    "licensing_info": "plain",
    "audio_file": "file",
    "created_at": "time",
    "updated_at": "time",
}
RELATED = {name: kind for name, kind in FIELDS.items() if isinstance(kind, Related)}

# SQL expression of a column ({0}) by the kind of its value. A username that is an e-mail address loses its domain, as
# in `users.people.public_username`. An empty file name becomes null.
POSTGRES_VALUES = {
    "plain": "{0}",
    "uuid": "{0}",
    "boolean": "{0}",
    "file": "nullif({0}, '')",
    "time": "to_char({0} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')",
    "username": "split_part({0}, '@', 1)",
}
SQLITE_VALUES = {
    "plain": "{0}",
    # SQLite has no type for UUIDs: Django stores 32 digits without hyphens.
    "uuid": "substr({0}, 1, 8) || '-' || substr({0}, 9, 4) || '-' || substr({0}, 13, 4) || '-' || substr({0}, 17, 4)"
    " || '-' || substr({0}, 21, 12)",
    "boolean": "json(iif({0}, 'true', 'false'))",
    "file": "nullif({0}, '')",
    "time": "replace({0}, ' ', 'T') || 'Z'",
    "username": "substr({0}, 1, instr({0} || '@', '@') - 1)",
}

# Columns of the song that make its payload change.
WATCHED = [f"{name}_id" if name in RELATED else name for name in FIELDS if name != "id"] + ["is_hidden"]


def watched_columns(related: Related) -> list[str]:
    """Return the columns of a related row that make the payloads of its songs change."""
    return [name for name in related.fields if name != "id"] + list(related.also_watched)


def has_changed(columns: list[str]) -> str:
    """Return the SQL condition that OLD and NEW differ in one of the columns.

    It has a %s for the comparison operator: IS DISTINCT FROM on PostgreSQL, IS NOT on SQLite.
    """
    return f"({', '.join(f'OLD.{c}' for c in columns)}) %s ({', '.join(f'NEW.{c}' for c in columns)})"


def postgres_object(fields: dict[str, str]) -> str:
    values = (f"'{name}', {POSTGRES_VALUES[kind].format(name)}" for name, kind in fields.items())
    return f"json_build_object({', '.join(values)})"


def sqlite_object(fields: dict[str, str]) -> str:
    values = (f"'{name}', {SQLITE_VALUES[kind].format(name)}" for name, kind in fields.items())
    return f"json_object({', '.join(values)})"


def postgres_statements() -> list[str]:
    parts = [
        f"'{name}', {name if isinstance(kind, Related) else POSTGRES_VALUES[kind].format(f'NEW.{name}')}"
        for name, kind in FIELDS.items()
    ]
    related_objects = [
        f"SELECT {postgres_object(related.fields)} INTO {name} FROM {related.table} WHERE id = NEW.{name}_id FOR SHARE;"
        for name, related in RELATED.items()
    ]
    return [
        f"""
        CREATE FUNCTION music_card() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE
            {" ".join(f"{name} json;" for name in RELATED)}
            artist_is_active boolean;
        BEGIN
            {" ".join(related_objects)}
            SELECT is_active INTO artist_is_active FROM users_user WHERE id = NEW.artist_id;
            NEW.is_public := NEW.visibility = 'public' AND NOT NEW.is_hidden AND artist_is_active;
            NEW.card := json_build_object({", ".join(parts)});
            RETURN NEW;
        END $$
        """,
        "CREATE TRIGGER music_card BEFORE INSERT OR UPDATE ON music_song FOR EACH ROW EXECUTE FUNCTION music_card()",
        # Setting the payload to NULL is enough: the BEFORE UPDATE trigger above computes it again at any update.
        """
        CREATE FUNCTION music_cards_of() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            EXECUTE 'UPDATE music_song SET card = NULL WHERE ' || TG_ARGV[0] || ' = $1' USING NEW.id;
            RETURN NULL;
        END $$
        """,
        *[
            f"CREATE TRIGGER music_cards_of_{name} AFTER UPDATE OF {', '.join(watched_columns(related))} "
            f"ON {related.table} FOR EACH ROW WHEN ({has_changed(watched_columns(related)) % 'IS DISTINCT FROM'}) "
            f"EXECUTE FUNCTION music_cards_of('{name}_id')"
            for name, related in RELATED.items()
        ],
    ]


def sqlite_statements() -> list[str]:
    parts = [
        f"'{name}', (SELECT {sqlite_object(kind.fields)} FROM {kind.table} WHERE id = {name}_id)"
        if isinstance(kind, Related)
        else f"'{name}', {SQLITE_VALUES[kind].format(name)}"
        for name, kind in FIELDS.items()
    ]
    make = f"""
        UPDATE music_song SET
            is_public = visibility = 'public' AND NOT is_hidden
                AND (SELECT is_active FROM users_user WHERE id = artist_id),
            card = json_object({", ".join(parts)})
    """
    return [
        f"CREATE TRIGGER music_card_new AFTER INSERT ON music_song BEGIN {make} WHERE id = new.id; END",
        f"CREATE TRIGGER music_card AFTER UPDATE OF {', '.join(WATCHED)} ON music_song "
        f"BEGIN {make} WHERE id = new.id; END",
        *[
            f"CREATE TRIGGER music_cards_of_{name} AFTER UPDATE OF {', '.join(watched_columns(related))} "
            f"ON {related.table} WHEN {has_changed(watched_columns(related)) % 'IS NOT'} "
            f"BEGIN {make} WHERE {name}_id = new.id; END"
            for name, related in RELATED.items()
        ],
    ]


# Any update of a song computes its payload.
FILL = ["UPDATE music_song SET title = title"]
