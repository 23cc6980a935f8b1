"""Skips, and the number of them that a plan allows in an hour."""

from datetime import timedelta
from math import ceil

from django.utils import timezone

from core.errors import NotAllowed
from music.catalogue.locks import lock_for_action
from music.catalogue.models import Song
from music.playback.models import Skip
from payments.plans import entitlements_of
from users.models import User

WINDOW = timedelta(minutes=60)


class SkipLimitReached(NotAllowed):
    """The plan's skips are used up. `wait`: seconds until the oldest counted skip leaves the window."""

    default_code = "skip_limit_reached"
    default_detail = "You have used all your skips for now. Subscribe to skip as often as you like."

    def __init__(self, wait: timedelta):
        super().__init__()
        self.wait = ceil(wait.total_seconds())  # sent as the Retry-After header


def record_skip(song: Song, *, listener: User) -> int | None:
    """Record the skip. Return how many skips the listener has left in this window; None if the plan has no limit.

    Raise SkipLimitReached if there is none left.
    """
    limit = entitlements_of(listener).skip_limit
    # The listener's row is locked before the skips are counted: parallel requests can't exceed the limit together.
    with lock_for_action(listener, song):
        now = timezone.now()
        latest = Skip.objects.filter(listener=listener, at__gt=now - WINDOW).order_by("-at")
        used = list(latest.values_list("at", flat=True)[:limit])
        if limit is not None and len(used) >= limit:
            # A skip is free again when the oldest of these leaves the window. `used` is empty for a limit of 0.
            oldest = (used or [now])[-1]
            raise SkipLimitReached(oldest + WINDOW - now)
        Skip.objects.create(listener=listener, song=song, at=now)
    return None if limit is None else limit - len(used) - 1
