from datetime import timedelta
from typing import Self

from django.db import models
from django.utils import timezone
from django.utils.crypto import salted_hmac

SALT = "payments.used_trial"
# From the start of the trial, and again from the end of the account.
REMEMBERED = timedelta(days=365)


def address_digest(email_key: str) -> str:
    """Return a digest that says whether an address is the same, and to nobody without SECRET_KEY which one it is.

    The address comes as accounts compare theirs: without case. What stands behind a plus sign makes another address,
    as it makes another account: what providers do with it is their own affair.
    """
    return salted_hmac(SALT, email_key, algorithm="sha256").hexdigest()


class UsedTrialQuerySet(models.QuerySet):
    def of(self, email_key: str | None) -> Self:
        return self.filter(address_digest=address_digest(email_key)) if email_key else self.none()

    def remember(self, email_key: str | None) -> None:
        if email_key:
            self.update_or_create(address_digest=address_digest(email_key), defaults={"noted_at": timezone.now()})


class UsedTrial(models.Model):
    """An address that has had its free trial. It outlives the account, so that a new one gets no second trial."""

    address_digest = models.CharField(max_length=64, unique=True)
    noted_at = models.DateTimeField(default=timezone.now, db_index=True)

    objects = UsedTrialQuerySet.as_manager()

    def __str__(self) -> str:
        return self.address_digest
