"""Triggers that maintain the totals of albums and artists (song counts, album counts, durations).

Each change of a row adds its difference to the totals. Counting the rows again instead would lose updates: of two
concurrent transactions the second waits for the row with the total and then sees the first one's new total, but its
count would have missed the rows that the first one wrote.
"""

from music.catalogue.song_payload import has_changed

# How much a song adds to the totals of its album and artist, and an album to those of its artist. {0} is OLD or NEW.
PUBLIC = "CASE WHEN {0}.is_public THEN 1 ELSE 0 END"
LENGTH = "CASE WHEN {0}.is_public THEN {0}.duration ELSE 0 END"
SHOWN = "CASE WHEN {0}.song_count > 0 OR {0}.songs_in_all = 0 THEN 1 ELSE 0 END"


def song_counts(row: str, sign: str) -> str:
    """Return the SQL that adds ("+") a song, OLD or NEW, to the totals, or subtracts ("-") it from them."""
    public, length = PUBLIC.format(row), LENGTH.format(row)
    return f"""
        UPDATE music_album SET song_count = song_count {sign} {public}, duration = duration {sign} {length},
            songs_in_all = songs_in_all {sign} 1 WHERE id = {row}.album_id;
        UPDATE music_artistcounts SET song_count = song_count {sign} {public} WHERE artist_id = {row}.artist_id;
    """


def album_counts(row: str, sign: str) -> str:
    """Return the SQL that adds ("+") an album, OLD or NEW, to its artist's totals, or subtracts ("-") it from them."""
    shown = SHOWN.format(row)
    return f"UPDATE music_artistcounts SET album_count = album_count {sign} {shown} WHERE artist_id = {row}.artist_id;"


# Table, SQL of a change, and the columns on which the totals depend.
TRIGGERS = [
    ("music_song", song_counts, ["album_id", "artist_id", "is_public", "duration"]),
    ("music_album", album_counts, ["artist_id", "song_count", "songs_in_all"]),
]
SONGS = "(SELECT count(*) FROM music_song WHERE artist_id = {0}.artist_id AND is_public)"
ALBUMS = """(SELECT count(*) FROM music_album
    WHERE artist_id = {0}.artist_id AND (song_count > 0 OR songs_in_all = 0))"""
# New counters of an artist start with the songs and albums that exist already.
POSTGRES_START = [
    f"""
    CREATE FUNCTION music_artistcounts_start() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        NEW.song_count := {SONGS.format("NEW")};
        NEW.album_count := {ALBUMS.format("NEW")};
        RETURN NEW;
    END $$
    """,
    "CREATE TRIGGER music_artistcounts_start BEFORE INSERT ON music_artistcounts FOR EACH ROW "
    "EXECUTE FUNCTION music_artistcounts_start()",
]
SQLITE_START = [
    f"""
    CREATE TRIGGER music_artistcounts_start AFTER INSERT ON music_artistcounts BEGIN
        UPDATE music_artistcounts SET song_count = {SONGS.format("new")}, album_count = {ALBUMS.format("new")}
        WHERE artist_id = new.artist_id;
    END
    """
]
FILL = [
    """
    UPDATE music_album SET
        song_count = (SELECT count(*) FROM music_song WHERE album_id = music_album.id AND is_public),
        duration = (SELECT coalesce(sum(duration), 0) FROM music_song WHERE album_id = music_album.id AND is_public),
        songs_in_all = (SELECT count(*) FROM music_song WHERE album_id = music_album.id)
    """,
    f"""
    UPDATE music_artistcounts SET
        song_count = {SONGS.format("music_artistcounts")}, album_count = {ALBUMS.format("music_artistcounts")}
    """,
]


def postgres_statements() -> list[str]:
    statements = POSTGRES_START[:]
    for table, counts, columns in TRIGGERS:
        events = {
            "INSERT": ("", counts("NEW", "+")),
            "DELETE": ("", counts("OLD", "-")),
            f"UPDATE OF {', '.join(columns)}": (
                f"WHEN ({has_changed(columns) % 'IS DISTINCT FROM'})",
                counts("OLD", "-") + counts("NEW", "+"),
            ),
        }
        # Not "AFTER UPDATE OF" the columns, which looks at the columns in the UPDATE statement only: `is_public` is set
        # by the payload's BEFORE trigger, without being in the statement.
        for event, (when, body) in events.items():
            kind = event.partition(" ")[0]
            name = f"{table}_totals_{kind.lower()}"
            statements += [
                f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} RETURN NULL; END $$",
                f"CREATE TRIGGER {name} AFTER {kind} ON {table} FOR EACH ROW {when} EXECUTE FUNCTION {name}()",
            ]
    return statements


def sqlite_statements() -> list[str]:
    statements = SQLITE_START[:]
    for table, counts, columns in TRIGGERS:
        statements += [
            f"CREATE TRIGGER {table}_totals_insert AFTER INSERT ON {table} BEGIN {counts('new', '+')} END",
            f"CREATE TRIGGER {table}_totals_delete AFTER DELETE ON {table} BEGIN {counts('old', '-')} END",
            f"CREATE TRIGGER {table}_totals_update AFTER UPDATE OF {', '.join(columns)} ON {table} "
            f"WHEN {has_changed(columns) % 'IS NOT'} BEGIN {counts('old', '-')} {counts('new', '+')} END",
        ]
    return statements
