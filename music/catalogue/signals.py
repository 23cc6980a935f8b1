"""Signals of the catalogue, received by the packages above it (search index, trends, renditions)."""

from django.dispatch import Signal

# Sent with songs=[Song, …] in the transaction that adds them, after their SongCounts: one song that was uploaded, or a
# chunk of an import.
songs_added = Signal()

# Sent with song=Song in the transaction that gives the song another recording.
audio_replaced = Signal()
