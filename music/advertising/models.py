from typing import Self

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from core.db.base_model import UUIDModel
from core.storage import stored_files
from core.text import NameField
from users.models import User


def ad_key(ad: "Ad", filename: str) -> str:
    return stored_files.make_key("ads", filename)


class AdQuerySet(models.QuerySet):
    def running(self) -> Self:
        """Narrow to active ads whose start has come and whose end has not."""
        now = timezone.now()
        return self.filter(Q(ends=None) | Q(ends__gt=now), is_active=True, starts__lte=now)


class Ad(UUIDModel):
    """An advertisement: audio, perhaps an image and a link. Admins manage them."""

    name = NameField(max_length=200, help_text="For us; listeners don't see it.")
    audio = models.FileField(upload_to=ad_key)
    image = models.ImageField(upload_to=ad_key, blank=True)
    link = models.URLField(blank=True, help_text="Where a click leads.")
    weight = models.PositiveIntegerField(
        default=1, validators=[MinValueValidator(1)], help_text="An ad of weight 2 is drawn twice as often as one of 1."
    )
    starts = models.DateTimeField(default=timezone.now)
    ends = models.DateTimeField(null=True, blank=True, help_text="Empty: it runs until it is switched off.")
    is_active = models.BooleanField("active", default=True)
    impressions = models.PositiveBigIntegerField(default=0, editable=False)
    clicks = models.PositiveBigIntegerField(default=0, editable=False)

    objects = AdQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(weight__gte=1), name="ads_weigh_something"),
            models.CheckConstraint(condition=Q(ends__gt=F("starts")), name="ads_end_after_they_start"),
        ]

    def __str__(self) -> str:
        return self.name


class AdPlayCounter(models.Model):
    """Number of counted plays a listener has had on plans with ads; every third brings an ad."""

    listener = models.OneToOneField(User, on_delete=models.CASCADE, primary_key=True, related_name="ad_play_counter")
    plays = models.PositiveBigIntegerField(default=0)

    class Meta:
        db_table = "music_adturn"

    def __str__(self) -> str:
        return f"{self.plays} plays"


class GivenAd(models.Model):
    """Number of times a listener was given an ad by `play`, and how many of its impressions and clicks were counted.

    A client can send as many as it likes; a constraint caps both counts at `times`.
    """

    ad = models.ForeignKey(Ad, on_delete=models.CASCADE, related_name="given")
    listener = models.ForeignKey(User, on_delete=models.CASCADE, related_name="given_ads")
    times = models.PositiveIntegerField(default=0)
    impressions = models.PositiveIntegerField(default=0)
    clicks = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["listener", "ad"], name="one_row_per_listener_and_ad"),
            models.CheckConstraint(
                condition=Q(impressions__lte=F("times"), clicks__lte=F("times")), name="ads_count_where_they_were_given"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.ad}: {self.times} times"
