from random import choices
from typing import Literal

from django.db import transaction
from django.db.models import F

from core.errors import NotFound
from music.advertising.models import Ad, AdPlayCounter, GivenAd
from music.catalogue.locks import lock_for_action
from users.models import User

PLAYS_PER_AD = 3


def draw_ad_for_play(listener: User) -> Ad | None:
    """With each third one an ad, drawn by weight from those that run now. For listeners whose plan has ads."""
    with lock_for_action(listener):
        turn = AdPlayCounter.objects.filter(listener=listener)
        if not turn.update(plays=F("plays") + 1):
            AdPlayCounter.objects.get_or_create(listener=listener)
            turn.update(plays=F("plays") + 1)
        plays = turn.get().plays
        return None if plays % PLAYS_PER_AD else _given_to(listener)


def count_once(ad: Ad, counter: Literal["impressions", "clicks"], *, listener: User) -> None:
    """Count an impression or a click, as often as `play` gave the ad to this listener; more of them count nothing."""
    with transaction.atomic():
        # One conditional UPDATE, so that two requests at the same moment don't both find room.
        given = GivenAd.objects.filter(ad=ad, listener=listener, **{f"{counter}__lt": F("times")})
        if given.update(**{counter: F(counter) + 1}):
            Ad.objects.filter(pk=ad.pk).update(**{counter: F(counter) + 1})


def _given_to(listener: User) -> Ad | None:
    ad = _drawn()
    if ad is None:
        return None
    try:
        with lock_for_action(listener, ad):
            GivenAd.objects.get_or_create(ad=ad, listener=listener)
            GivenAd.objects.filter(ad=ad, listener=listener).update(times=F("times") + 1)
    except NotFound:  # an admin deleted it a moment ago
        return None
    return ad


def _drawn() -> Ad | None:
    ads = list(Ad.objects.running())
    return choices(ads, [ad.weight for ad in ads])[0] if ads else None  # noqa: S311
