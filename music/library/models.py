from django.db import models

from core.db.base_model import UUIDModel
from music.catalogue.models import Album, Song
from users.models import User


class SongLike(UUIDModel):
    """A like: public as a number in `SongCounts.like_count`, and private as to who likes what."""

    listener = models.ForeignKey(User, on_delete=models.CASCADE, related_name="song_likes")
    song = models.ForeignKey(Song, on_delete=models.CASCADE, related_name="likes")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["listener", "song"], name="one_like_per_listener_and_song"),
        ]
        indexes = [models.Index(fields=["listener", "created_at", "id"], name="likes_of_listener")]

    def __str__(self) -> str:
        return f"{self.listener} likes {self.song}"


class FavoriteSong(UUIDModel):
    """A song in a listener's library. Only the listener sees it, and nothing counts it."""

    listener = models.ForeignKey(User, on_delete=models.CASCADE, related_name="favorite_songs")
    song = models.ForeignKey(Song, on_delete=models.CASCADE, related_name="favorites")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["listener", "song"], name="one_favorite_per_listener_and_song"),
        ]
        indexes = [models.Index(fields=["listener", "created_at", "id"], name="favorite_songs_of_listener")]

    def __str__(self) -> str:
        return f"{self.song}, a favorite of {self.listener}"


class FavoriteAlbum(UUIDModel):
    """An album in a listener's library, whether or not its songs are favorites too."""

    listener = models.ForeignKey(User, on_delete=models.CASCADE, related_name="favorite_albums")
    album = models.ForeignKey(Album, on_delete=models.CASCADE, related_name="favorites")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["listener", "album"], name="one_favorite_per_listener_and_album"),
        ]
        indexes = [models.Index(fields=["listener", "created_at", "id"], name="favorite_albums_of_listener")]

    def __str__(self) -> str:
        return f"{self.album}, a favorite of {self.listener}"


class ArtistFollow(UUIDModel):
    """A follow of an artist. It outlives the artist's role: followers are back if the artist becomes one again."""

    follower = models.ForeignKey(User, on_delete=models.CASCADE, related_name="follows")
    artist = models.ForeignKey(User, on_delete=models.CASCADE, related_name="followers")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["follower", "artist"], name="one_follow_per_follower_and_artist"),
            models.CheckConstraint(condition=~models.Q(follower=models.F("artist")), name="nobody_follows_oneself"),
        ]
        indexes = [
            models.Index(fields=["follower", "created_at", "id"], name="follows_of_follower"),
            models.Index(fields=["artist", "created_at", "id"], name="followers_of_artist"),
        ]

    def __str__(self) -> str:
        return f"{self.follower} follows {self.artist}"
