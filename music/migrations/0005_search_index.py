"""The index of the terms on each engine, and the shelf of a song, which follows its plays."""

from django.db import migrations

TABLES = ["music_searchentry", "music_searchword"]

POSTGRES = [
    *[f"CREATE INDEX {table}_terms ON {table} USING gin (terms) WITH (fastupdate = off)" for table in TABLES],
    # What the first queries find, then what the next ones find, until there is enough. The planner is kept from
    # reading the table for a common word because it expects to come across enough of it soon.
    """
    CREATE FUNCTION music_found(queries tsquery[], most integer)
    RETURNS TABLE (kind varchar, object_id uuid, name text, credit text)
    LANGUAGE plpgsql STABLE ROWS 50 SET enable_seqscan = off SET enable_indexscan = off AS $$
    DECLARE
        query tsquery;
        number integer;
    BEGIN
        FOREACH query IN ARRAY queries LOOP
            RETURN QUERY SELECT entry.kind, entry.object_id, entry.name, entry.credit
                FROM music_searchentry entry WHERE entry.terms @@ query LIMIT most;
            GET DIAGNOSTICS number = ROW_COUNT;
            most := most - number;
            EXIT WHEN most <= 0;
        END LOOP;
    END $$
    """,
    """
    CREATE FUNCTION music_shelve() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        UPDATE music_searchentry
        SET terms = ts_delete(terms, ARRAY['#1', '#2', '#3', '#4', '#5'])
            || array_to_tsvector(ARRAY['#' || least((length(NEW.play_count::text) + 1) / 2, 5)])
        WHERE object_id = NEW.song_id;
        RETURN NULL;
    END $$
    """,
    """
    CREATE TRIGGER music_shelve_new AFTER INSERT ON music_songcounts FOR EACH ROW
    WHEN (NEW.play_count > 99) EXECUTE FUNCTION music_shelve()
    """,
    """
    CREATE TRIGGER music_shelve_played AFTER UPDATE OF play_count ON music_songcounts FOR EACH ROW
    WHEN (length(NEW.play_count::text) <> length(OLD.play_count::text)) EXECUTE FUNCTION music_shelve()
    """,
]
POSTGRES_BACK = [
    "DROP FUNCTION music_shelve() CASCADE",
    "DROP FUNCTION music_found",
    *[f"DROP INDEX {table}_terms" for table in TABLES],
]


def sqlite_index(table: str) -> list[str]:
    """An FTS5 table over the terms of another, kept by triggers as FTS5's documentation has them."""
    index = f"{table}_terms"
    add = f"INSERT INTO {index}(rowid, terms) VALUES (new.id, new.terms);"
    remove = f"INSERT INTO {index}({index}, rowid, terms) VALUES ('delete', old.id, old.terms);"
    return [
        f"CREATE VIRTUAL TABLE {index} USING fts5(terms, content='{table}', content_rowid='id', detail=none, "
        "tokenize=\"ascii tokenchars '#=@^'\")",
        f"CREATE TRIGGER {index}_added AFTER INSERT ON {table} BEGIN {add} END",
        f"CREATE TRIGGER {index}_gone AFTER DELETE ON {table} BEGIN {remove} END",
        f"CREATE TRIGGER {index}_changed AFTER UPDATE OF terms ON {table} BEGIN {remove} {add} END",
    ]


# The shelf is the first of the terms, which are sorted.
SQLITE_SHELVE = """
    BEGIN
        UPDATE music_searchentry
        SET terms = '#' || min((length(new.play_count) + 1) / 2, 5) || substr(terms, instr(terms || ' ', ' '))
        WHERE object_id = new.song_id;
    END
"""
SQLITE = [
    *[statement for table in TABLES for statement in sqlite_index(table)],
    f"CREATE TRIGGER music_shelve_new AFTER INSERT ON music_songcounts WHEN new.play_count > 99 {SQLITE_SHELVE}",
    "CREATE TRIGGER music_shelve_played AFTER UPDATE OF play_count ON music_songcounts "
    f"WHEN length(new.play_count) <> length(old.play_count) {SQLITE_SHELVE}",
]
SQLITE_BACK = [
    *[f"DROP TRIGGER music_shelve_{event}" for event in ("new", "played")],
    *[f"DROP TRIGGER {table}_terms_{event}" for table in TABLES for event in ("added", "gone", "changed")],
    *[f"DROP TABLE {table}_terms" for table in TABLES],
]


def run(statements: dict[str, list[str]]) -> object:
    def on_this_engine(apps: object, schema_editor: object) -> None:
        for statement in statements[schema_editor.connection.vendor]:
            schema_editor.execute(statement)

    return on_this_engine


class Migration(migrations.Migration):
    dependencies = [("music", "0004_search")]

    operations = [
        migrations.RunPython(
            run({"postgresql": POSTGRES, "sqlite": SQLITE}),
            run({"postgresql": POSTGRES_BACK, "sqlite": SQLITE_BACK}),
        )
    ]
