import random
from collections.abc import Callable

from django.core.cache import cache
from django.db.models import Max, Min

from music.catalogue.models import SongCounts

# The first draw suffices if at most a quarter of the numbers belong to deleted or non-public songs. Each further draw
# takes four times as many numbers.
OVERSAMPLING = 1.5
EXTRA_NUMBERS = 3
MAX_DRAWS = 8
BOUNDS_TTL = 5  # seconds


def draw(fetch_songs: Callable[[list[int]], list], number: int) -> list:
    """Return up to `number` random songs, each equally likely and none twice.

    `fetch_songs` returns those of the songs with the given numbers that the caller may see. Songs are numbered almost
    without gaps, so numbers are drawn without replacement, and those that belong to a song are taken in the order of
    the draw. By symmetry no song is likelier than another, and nothing is sorted or scanned.
    """
    lowest, end = cache.get_or_set("song_numbers", _number_bounds, BOUNDS_TTL) or (0, 0)
    all_numbers = range(lowest, end)
    size, chosen = int(number * OVERSAMPLING) + EXTRA_NUMBERS, []
    drawn: set[int] = set()
    for _ in range(MAX_DRAWS):
        numbers = _draw_numbers(all_numbers, size, drawn)
        found = {song.number: song for song in fetch_songs(numbers)}
        chosen += [found[n] for n in numbers if n in found]
        if len(chosen) >= number or len(drawn) == len(all_numbers):
            break
        size *= 4
    return chosen[:number]


def _number_bounds() -> list[int]:
    """Return the lowest number and the one after the highest, as a list because the cache stores JSON."""
    ends = SongCounts.objects.aggregate(lowest=Min("pk"), highest=Max("pk"))
    return [ends["lowest"] or 0, (ends["highest"] or -1) + 1]


def _draw_numbers(all_numbers: range, size: int, drawn: set[int]) -> list[int]:
    """Return `size` random numbers that were not drawn yet, or all that are left, and add them to `drawn`."""
    if len(all_numbers) - len(drawn) <= size:
        numbers = [n for n in all_numbers if n not in drawn]
        random.shuffle(numbers)
    else:
        numbers = []
        while len(numbers) < size:
            n = random.choice(all_numbers)  # noqa: S311  (not used for security)
            if n not in drawn:
                drawn.add(n)
                numbers.append(n)
    drawn.update(numbers)
    return numbers
