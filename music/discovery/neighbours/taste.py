from bisect import bisect_left, bisect_right
from collections.abc import Hashable, Mapping
from typing import TypeVar

Item = TypeVar("Item", bound=Hashable)

# What a listener did with a song, counted in plays.
LIKE = 3
FAVORITE = 5


def taste_of(strengths: Mapping[Item, float]) -> dict[Item, float]:
    """How much each item says of a listener: from ½ for the weakest to 1 for the strongest, by its rank.

    Ranks, because one listener's five plays are another's five hundred.
    """
    ordered = sorted(strengths.values())
    return {
        item: 0.5 + (bisect_left(ordered, strength) + bisect_right(ordered, strength)) / (4 * len(ordered))
        for item, strength in strengths.items()
    }
