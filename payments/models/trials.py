from datetime import timedelta
from typing import Self

from django.db import models
from django.utils import timezone
from django.utils.crypto import salted_hmac

SALT = "payments.used_trial"
# Counted from the start of the trial, and again from the deletion of the account.
REMEMBERED_FOR = timedelta(days=365)


def address_digest(email_key: str) -> str:
    """Return a digest (HMAC with SECRET_KEY) by which addresses can be compared and not read.

    `email_key` is the folded address (`fold_address`). nina+1@example.com and nina@example.com differ, as accounts do:
    providers disagree about what a plus sign means.
    """
    return salted_hmac(SALT, email_key, algorithm="sha256").hexdigest()


class UsedTrialQuerySet(models.QuerySet):
    def of(self, email_key: str | None) -> Self:
        return self.filter(address_digest=address_digest(email_key)) if email_key else self.none()

    def remember(self, email_key: str | None) -> None:
        if email_key:
            self.update_or_create(address_digest=address_digest(email_key), defaults={"noted_at": timezone.now()})


class UsedTrial(models.Model):
    """An e-mail address whose free trial was used. It outlives the account: a new one gets no second trial."""

    address_digest = models.CharField(max_length=64, unique=True)
    noted_at = models.DateTimeField(default=timezone.now, db_index=True)

    objects = UsedTrialQuerySet.as_manager()

    def __str__(self) -> str:
        return self.address_digest
