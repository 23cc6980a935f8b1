"""Ads between plays: when one is due, which one is drawn, and which of its impressions and clicks count."""

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
    """Count a play towards the next ad. Return an ad with every third play, None with the others or if none is running.

    To be called for listeners whose plan has ads.
    """
    # Held until the ad is drawn: of several plays in the same moment exactly one is the third.
    with lock_for_action(listener):
        counter = AdPlayCounter.objects.filter(listener=listener)
        if not counter.update(plays=F("plays") + 1):
            AdPlayCounter.objects.get_or_create(listener=listener)
            counter.update(plays=F("plays") + 1)
        return None if counter.get().plays % PLAYS_PER_AD else draw_ad(listener)


def draw_ad(listener: User) -> Ad | None:
    """Draw a running ad by weight, and record that the listener was given it. Return None if no ad is running."""
    ads = list(Ad.objects.running())
    if not ads:
        return None
    ad = choices(ads, [ad.weight for ad in ads])[0]  # noqa: S311
    try:
        with lock_for_action(listener, ad):
            GivenAd.objects.get_or_create(ad=ad, listener=listener)
            GivenAd.objects.filter(ad=ad, listener=listener).update(times=F("times") + 1)
    except NotFound:  # an admin deleted it a moment ago
        return None
    return ad


def count_once(ad: Ad, counter: Literal["impressions", "clicks"], *, listener: User) -> None:
    """Count an impression or a click of the ad, at most as often as the listener was given it. Ignore any further."""
    with transaction.atomic():
        # The limit is part of the UPDATE: of two requests in the same moment only one takes the last free count.
        given = GivenAd.objects.filter(ad=ad, listener=listener, **{f"{counter}__lt": F("times")})
        if given.update(**{counter: F(counter) + 1}):
            Ad.objects.filter(pk=ad.pk).update(**{counter: F(counter) + 1})
