from typing import Any

from rest_framework import serializers

from music.catalogue.models import Genre


class GenreSerializer(serializers.ModelSerializer):
    class Meta:
        model = Genre
        fields = ["id", "title"]

    def validate_title(self, title: str) -> str:
        if Genre.objects.titled(title).exclude(pk=self.instance and self.instance.pk).exists():
            raise serializers.ValidationError("There is a genre of this title.", "unique")
        return title

    def create(self, validated_data: dict[str, Any]) -> Genre:
        return Genre.objects.create(maker=self.context["request"].user, **validated_data)
