"""What the catalogue announces; discovery listens from above."""

from django.dispatch import Signal

# Sent with songs=[Song, …] and their counts, in the transaction that adds them: one that was published, or a
# chunk of an import.
songs_added = Signal()

# Sent with song=Song in the transaction that gives it another recording.
audio_replaced = Signal()
