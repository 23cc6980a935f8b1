import random

from django.core.cache import cache
from django.db.models import Max, QuerySet

from music.catalogue.models import Song, SongCounts

# Enough that the first draw nearly always suffices, though some numbers are of songs that are gone or not public.
DRAWN_PER_WANTED = 3
MAX_DRAWS = 8
HIGHEST_IS_GOOD_FOR = 5  # seconds


def draw(songs: QuerySet[Song], number: int) -> list[Song]:
    """So many of the songs, each equally likely and none twice.

    Songs are numbered almost without gaps, so we draw numbers without replacement and keep, in the order of the draw,
    those that are among the songs: by symmetry no song is likelier than another, and nothing is sorted or scanned.
    """
    highest = cache.get_or_set("highest_song_number", _highest, HIGHEST_IS_GOOD_FOR) or 0
    wanted, chosen = number * DRAWN_PER_WANTED, []
    seen: set[int] = set()
    for _ in range(MAX_DRAWS):
        numbers = _unseen(highest, wanted, seen)
        found = {song.counts.pk: song for song in songs.filter(counts__in=numbers)}
        chosen += [found[n] for n in numbers if n in found]
        if len(chosen) >= number or len(seen) == highest:
            break
        wanted *= 4
    return chosen[:number]


def _highest() -> int:
    return SongCounts.objects.aggregate(highest=Max("pk"))["highest"] or 0


def _unseen(highest: int, number: int, seen: set[int]) -> list[int]:
    if highest - len(seen) <= number:
        numbers = [n for n in range(1, highest + 1) if n not in seen]
        random.shuffle(numbers)
    else:
        numbers = []
        while len(numbers) < number:
            n = random.randint(1, highest)  # noqa: S311  (a shelf, not a secret)
            if n not in seen:
                seen.add(n)
                numbers.append(n)
    seen.update(numbers)
    return numbers
