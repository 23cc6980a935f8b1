"""Stripe's clock: the machine's time plus an offset that tests move forward."""

import time
from datetime import UTC, datetime

from dateutil.relativedelta import relativedelta
from localstripe import resources

HOUR = 3600
DAY = 24 * HOUR

ahead = 0.0
due_next = []  # functions that answer the next (moment, act) of all objects of a kind


def now() -> int:
    return int(time.time() + ahead)


# localstripe dates its objects with the module that it imported as `time`.
resources.time = type("StripeTime", (), {"time": staticmethod(now)})


def advance(seconds: float = 0) -> None:
    """Move the clock; everything that falls due on the way happens at its own time, in order."""
    global ahead
    target = time.time() + ahead + seconds
    while True:
        due = [moment for moments in due_next for moment in moments() if moment[0] <= target]
        if not due:
            break
        moment, act = min(due, key=lambda pair: pair[0])
        ahead = max(ahead, moment - time.time())
        act()
    ahead = max(ahead, target - time.time())


def reset() -> None:
    global ahead
    ahead = 0.0


def one_period_on(anchor: int, start: int, recurring: dict) -> int:
    """Return the first billing date after `start`, counted from the anchor so that the 31st returns after February."""
    beginning = datetime.fromtimestamp(anchor, UTC)
    step = {recurring["interval"] + "s": recurring["interval_count"]}
    periods = 0
    while True:
        date = int((beginning + periods * relativedelta(**step)).timestamp())
        if date > start:
            return date
        periods += 1
