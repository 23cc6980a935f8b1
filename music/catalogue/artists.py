"""What the catalogue knows of artists, whose accounts belong to `users`."""

from django.db.models import F, IntegerField, OuterRef, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Coalesce

from music.catalogue.models import ArtistCounts, Song
from users.models import User


def visible_artists() -> QuerySet[User]:
    """Artists whose account is not suspended, with what they show of themselves."""
    # Every artist has counts: said here, so that the database may begin with these where they give the order. As a
    # range, though it holds them all: SQLite begins with an index only where one is asked for.
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


def with_totals(artists: QuerySet[User]) -> QuerySet[User]:
    """All plays and all likes of each artist's public songs."""
    songs = Song.objects.public().filter(artist=OuterRef("pk"))
    return artists.annotate(
        total_plays=_total(songs, Sum("counts__play_count")),
        total_likes=_total(songs, Sum("counts__like_count")),
    )


def _total(rows: QuerySet, aggregate: Sum) -> Coalesce:
    of_artist = rows.order_by().values("artist").annotate(total=aggregate).values("total")
    return Coalesce(Subquery(of_artist, output_field=IntegerField()), Value(0))


def start_counting(instance: User, **kwargs: object) -> None:
    """Receiver for post_save: whoever becomes an artist can be followed."""
    if instance.is_artist:
        ArtistCounts.objects.get_or_create(artist=instance)
