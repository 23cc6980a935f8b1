"""The SQL that keeps `card` and `is_public` of a song what the song, its artist, its album and its genre say.

A card is the JSON of what everybody is shown of a song. Whoever writes a song shares the lock of what it names, so
that it waits for a renaming, and a renaming waits for it.
"""

NAMED = {
    "artist": ("users_user", ["name", "username", "is_active"]),
    "album": ("music_album", ["title", "cover_image"]),
    "genre": ("music_genre", ["title"]),
}
SHOWN = (
    "title, artist_id, album_id, genre_id, track_number, disc_number, duration, release_date, explicit, visibility, "
    "is_hidden, licensing_info, audio_file, created_at, updated_at"
)


def changed(columns: list[str]) -> str:
    """Whether any of them did, with the engine's word for «differ» still to be put in."""
    return f"({', '.join(f'OLD.{c}' for c in columns)}) %s ({', '.join(f'NEW.{c}' for c in columns)})"


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
        SELECT json_build_object('id', id, 'title', title)
            INTO genre FROM music_genre WHERE id = NEW.genre_id FOR SHARE;
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
            'disc_number', NEW.disc_number,
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
        f"WHEN ({changed(columns) % 'IS DISTINCT FROM'}) EXECUTE FUNCTION music_cards_of('{name}_id')"
        for name, (table, columns) in NAMED.items()
    ],
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
            'disc_number', disc_number,
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
        f"WHEN {changed(columns) % 'IS NOT'} "
        f"BEGIN {SQLITE_CARD} WHERE {name}_id = new.id; END"
        for name, (table, columns) in NAMED.items()
    ],
]
# Any update makes the card of a song.
FILL = ["UPDATE music_song SET title = title"]
