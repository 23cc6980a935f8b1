from random import choices

from django.db.models import F

from music.advertising.models import Ad, AdTurn
from music.catalogue.deeds import deed_of
from users.models import User

PLAYS_PER_AD = 3


def ad_after_counted_play(listener: User) -> Ad | None:
    """With each third one an ad, drawn by weight from those that run now. For listeners whose plan has ads."""
    with deed_of(listener):
        turn = AdTurn.objects.filter(listener=listener)
        if not turn.update(plays=F("plays") + 1):
            AdTurn.objects.get_or_create(listener=listener)
            turn.update(plays=F("plays") + 1)
        plays = turn.get().plays
    return None if plays % PLAYS_PER_AD else _drawn()


def _drawn() -> Ad | None:
    ads = list(Ad.objects.running())
    return choices(ads, [ad.weight for ad in ads])[0] if ads else None  # noqa: S311
