"""The daily limit of uploads for each artist (UPLOADS_PER_DAY), counted in the database for all processes."""

from datetime import UTC, datetime, time, timedelta
from math import ceil

from django.conf import settings
from django.db.models import Case, F, Q, Value, When
from django.utils import timezone

from core.errors import LimitReached
from music.catalogue.models import ArtistCounts
from users.models import User


class UploadLimitReached(LimitReached):
    """The artist's uploads of this day (UTC) are used up."""

    default_detail = "You have uploaded as many recordings as are possible in a day."

    def __init__(self) -> None:
        now = timezone.now()
        midnight = datetime.combine(now.date() + timedelta(days=1), time(), UTC)
        super().__init__(wait=ceil((midnight - now).total_seconds()))


def check_upload_limit(artist: User) -> None:
    """Raise UploadLimitReached if the limit is used up, before the file is inspected at some expense."""
    limit = settings.UPLOADS_PER_DAY
    today = timezone.now().date()
    if limit and ArtistCounts.objects.filter(artist=artist, uploads_on=today, upload_count__gte=limit).exists():
        raise UploadLimitReached


def count_upload(artist: User) -> None:
    """Count an upload in the transaction that publishes it. Raise UploadLimitReached if the limit is used up."""
    today = timezone.now().date()
    ArtistCounts.objects.get_or_create(artist=artist)
    counts = ArtistCounts.objects.filter(artist=artist)
    if settings.UPLOADS_PER_DAY:
        # The condition is part of the UPDATE: of two concurrent uploads the second waits for the row, and is then
        # compared with the number that the first one wrote.
        counts = counts.filter(Q(uploads_on=None) | ~Q(uploads_on=today) | Q(upload_count__lt=settings.UPLOADS_PER_DAY))
    counted = Case(When(uploads_on=today, then=F("upload_count") + 1), default=Value(1))
    if not counts.update(upload_count=counted, uploads_on=today):
        raise UploadLimitReached
