from rest_framework import serializers

from music.discovery.trending.queries import TimeRange


class TrendingQuerySerializer(serializers.Serializer):
    time_range = serializers.ChoiceField(choices=[range_.value for range_ in TimeRange], default=TimeRange.ALL)
    genre = serializers.CharField(required=False, allow_blank=True, help_text="The id or the whole title of a genre.")
