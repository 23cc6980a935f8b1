import re
from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.widgets import AdminFileWidget
from django.core.exceptions import ValidationError
from django.core.files.base import File
from django.db.models import Exists, OuterRef, QuerySet
from django.forms import CharField, ChoiceField, FileField, Form, ModelForm
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html

from core.admin.csv_export import ExportedList
from core.admin.pages import AdminPages, ReasonField, check_reason, reason_text
from core.db.base_model import UUID_REGEX
from core.images.reencoder import reencode_image
from core.storage.stored_files import discard
from music.catalogue.models import Visibility
from music.catalogue.publication import Recording
from music.discovery.search.finder import matching
from music.discovery.search.models import Kind
from music.models import Ad, Album, AudioAnalysis, Genre, Song
from music.streaming.signed_urls import signed_path


def picture(name: str, height: int) -> str:
    return format_html('<img src="/media/{}" alt="" style="height: {}px">', name, height) if name else "–"


class TypoTolerantSearch(AdminPages):
    """Finds what the search of the service finds: any order of words, unfinished ones, typos; and ids."""

    kind: Kind
    search_fields = ["id"]  # the box shows where there are some

    def get_search_results(self, request: HttpRequest, rows: QuerySet, term: str) -> tuple[QuerySet, bool]:
        term = term.replace("\x00", "").strip()
        if not term:
            return rows, False
        if re.fullmatch(UUID_REGEX, term):
            return rows.filter(pk=term), False
        return matching(rows, term, self.kind), False


def date_of(moment: datetime | None) -> str:
    return f"{timezone.localtime(moment):%Y-%m-%d}" if moment else "–"


def minutes(seconds: int) -> str:
    return f"{seconds // 60}:{seconds % 60:02}"


def state_of(song: Song) -> str:
    """Return what is special about the song: most are public and heard by everybody."""
    marks = {
        "hidden": song.is_hidden,
        "private": song.visibility == Visibility.PRIVATE,
        "explicit": song.explicit,
        "no audio": not song.audio_file,
    }
    return ", ".join(mark for mark, applies in marks.items() if applies) or "public"


class SongForm(ModelForm):
    reason = ReasonField("hide a song")

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        is_taken = "is_hidden" in self.changed_data and self.cleaned_data.get("is_hidden", False)
        check_reason(self, is_taken=is_taken)
        return cleaned


class SongsForm(Form):
    """What can be changed of several songs at once. An empty field leaves everything as it is."""

    YES_OR_NO = [("", "as they are"), ("yes", "yes"), ("no", "no")]

    genre = CharField(required=False, max_length=200, help_text="The title of a genre that exists.")
    visibility = ChoiceField(required=False, choices=[("", "as they are"), *Visibility.choices])
    explicit = ChoiceField(required=False, choices=YES_OR_NO)
    reason = ReasonField("make songs private")

    def clean_genre(self) -> Genre | None:
        title = self.cleaned_data["genre"]
        genre = Genre.objects.titled(title).first() if title else None
        if title and genre is None:
            raise ValidationError("There is no genre of this title.")
        return genre

    def clean(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        check_reason(self, is_taken=cleaned.get("visibility") == Visibility.PRIVATE)
        if not (self.errors or any(cleaned.get(name) for name in ("genre", "visibility", "explicit"))):
            raise ValidationError("Say what to change.")
        return cleaned


def changes_of(form: Form) -> dict[str, Any]:
    """Return the fields of a song that a valid SongsForm changes, with their new values."""
    changes = {name: form.cleaned_data[name] for name in ("genre", "visibility") if form.cleaned_data[name]}
    if form.cleaned_data["explicit"]:
        changes["explicit"] = form.cleaned_data["explicit"] == "yes"
    return changes


@admin.register(Song)
class SongAdmin(TypoTolerantSearch, ExportedList):
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
        cover = picture(song.album.cover_image.name if song.album else "", 32)
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
        return minutes(song.duration)

    @admin.display()
    def state(self, song: Song) -> str:
        return state_of(song)

    @admin.display(ordering="created_at")
    def added(self, song: Song) -> str:
        return date_of(song.created_at)

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
        stated = AudioAnalysis.objects.filter(song=song).values_list("status", "reason").first() or ()
        return " – ".join(part for part in (*stated, made) if part) or "none"

    @admin.action(description="Hide the selected songs from everybody but their artists", permissions=["change"])
    def hide(self, request: HttpRequest, songs: QuerySet) -> HttpResponse | None:
        answer = self.ask_why(
            request,
            songs,
            action="hide",
            title="Hide songs",
            explanation="Only their artists will see and hear them, and cannot undo it. Files and counts stay.",
        )
        if isinstance(answer, str):
            entry = f"Hidden from everybody but the artist. {reason_text(answer)}"
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
        answer = self.ask(
            request,
            songs,
            SongsForm,
            action="edit",
            title="Edit songs",
            explanation="What is left empty stays as it is.",
        )
        if isinstance(answer, HttpResponse):
            return answer
        changes, reason = changes_of(answer), reason_text(answer.cleaned_data["reason"])
        said = ", ".join(
            f"{name}: {'yes' if to is True else 'no' if to is False else to}" for name, to in changes.items()
        )

        def change(rows: QuerySet) -> None:
            for song in rows:
                for name, value in changes.items():
                    setattr(song, name, value)
                song.save(update_fields=[*changes, "updated_at"])  # one by one: the search index listens

        changed = self.act(request, songs, f"Changed together with others: {said}. {reason}".strip(), change)
        messages.success(request, f"Changed: {len(changed)} ({said}).")
        return None

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # a song starts with its audio, which is checked where artists upload it


@admin.register(Album)
class AlbumAdmin(TypoTolerantSearch):
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
        return picture(album.cover_image.name, 32)

    @admin.display(description="cover")
    def large_cover(self, album: Album) -> str:
        return picture(album.cover_image.name, 240)

    @admin.display(ordering="songs_in_all")
    def songs(self, album: Album) -> str:
        return link_to_songs("album", album.pk, album.songs_in_all)


def link_to_songs(field: str, pk: Any, text: Any) -> str:
    return format_html('<a href="{}?{}__id__exact={}">{}</a>', reverse("admin:music_song_changelist"), field, pk, text)


@admin.register(Genre)
class GenreAdmin(TypoTolerantSearch):
    kind = Kind.GENRE
    list_display = ["title", "maker", "is_used", "songs"]
    list_select_related = ["maker"]
    autocomplete_fields = ["maker"]
    ordering = ["title_key"]

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        # Not their number: of a genre that has a hundred thousand songs it takes as many rows to count them.
        return super().get_queryset(request).annotate(is_used=Exists(Song.objects.filter(genre=OuterRef("pk"))))

    @admin.display(boolean=True, description="used")
    def is_used(self, genre: Any) -> bool:
        return genre.is_used

    @admin.display()
    def songs(self, genre: Genre) -> str:
        return link_to_songs("genre", genre.pk, "songs")


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
class AdAdmin(AdminPages):
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
