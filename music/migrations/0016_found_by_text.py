"""On PostgreSQL what finds entries by their terms also looks whether their text has some runs of letters.

The function that does not (migration 0005) stays for servers that are still of the version before.
"""

from django.db import migrations

FUNCTION = """
    CREATE FUNCTION music_found(queries tsquery[], runs text[], most integer)
    RETURNS TABLE (kind varchar, object_id uuid, name text, credit text)
    LANGUAGE plpgsql STABLE ROWS 50 SET enable_seqscan = off SET enable_indexscan = off AS $$
    DECLARE
        query tsquery;
        number integer;
    BEGIN
        FOREACH query IN ARRAY queries LOOP
            RETURN QUERY SELECT entry.kind, entry.object_id, entry.name, entry.credit
                FROM music_searchentry entry
                WHERE entry.terms @@ query
                AND NOT EXISTS (SELECT 1 FROM unnest(runs) run WHERE strpos(coalesce(entry.text, ''), run) = 0)
                LIMIT most;
            GET DIAGNOSTICS number = ROW_COUNT;
            most := most - number;
            EXIT WHEN most <= 0;
        END LOOP;
    END $$
"""


def create(apps: object, schema_editor: object) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(FUNCTION)


def drop(apps: object, schema_editor: object) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP FUNCTION music_found(tsquery[], text[], integer)")


class Migration(migrations.Migration):
    dependencies = [("music", "0015_text_of_search_entries")]

    operations = [migrations.RunPython(create, drop)]
