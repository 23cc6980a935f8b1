import random
from collections.abc import Callable

from django.core.cache import cache
from django.db.models import Max, Min

from music.catalogue.models import SongCounts

# Enough that the first draw suffices where no more than a quarter of the numbers are of songs that are gone or not
# public; where it does not, the next one draws four times as many.
DRAWN_PER_WANTED = 1.5
DRAWN_MORE = 3
MAX_DRAWS = 8
NUMBERS_ARE_GOOD_FOR = 5  # seconds


def draw(songs_numbered: Callable[[list[int]], list], number: int) -> list:
    """So many of the songs, each equally likely and none twice; `songs_numbered` reads those that are there.

    Songs are numbered almost without gaps, so we draw numbers without replacement and keep, in the order of the draw,
    those that are among the songs: by symmetry no song is likelier than another, and nothing is sorted or scanned.
    """
    lowest, end = cache.get_or_set("song_numbers", _song_numbers, NUMBERS_ARE_GOOD_FOR) or (0, 0)
    numbered = range(lowest, end)
    wanted, chosen = int(number * DRAWN_PER_WANTED) + DRAWN_MORE, []
    seen: set[int] = set()
    for _ in range(MAX_DRAWS):
        numbers = _unseen(numbered, wanted, seen)
        found = {song.number: song for song in songs_numbered(numbers)}
        chosen += [found[n] for n in numbers if n in found]
        if len(chosen) >= number or len(seen) == len(numbered):
            break
        wanted *= 4
    return chosen[:number]


def _song_numbers() -> list[int]:
    """Return the lowest number and the one after the highest, as a list because the cache keeps JSON."""
    ends = SongCounts.objects.aggregate(lowest=Min("pk"), highest=Max("pk"))
    return [ends["lowest"] or 0, (ends["highest"] or -1) + 1]


def _unseen(numbered: range, number: int, seen: set[int]) -> list[int]:
    if len(numbered) - len(seen) <= number:
        numbers = [n for n in numbered if n not in seen]
        random.shuffle(numbers)
    else:
        numbers = []
        while len(numbers) < number:
            n = random.choice(numbered)  # noqa: S311  (a shelf, not a secret)
            if n not in seen:
                seen.add(n)
                numbers.append(n)
    seen.update(numbers)
    return numbers
