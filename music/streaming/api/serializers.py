from rest_framework import serializers

from music.streaming.waveform import POINTS
from users.models import AudioQuality


class StreamQuerySerializer(serializers.Serializer):
    quality = serializers.ChoiceField(
        choices=AudioQuality.choices, required=False, help_text="At most this; the listener's preference by default."
    )
    signature = serializers.CharField(required=False, allow_blank=True, help_text="As a signed address has it.")


class WaveformSerializer(serializers.Serializer):
    points = serializers.ListField(
        child=serializers.FloatField(min_value=0, max_value=1), min_length=POINTS, max_length=POINTS
    )


class LoudnessSerializer(serializers.Serializer):
    lufs = serializers.FloatField(help_text="Integrated loudness, EBU R 128.")
    peak = serializers.FloatField(help_text="True peak, dBTP.")
    gain = serializers.FloatField(help_text="dB that bring it towards -14 LUFS with peaks under -1 dBTP.")
