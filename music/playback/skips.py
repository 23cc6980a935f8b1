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
        self.wait = ceil(wait.total_seconds())


def record_skip(song: Song, *, listener: User) -> int | None:
    """How many skips remain in these 60 minutes; None: as many as one likes. Raises SkipLimitReached."""
    limit = entitlements_of(listener).skip_limit
    with lock_for_action(listener, song):  # a person does one thing at a time, so nobody skips past the limit
        now = timezone.now()
        latest = Skip.objects.filter(listener=listener, at__gt=now - WINDOW).order_by("-at")
        used = list(latest.values_list("at", flat=True)[:limit])
        if limit is not None and len(used) >= limit:
            # The oldest of the last so many is the next that stops to count.
            raise SkipLimitReached((used or [now])[-1] + WINDOW - now)
        Skip.objects.create(listener=listener, song=song, at=now)
    return None if limit is None else limit - len(used) - 1
