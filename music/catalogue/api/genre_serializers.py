from typing import Any

from django.db import IntegrityError
from rest_framework import serializers

from core.api.row_serializers import RowSerializer
from music.catalogue.models import Genre
from users.api.serializers import NameField


class GenreSerializer(RowSerializer):
    columns = ("pk", "id", "title", "maker_id")

    title = NameField(max_length=200)

    class Meta:
        model = Genre
        fields = ["id", "title"]

    def to_representation(self, genre: Any) -> dict[str, Any]:
        return {"id": genre.pk, "title": genre.title}

    def validate_title(self, title: str) -> str:
        if Genre.objects.titled(title).exclude(pk=self.instance and self.instance.pk).exists():
            raise title_exists()
        return title

    def create(self, validated_data: dict[str, Any]) -> Genre:
        return Genre.objects.create(maker=self.context["request"].user, **validated_data)

    def save(self, **kwargs: Any) -> Genre:
        try:
            return super().save(**kwargs)
        except IntegrityError as error:  # another request created the genre after validate_title
            raise serializers.ValidationError({"title": title_exists().detail}) from error


def title_exists() -> serializers.ValidationError:
    return serializers.ValidationError("A genre with this title exists already.", "unique")
