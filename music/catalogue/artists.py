"""Queries of artists with their counts. An artist is a User; the account itself belongs to `users`."""

from django.db.models import F, OuterRef, QuerySet, Sum

from music.catalogue.child_counts import as_shown_to, number_of, total_of
from music.catalogue.models import Album, ArtistCounts, Listener, Song
from users.models import User


def visible_artists() -> QuerySet[User]:
    """Return artists whose account is not suspended, with their profile picture and counts."""
    # Every artist has counts, so this filter removes nothing. It makes the join an inner one, and only then can the
    # database start from the counts' index when it gives the order; SQLite does so only if there is a range condition.
    return (
        User.objects.artists()
        .filter(counts__follower_count__gte=0)
        .annotate(
            profile_picture=F("profile__profile_picture"),
            song_count=F("counts__song_count"),
            album_count=F("counts__album_count"),
            follower_count=F("counts__follower_count"),
        )
    )


def with_counts_for(listener: Listener, artists: QuerySet[User]) -> QuerySet[User]:
    """Replace `song_count` and `album_count` by counts of what exists for the listener."""
    songs = Song.objects.for_children().filter(artist=OuterRef("pk"))
    albums = Album.objects.with_songs_for_children().filter(artist=OuterRef("pk"))
    return artists.annotate(
        song_count=as_shown_to(listener, F("counts__song_count"), child=number_of(songs, "artist")),
        album_count=as_shown_to(listener, F("counts__album_count"), child=number_of(albums, "artist")),
    )


def with_totals(artists: QuerySet[User], listener: Listener) -> QuerySet[User]:
    """Add `total_plays` and `total_likes`: sums over each artist's public songs that exist for the listener."""
    songs = Song.objects.public_for(listener).filter(artist=OuterRef("pk"))
    return artists.annotate(
        total_plays=total_of(songs, "artist", Sum("counts__play_count")),
        total_likes=total_of(songs, "artist", Sum("counts__like_count")),
    )


def ensure_artist_counts(instance: User, **kwargs: object) -> None:
    """Create the counters of a user who has become an artist. Receiver for post_save."""
    if instance.is_artist:
        ArtistCounts.objects.get_or_create(artist=instance)
