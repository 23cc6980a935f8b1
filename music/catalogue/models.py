from typing import Self

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Exists, F, OuterRef, Q, Sum
from django.urls import reverse

from core.db.base_model import UUIDModel
from core.folding import FoldedField, fold_accents, fold_case
from core.storage import stored_files
from core.text import NameField
from music.catalogue.child_counts import Listener, as_shown_to, number_of, total_of
from music.catalogue.orderings import RELEASED_FIRST, RELEASED_LAST
from payments.plans import child_seat_of
from users.models import User


class Visibility(models.TextChoices):
    PUBLIC = "public"
    PRIVATE = "private"


class GenreQuerySet(models.QuerySet):
    def titled(self, title: str) -> Self:
        """Return genres with this title; case and surrounding space are ignored, so there is at most one."""
        return self.filter(title_key=fold_case(title))


class Genre(UUIDModel):
    title = NameField(max_length=200)
    title_key = FoldedField(source="title", unique=True)
    title_folded = FoldedField(source="title", fold=fold_accents, db_index=True)
    maker = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="genres")

    objects = GenreQuerySet.as_manager()

    def __str__(self) -> str:
        return self.title

    @property
    def is_used_by_others(self) -> bool:
        return self.songs.exclude(artist=self.maker_id).exists()


def cover_key(album: "Album", filename: str) -> str:
    return stored_files.make_key("covers", filename)


class AlbumQuerySet(models.QuerySet):
    def visible_to(self, listener: Listener) -> Self:
        """Return the listener's own albums, and others' unless they have songs of which the listener may see none."""
        if not listener.is_authenticated:
            return self.shown().filter(artist__is_active=True)
        visible = Q(artist__is_active=True) & (Q(song_count__gt=0) | Q(songs_in_all=0))
        visible &= ~child_seat_of(listener) | self._has_songs_for_children()
        return self.filter(visible | Q(artist=listener.pk))

    def shown(self) -> Self:
        """Return albums that have a public song, or no song at all."""
        return self.filter(Q(song_count__gt=0) | Q(songs_in_all=0))

    def with_songs_for_children(self) -> Self:
        """Return albums that a child sees: with a public song that is not explicit, or no song at all."""
        return self.shown().filter(self._has_songs_for_children())

    def _has_songs_for_children(self) -> Q:
        return Q(songs_in_all=0) | Q(Exists(Song.objects.for_children().filter(album=OuterRef("pk"))))

    def with_counts_for(self, listener: Listener) -> Self:
        """Add `songs_shown` and `duration_shown` (seconds), counting only songs that exist for the listener."""
        songs = Song.objects.for_children().filter(album=OuterRef("pk"))
        return self.annotate(
            songs_shown=as_shown_to(listener, F("song_count"), child=number_of(songs, "album")),
            duration_shown=as_shown_to(listener, F("duration"), child=total_of(songs, "album", Sum("duration"))),
        )

    def with_credits(self) -> Self:
        """Add the artist's username and name in the same query."""
        return self.annotate(artist_username=F("artist__username"), artist_name=F("artist__name"))


class Album(UUIDModel):
    title = NameField(max_length=200)
    title_folded = FoldedField(source="title", fold=fold_accents)
    artist = models.ForeignKey(User, on_delete=models.CASCADE, related_name="albums")
    release_date = models.DateField(null=True, blank=True)
    cover_image = models.ImageField(upload_to=cover_key, blank=True)
    # Maintained by triggers (totals.py): public songs, their length in seconds, and all songs, private ones included.
    song_count = models.PositiveIntegerField(default=0, db_default=0, editable=False)
    duration = models.PositiveIntegerField(default=0, db_default=0, editable=False)
    songs_in_all = models.PositiveIntegerField(default=0, db_default=0, editable=False)

    objects = AlbumQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(F("title_folded"), F("id"), name="albums_by_title"),
            models.Index(F("created_at"), F("id"), name="albums_by_creation"),
            models.Index(RELEASED_FIRST, F("id"), name="albums_by_release"),
            models.Index(RELEASED_LAST, F("id"), name="albums_by_latest_release"),
        ]

    def __str__(self) -> str:
        return self.title


def audio_key(song: "Song", filename: str) -> str:
    return stored_files.make_key("audio", filename)


class SongQuerySet(models.QuerySet):
    def public(self) -> Self:
        """Return songs that every caller may hear. Counts and totals include these songs only."""
        return self.filter(is_public=True)

    def public_for(self, listener: Listener) -> Self:
        """Return public songs that the listener may hear; the listener's own private songs are left out."""
        return self.public().allowed_for(listener)

    def for_children(self) -> Self:
        """Return public songs without explicit content, the only songs of others that exist for a child."""
        return self.public().filter(explicit=False)

    def visible_to(self, listener: Listener) -> Self:
        """Return public songs and the listener's own."""
        if not listener.is_authenticated:
            return self.public()
        return self.filter(Q(is_public=True) | Q(artist=listener.pk)).allowed_for(listener)

    def allowed_for(self, listener: Listener) -> Self:
        """Leave out explicit songs if the listener is a child on a Family plan. This holds for signed URLs too."""
        return self.filter(Q(explicit=False) | ~child_seat_of(listener)) if listener.is_authenticated else self

    def with_counts(self) -> Self:
        """Add `number` (see SongCounts.id), `play_count` and `like_count`."""
        # Every song has counts, so this filter removes nothing. It makes the join an inner one, and only then can the
        # database start from the counts' indexes when they give the order.
        return self.filter(counts__isnull=False).annotate(
            number=F("counts__id"), play_count=F("counts__play_count"), like_count=F("counts__like_count")
        )


