from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import Exists, OuterRef, QuerySet
from django.forms import CharField, ChoiceField, Form, ModelForm
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html

from core.admin.csv_export import ExportedList
from core.admin.pages import ReasonField, check_reason, reason_text
from music.catalogue.models import Album, Genre, Song, Visibility
from music.discovery.admin import IndexedSearch
from music.discovery.search.models import Kind
from music.streaming.models import AudioAnalysis
from music.streaming.signed_urls import signed_path


def image_tag(name: str, height: int) -> str:
    """Return an <img> of a stored picture, `height` pixels high; a dash if there is none."""
    return format_html('<img src="/media/{}" alt="" style="height: {}px">', name, height) if name else "–"


class SongForm(ModelForm):
    """The fields of a song, and the reason if it is hidden from everyone but its artist."""

    reason = ReasonField("hide a song")

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        is_hidden_now = "is_hidden" in self.changed_data and self.cleaned_data.get("is_hidden", False)
        check_reason(self, is_taken=is_hidden_now)
        return cleaned


class EditSongsForm(Form):
    """The fields that can be changed for several songs at once. An empty field stays as it is in each song."""

    YES_OR_NO = [("", "unchanged"), ("yes", "yes"), ("no", "no")]

    genre = CharField(required=False, max_length=200, help_text="Title of an existing genre.")
    visibility = ChoiceField(required=False, choices=[("", "unchanged"), *Visibility.choices])
    explicit = ChoiceField(required=False, choices=YES_OR_NO)
    reason = ReasonField("make songs private")

    def clean_genre(self) -> Genre | None:
        title = self.cleaned_data["genre"]
        genre = Genre.objects.titled(title).first() if title else None
        if title and genre is None:
            raise ValidationError("There is no genre with this title.")
        return genre

    def clean(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        check_reason(self, is_taken=cleaned.get("visibility") == Visibility.PRIVATE)
        if not (self.errors or any(cleaned.get(name) for name in ("genre", "visibility", "explicit"))):
            raise ValidationError("Choose at least one change.")
        return cleaned

    @property
    def changes(self) -> dict[str, Any]:
        """New values of the fields that a valid form changes."""
        changes = {name: self.cleaned_data[name] for name in ("genre", "visibility") if self.cleaned_data[name]}
        if self.cleaned_data["explicit"]:
            changes["explicit"] = self.cleaned_data["explicit"] == "yes"
        return changes


@admin.register(Song)
class SongAdmin(IndexedSearch, ExportedList):
    form = SongForm
    kind = Kind.SONG
    list_display = ["song", "artist", "genre", "length", "plays", "likes", "state", "added"]
    list_filter = ["visibility", "is_hidden", "explicit", ("audio_file", admin.EmptyFieldListFilter), "created_at"]
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
    actions = ["hide", "show", "edit"]
    csv_columns = {
        "id": "id",
        "title": "title",
        "artist": "artist__name",
        "artist id": "artist_id",
        "album": "album__title",
        "genre": "genre__title",
        "track number": "track_number",
        "release date": "release_date",
        "seconds": "duration",
        "explicit": "explicit",
        "visibility": "visibility",
        "hidden": "is_hidden",
        "plays": "counts__play_count",
        "likes": "counts__like_count",
        "added": "created_at",
    }

    @admin.display(ordering="title_folded")
    def song(self, song: Song) -> str:
        cover = image_tag(song.album.cover_image.name if song.album else "", 32)
        album = song.album.title if song.album else "single"
        return format_html('<span>{}</span><span>{}<small class="album">{}</small></span>', cover, song.title, album)

    @admin.display(ordering="counts__play_count")
    def plays(self, song: Song) -> int:
        return song.counts.play_count

    @admin.display(ordering="counts__like_count")
    def likes(self, song: Song) -> int:
        return song.counts.like_count

    @admin.display()
    def length(self, song: Song) -> str:
        return f"{song.duration // 60}:{song.duration % 60:02}"

    @admin.display()
    def state(self, song: Song) -> str:
        """Return what sets the song apart from most, which are public and have audio."""
        states = {
            "hidden": song.is_hidden,
            "private": song.visibility == Visibility.PRIVATE,
            "explicit": song.explicit,
            "no audio": not song.audio_file,
        }
        return ", ".join(state for state, applies in states.items() if applies) or "public"

    @admin.display(ordering="created_at")
    def added(self, song: Song) -> str:
        return f"{timezone.localtime(song.created_at):%Y-%m-%d}"

    @admin.display(description="listen")
    def player(self, song: Song) -> str:
        if not song.audio_file:
            return "This song has no audio."
        # Signed for the artist, who can hear the song even if it is hidden or private.
        url = signed_path(song.pk, listener=song.artist)
        return format_html('<audio controls preload="none" src="{}"></audio>', url)

    @admin.display(description="renditions")
    def renditions(self, song: Song) -> str:
        """Return status and reason of the analysis, then the bitrates there are, like "ready – 96 kbps, 160 kbps"."""
        analysis = AudioAnalysis.objects.filter(song=song).values_list("status", "reason").first() or ()
        bitrates = ", ".join(f"{rendition.bitrate} kbps" for rendition in song.renditions.order_by("bitrate"))
        return " – ".join(part for part in (*analysis, bitrates) if part) or "none"

    @admin.action(description="Hide the selected songs from everyone but their artists", permissions=["change"])
    def hide(self, request: HttpRequest, songs: QuerySet) -> HttpResponse | None:
        answer = self.ask_why(
            request,
            songs,
            action="hide",
            title="Hide songs",
            explanation="Only their artists will see and hear them, and can't undo it. Files and counts stay.",
        )
        if isinstance(answer, str):
            entry = f"Hidden from everyone but the artist. {reason_text(answer)}"
            hidden = self.act(request, songs.filter(is_hidden=False), entry, lambda rows: rows.update(is_hidden=True))
            messages.success(request, f"Hidden: {len(hidden)}.")
            return None
        return answer

    @admin.action(description="Show the selected songs again", permissions=["change"])
    def show(self, request: HttpRequest, songs: QuerySet) -> None:
        if self.are_too_many(request, songs):
            return
        hidden = songs.filter(is_hidden=True)
        shown = self.act(request, hidden, "Shown again.", lambda rows: rows.update(is_hidden=False))
        messages.success(request, f"Shown again: {len(shown)}.")

    @admin.action(description="Edit the selected songs (genre, visibility, explicit)", permissions=["change"])
    def edit(self, request: HttpRequest, songs: QuerySet) -> HttpResponse | None:
        if self.are_too_many(request, songs):
            return None
        answer: Any = self.ask(
            request,
            songs,
            EditSongsForm,
            action="edit",
            title="Edit songs",
            explanation="Empty fields stay as they are.",
        )
        if isinstance(answer, HttpResponse):
            return answer
        changes, reason = answer.changes, reason_text(answer.cleaned_data["reason"])
        summary = ", ".join(
            f"{name}: {'yes' if to is True else 'no' if to is False else to}" for name, to in changes.items()
        )

        def change(rows: QuerySet) -> None:
            for song in rows:
                for name, value in changes.items():
                    setattr(song, name, value)
                # Saved one by one, and not by one UPDATE: the search index follows the signals of saved rows.
                song.save(update_fields=[*changes, "updated_at"])

        changed = self.act(request, songs, f"Changed together with others: {summary}. {reason}".strip(), change)
        messages.success(request, f"Changed: {len(changed)} ({summary}).")
        return None

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # a song begins with an upload of audio, which the API checks and this form does not


@admin.register(Album)
class AlbumAdmin(IndexedSearch):
    kind = Kind.ALBUM
    list_display = ["title", "cover", "artist", "release_date", "songs", "created_at"]
    list_filter = ["release_date", ("cover_image", admin.EmptyFieldListFilter)]
    list_select_related = ["artist"]
    autocomplete_fields = ["artist"]
    readonly_fields = ["large_cover", "created_at"]
    exclude = ["cover_image"]
    ordering = ["-created_at"]

    @admin.display(description="")
    def cover(self, album: Album) -> str:
        return image_tag(album.cover_image.name, 32)

    @admin.display(description="cover")
    def large_cover(self, album: Album) -> str:
        return image_tag(album.cover_image.name, 240)

    @admin.display(ordering="songs_in_all")
    def songs(self, album: Album) -> str:
        return link_to_songs("album", album.pk, album.songs_in_all)


def link_to_songs(field: str, pk: Any, text: Any) -> str:
    """Return a link to the list of songs with this album or genre."""
    return format_html('<a href="{}?{}__id__exact={}">{}</a>', reverse("admin:music_song_changelist"), field, pk, text)


@admin.register(Genre)
class GenreAdmin(IndexedSearch):
    kind = Kind.GENRE
    list_display = ["title", "maker", "is_used", "songs"]
    list_select_related = ["maker"]
    autocomplete_fields = ["maker"]
    ordering = ["title_key"]

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        # Whether there is a song, and not how many: counting those of a large genre reads a hundred thousand rows.
        return super().get_queryset(request).annotate(is_used=Exists(Song.objects.filter(genre=OuterRef("pk"))))

    @admin.display(boolean=True, description="used")
    def is_used(self, genre: Any) -> bool:
        return genre.is_used

    @admin.display()
    def songs(self, genre: Genre) -> str:
        return link_to_songs("genre", genre.pk, "songs")
