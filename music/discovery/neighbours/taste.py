from bisect import bisect_left, bisect_right
from collections.abc import Hashable, Mapping
from typing import TypeVar

Item = TypeVar("Item", bound=Hashable)

# A like or a favorite counts as so many plays.
LIKE = 3
FAVORITE = 5


def taste_of(strengths: Mapping[Item, float]) -> dict[Item, float]:
    """Return the weight of each item in a listener's taste: from ½ for the weakest to 1 for the strongest, by rank.

    Ranks make listeners comparable: five plays can mean as much from one listener as five hundred from another. Equal
    strengths share the mean of their ranks.
    """
    ordered = sorted(strengths.values())
    return {
        item: 0.5 + (bisect_left(ordered, strength) + bisect_right(ordered, strength)) / (4 * len(ordered))
        for item, strength in strengths.items()
    }
