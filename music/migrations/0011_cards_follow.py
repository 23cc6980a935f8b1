"""Triggers that keep `card` and `is_public` of a song what the song, its artist, its album and its genre say.

Who writes a song shares the lock of what it names, so that it waits for a renaming, and a renaming waits for it.
"""

from django.db import migrations

NAMED = {
    "artist": ("users_user", ["name", "username", "is_active"]),
    "album": ("music_album", ["title", "cover_image"]),
    "genre": ("music_genre", ["title"]),
}
SHOWN = (
    "title, artist_id, album_id, genre_id, track_number, duration, release_date, explicit, visibility, is_hidden, "
    "licensing_info, audio_file, created_at, updated_at"
)

POSTGRES = [
    """
    CREATE FUNCTION music_card() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        artist users_user;
        album json;
        genre json;
    BEGIN
        SELECT * INTO artist FROM users_user WHERE id = NEW.artist_id FOR SHARE;
        SELECT json_build_object('id', id, 'title', title, 'cover_image', nullif(cover_image, ''))
            INTO album FROM music_album WHERE id = NEW.album_id FOR SHARE;
        SELECT json_build_object('id', id, 'title', title) INTO genre FROM music_genre WHERE id = NEW.genre_id FOR SHARE;
        NEW.is_public := NEW.visibility = 'public' AND NOT NEW.is_hidden AND artist.is_active;
        NEW.card := json_build_object(
            'id', NEW.id,
            'title', NEW.title,
            'artist', json_build_object(
                'id', artist.id, 'username', split_part(artist.username, '@', 1), 'name', artist.name
            ),
            'album', album,
            'genre', genre,
            'track_number', NEW.track_number,
            'duration', NEW.duration,
            'release_date', NEW.release_date,
            'explicit', NEW.explicit,
            'visibility', NEW.visibility,
            'licensing_info', NEW.licensing_info,
            'audio_file', nullif(NEW.audio_file, ''),
            'created_at', to_char(NEW.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
            'updated_at', to_char(NEW.updated_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
        );
        RETURN NEW;
    END $$
    """,
    "CREATE TRIGGER music_card BEFORE INSERT OR UPDATE ON music_song FOR EACH ROW EXECUTE FUNCTION music_card()",
    # Any update of a song makes its card.
    """
    CREATE FUNCTION music_cards_of() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        EXECUTE 'UPDATE music_song SET card = NULL WHERE ' || TG_ARGV[0] || ' = $1' USING NEW.id;
        RETURN NULL;
    END $$
    """,
    *[
        f"CREATE TRIGGER music_cards_of_{name} AFTER UPDATE OF {', '.join(columns)} ON {table} FOR EACH ROW "
        f"WHEN (({', '.join(f'OLD.{c}' for c in columns)}) IS DISTINCT FROM ({', '.join(f'NEW.{c}' for c in columns)})) "
        f"EXECUTE FUNCTION music_cards_of('{name}_id')"
        for name, (table, columns) in NAMED.items()
    ],
]
POSTGRES_BACK = [
    "DROP FUNCTION music_cards_of() CASCADE",
    "DROP FUNCTION music_card() CASCADE",
]


def uuid(column: str) -> str:
    """SQLite has no type for it: 32 digits without hyphens."""
    starts = [(1, 8), (9, 4), (13, 4), (17, 4), (21, 12)]
    return " || '-' || ".join(f"substr({column}, {start}, {length})" for start, length in starts)


def time(column: str) -> str:
    return f"replace({column}, ' ', 'T') || 'Z'"


SQLITE_CARD = f"""
    UPDATE music_song SET
        is_public = visibility = 'public' AND NOT is_hidden
            AND (SELECT is_active FROM users_user WHERE id = artist_id),
        card = json_object(
            'id', {uuid("id")},
            'title', title,
            'artist', (SELECT json_object(
                'id', {uuid("id")}, 'username', substr(username, 1, instr(username || '@', '@') - 1), 'name', name
            ) FROM users_user WHERE id = artist_id),
            'album', (SELECT json_object('id', {uuid("id")}, 'title', title, 'cover_image', nullif(cover_image, ''))
                FROM music_album WHERE id = album_id),
            'genre', (SELECT json_object('id', {uuid("id")}, 'title', title) FROM music_genre WHERE id = genre_id),
            'track_number', track_number,
            'duration', duration,
            'release_date', release_date,
            'explicit', json(iif(explicit, 'true', 'false')),
            'visibility', visibility,
            'licensing_info', licensing_info,
            'audio_file', nullif(audio_file, ''),
            'created_at', {time("created_at")},
            'updated_at', {time("updated_at")}
        )
"""
SQLITE = [
    f"CREATE TRIGGER music_card_new AFTER INSERT ON music_song BEGIN {SQLITE_CARD} WHERE id = new.id; END",
    f"CREATE TRIGGER music_card AFTER UPDATE OF {SHOWN} ON music_song BEGIN {SQLITE_CARD} WHERE id = new.id; END",
    *[
        f"CREATE TRIGGER music_cards_of_{name} AFTER UPDATE OF {', '.join(columns)} ON {table} "
        f"WHEN ({', '.join(f'old.{c}' for c in columns)}) IS NOT ({', '.join(f'new.{c}' for c in columns)}) "
        f"BEGIN {SQLITE_CARD} WHERE {name}_id = new.id; END"
        for name, (table, columns) in NAMED.items()
    ],
]
SQLITE_BACK = [
    f"DROP TRIGGER {name}" for name in ("music_card_new", "music_card", *(f"music_cards_of_{n}" for n in NAMED))
]
# Any update makes the cards of the songs that are there already.
FILL = "UPDATE music_song SET title = title"


def run(statements: dict[str, list[str]]) -> object:
    def on_this_engine(apps: object, schema_editor: object) -> None:
        for statement in statements[schema_editor.connection.vendor]:
            schema_editor.execute(statement)

    return on_this_engine


class Migration(migrations.Migration):
    dependencies = [("music", "0010_song_cards"), ("users", "0001_accounts")]

    operations = [
        migrations.RunPython(
            run({"postgresql": [*POSTGRES, FILL], "sqlite": [*SQLITE, FILL]}),
            run({"postgresql": POSTGRES_BACK, "sqlite": SQLITE_BACK}),
        )
    ]
