from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.widgets import AdminFileWidget
from django.core.files.base import File
from django.db.models import Count, QuerySet
from django.forms import FileField, ModelForm
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from music.catalogue.images import reencode_image
from music.catalogue.publishing import Recording
from music.models import Ad, Album, Genre, Song, Sound
from music.streaming.signed_urls import signed_path
from users.stored_files import discard


def picture(name: str, height: int) -> str:
    return format_html('<img src="/media/{}" alt="" style="height: {}px">', name, height) if name else "–"


@admin.register(Song)
class SongAdmin(admin.ModelAdmin):
    list_display = [
        "title",
        "cover",
        "artist",
        "album",
        "genre",
        "duration",
        "plays",
        "likes",
        "visibility",
        "is_hidden",
        "created_at",
    ]
    list_filter = [
        "visibility",
        "is_hidden",
        "explicit",
        ("audio_file", admin.EmptyFieldListFilter),
        "created_at",
    ]
    search_fields = ["title", "title_folded", "artist__name_folded", "album__title_folded"]
    list_select_related = ["artist", "album", "genre", "counts"]
    autocomplete_fields = ["artist", "album", "genre"]
    readonly_fields = [
        "player",
        "renditions",
        "audio_format",
        "bitrate",
        "audio_bytes",
        "duration",
        "plays",
        "likes",
        "created_at",
    ]
    exclude = ["audio_file"]
    ordering = ["-created_at"]
    show_full_result_count = False
    actions = ["hide", "show"]

    @admin.display(description="")
    def cover(self, song: Song) -> str:
        return picture(song.album.cover_image.name if song.album else "", 32)

    @admin.display(ordering="counts__play_count")
    def plays(self, song: Song) -> int:
        return song.counts.play_count

    @admin.display(ordering="counts__like_count")
    def likes(self, song: Song) -> int:
        return song.counts.like_count

    @admin.display(description="listen")
    def player(self, song: Song) -> str:
        if not song.audio_file:
            return "This song has no audio."
        # Signed for the artist: the admin may hear what is hidden or private.
        url = signed_path(song.pk, listener=song.artist)
        return format_html('<audio controls preload="none" src="{}"></audio>', url)

    @admin.display(description="renditions")
    def renditions(self, song: Song) -> str:
        made = ", ".join(f"{rendition.bitrate} kbps" for rendition in song.renditions.order_by("bitrate"))
        stated = Sound.objects.filter(song=song).values_list("status", "reason").first() or ()
        return " – ".join(part for part in (*stated, made) if part) or "none"

    @admin.action(description="Hide the selected songs from everybody but their artists")
    def hide(self, request: HttpRequest, songs: QuerySet) -> None:
        messages.success(request, f"Hidden: {songs.update(is_hidden=True)}.")

    @admin.action(description="Show the selected songs again")
    def show(self, request: HttpRequest, songs: QuerySet) -> None:
        messages.success(request, f"Shown again: {songs.update(is_hidden=False)}.")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # a song starts with its audio, which is checked where artists upload it


@admin.register(Album)
class AlbumAdmin(admin.ModelAdmin):
    list_display = ["title", "cover", "artist", "release_date", "songs", "created_at"]
    search_fields = ["title", "title_folded", "artist__name_folded"]
    list_filter = ["release_date", ("cover_image", admin.EmptyFieldListFilter)]
    list_select_related = ["artist"]
    autocomplete_fields = ["artist"]
    readonly_fields = ["large_cover", "created_at"]
    exclude = ["cover_image"]
    ordering = ["-created_at"]
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).annotate(number_of_songs=Count("songs"))

    @admin.display(description="")
    def cover(self, album: Album) -> str:
        return picture(album.cover_image.name, 32)

    @admin.display(description="cover")
    def large_cover(self, album: Album) -> str:
        return picture(album.cover_image.name, 240)

    @admin.display(ordering="number_of_songs")
    def songs(self, album: Any) -> int:
        return album.number_of_songs


@admin.register(Genre)
class GenreAdmin(admin.ModelAdmin):
    list_display = ["title", "maker", "songs"]
    search_fields = ["title", "title_folded"]
    list_select_related = ["maker"]
    autocomplete_fields = ["maker"]
    ordering = ["title_key"]

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).annotate(number_of_songs=Count("songs"))

    @admin.display(ordering="number_of_songs")
    def songs(self, genre: Any) -> int:
        return genre.number_of_songs


class AdForm(ModelForm):
    """Files are told by their content, as those that artists upload."""

    # Not Django's ImageField, which opens a picture in any format before we have looked at it.
    image = FileField(required=False, widget=AdminFileWidget)

    def clean_audio(self) -> File:
        audio = self.cleaned_data["audio"]
        if "audio" in self.changed_data:
            audio.name = f"ad.{Recording.inspected(audio).facts.format}"
        return audio

    def clean_image(self) -> File | None:
        image = self.cleaned_data["image"]
        return reencode_image(image) if image and "image" in self.changed_data else image


@admin.register(Ad)
class AdAdmin(admin.ModelAdmin):
    form = AdForm
    list_display = ["name", "picture", "weight", "starts", "ends", "is_active", "impressions", "clicks"]
    list_filter = ["is_active", "starts", "ends"]
    search_fields = ["name", "link"]
    readonly_fields = ["player", "picture", "impressions", "clicks"]
    ordering = ["-created_at"]

    @admin.display(description="")
    def picture(self, ad: Ad) -> str:
        return picture(ad.image.name, 60)

    @admin.display(description="listen")
    def player(self, ad: Ad) -> str:
        if not ad.audio:
            return "–"
        return format_html('<audio controls preload="none" src="{}"></audio>', reverse("ad-audio", args=[ad.pk]))

    def save_model(self, request: HttpRequest, ad: Ad, form: ModelForm, change: bool) -> None:
        super().save_model(request, ad, form, change)
        for name in {"audio", "image"}.intersection(form.changed_data if change else []):
            discard(form.initial[name].name)
