from django.contrib import admin
from django.contrib.admin.widgets import AdminFileWidget
from django.core.files.base import File
from django.forms import FileField, ModelForm
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from core.admin.pages import AdminPages
from core.images.reencoder import reencode_image
from core.storage.stored_files import discard
from music.advertising.models import Ad
from music.catalogue.admin import image_tag
from music.catalogue.publication import Recording


class AdForm(ModelForm):
    """Check uploaded audio and images by their content, as the API checks those of artists."""

    # Not Django's ImageField: it would open a picture of any format before reencode_image has checked it.
    image = FileField(required=False, widget=AdminFileWidget)

    def clean_audio(self) -> File:
        audio = self.cleaned_data["audio"]
        if "audio" in self.changed_data:
            # The client's file name and ending are not trusted; the key in storage takes its ending from here.
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
        return image_tag(ad.image.name, 60)

    @admin.display(description="listen")
    def player(self, ad: Ad) -> str:
        if not ad.audio:
            return "–"
        return format_html('<audio controls preload="none" src="{}"></audio>', reverse("ad-audio", args=[ad.pk]))

    def save_model(self, request: HttpRequest, ad: Ad, form: ModelForm, change: bool) -> None:
        super().save_model(request, ad, form, change)
        # After the row: the old files are only removed if the row that names the new ones is committed.
        for name in {"audio", "image"}.intersection(form.changed_data if change else []):
            discard(form.initial[name].name)