class Song(UUIDModel):
    title = NameField(max_length=200)
    title_folded = FoldedField(source="title", fold=fold_accents)
    artist = models.ForeignKey(User, on_delete=models.CASCADE, related_name="songs")
    album = models.ForeignKey(Album, on_delete=models.SET_NULL, null=True, blank=True, related_name="songs")
    genre = models.ForeignKey(Genre, on_delete=models.SET_NULL, null=True, blank=True, related_name="songs")
    track_number = models.PositiveSmallIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(32767)]
    )
    disc_number = models.PositiveSmallIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(32767)]
    )
    duration = models.PositiveIntegerField(default=0, help_text="Whole seconds, measured from the audio.")
    release_date = models.DateField(null=True, blank=True)
    explicit = models.BooleanField(default=False)
    visibility = models.CharField(max_length=10, choices=Visibility, default=Visibility.PUBLIC)
    is_hidden = models.BooleanField(
        "hidden",
        default=False,
        help_text="Nobody but its artist sees a hidden song, and the artist can't undo it.",
    )
    licensing_info = models.TextField(max_length=2000, blank=True)
    # Empty for songs that were imported without audio.
    audio_file = models.FileField(upload_to=audio_key, blank=True)
    audio_format = models.CharField(max_length=10, blank=True, editable=False)
    audio_bytes = models.PositiveBigIntegerField(default=0, editable=False)
    bitrate = models.PositiveIntegerField(default=0, editable=False, help_text="kbps of the uploaded audio.")
    # Identifies the song in the file it was imported from, so that importing the file again adds no duplicates.
    source_key = models.CharField(max_length=200, unique=True, null=True, editable=False)
    # Both are maintained by triggers (song_payload.py). The payload is the JSON of the fields that are the same for
    # every caller. A song is public if its visibility says so, no admin has hidden it, and its artist is not suspended.
    payload = models.TextField(null=True, editable=False, db_column="card")
    is_public = models.BooleanField(null=True, editable=False)

    objects = SongQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(F("created_at"), F("id"), name="songs_by_creation"),
            models.Index(F("title_folded"), F("id"), name="songs_by_title"),
            models.Index(RELEASED_FIRST, F("id"), name="songs_by_release"),
            models.Index(RELEASED_LAST, F("id"), name="songs_by_latest_release"),
            models.Index(F("artist"), F("created_at"), F("id"), name="songs_of_artist"),
            models.Index(F("genre"), F("created_at"), F("id"), name="songs_of_genre"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(visibility__in=Visibility.values), name="song_visibility_is_known"),
            models.CheckConstraint(condition=Q(track_number__gte=1), name="track_numbers_start_at_1"),
        ]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("song-detail", args=[self.pk])


class SongCounts(models.Model):
    """Counters of a song, in a narrow row of their own: they change at every play, the wide song row does not."""

    # Consecutive numbers almost without gaps, so that a random song can be found by a random number.
    id = models.BigAutoField(primary_key=True)
    song = models.OneToOneField(Song, on_delete=models.CASCADE, related_name="counts")
    play_count = models.PositiveBigIntegerField(default=0)
    like_count = models.PositiveBigIntegerField(default=0)
    # Plays that have no Play rows, such as those that came with an import; `play_count` starts from here.
    starting_play_count = models.PositiveBigIntegerField(default=0)

    class Meta:
        verbose_name_plural = "song counts"
        indexes = [
            models.Index(fields=["play_count", "song"], name="songs_by_plays"),
            models.Index(fields=["like_count", "song"], name="songs_by_likes"),
        ]

    def __str__(self) -> str:
        return f"{self.play_count} plays, {self.like_count} likes"


class ArtistCounts(models.Model):
    """Counters of an artist, in a narrow row beside the account."""

    artist = models.OneToOneField(User, on_delete=models.CASCADE, primary_key=True, related_name="counts")
    follower_count = models.PositiveBigIntegerField(default=0)
    # Maintained by triggers (totals.py): public songs, and albums that every caller sees.
    song_count = models.PositiveIntegerField(default=0, db_default=0, editable=False)
    album_count = models.PositiveIntegerField(default=0, db_default=0, editable=False)
    # The last day (UTC) with an upload, and its number of uploads; upload_limits.py compares both with the limit.
    uploads_on = models.DateField(null=True, editable=False)
    upload_count = models.PositiveIntegerField(default=0, db_default=0, editable=False)

    class Meta:
        verbose_name_plural = "artist counts"
        indexes = [models.Index(fields=["follower_count", "artist"], name="artists_by_followers")]

    def __str__(self) -> str:
        return f"{self.follower_count} followers"
