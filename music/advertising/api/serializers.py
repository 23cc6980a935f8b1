from rest_framework import serializers
from rest_framework.reverse import reverse

from music.advertising.models import Ad
from music.catalogue.api.fields import ImageURLField


class AdSerializer(serializers.ModelSerializer):
    audio = serializers.SerializerMethodField(help_text="Can be the `src` of an `<audio>` element.")
    image = ImageURLField()
    link = serializers.SerializerMethodField(help_text="Where a click leads.")

    class Meta:
        model = Ad
        fields = ["id", "audio", "image", "link"]

    def get_audio(self, ad: Ad) -> str:
        return reverse("ad-audio", [ad.pk], request=self.context["request"])

    def get_link(self, ad: Ad) -> str | None:
        return ad.link or None
