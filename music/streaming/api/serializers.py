from rest_framework import serializers

from music.streaming.waveform import POINTS
from users.models import AudioQuality


class StreamQuerySerializer(serializers.Serializer):
    quality = serializers.ChoiceField(
        choices=AudioQuality.choices,
        required=False,
        help_text="Highest quality to stream; by default the listener's preference.",
    )
    signature = serializers.CharField(required=False, allow_blank=True, help_text="Part of signed URLs.")


class WaveformSerializer(serializers.Serializer):
    points = serializers.ListField(
        child=serializers.FloatField(min_value=0, max_value=1), min_length=POINTS, max_length=POINTS
    )


class LoudnessSerializer(serializers.Serializer):
    lufs = serializers.FloatField(help_text="Integrated loudness in LUFS (EBU R 128).")
    peak = serializers.FloatField(help_text="True peak in dBTP (EBU R 128).")
    gain = serializers.FloatField(help_text="Gain in dB that brings the song to -14 LUFS, or to a peak of -1 dBTP.")
