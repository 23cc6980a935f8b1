"""One thing at a time for each person: what pays, joins or applies holds their account's row."""

from django.utils import timezone
from rest_framework.exceptions import AuthenticationFailed

from payments.errors import InProgress
from payments.models import PaymentRequest
from users.models import User


def lock_user(user: User) -> None:
    """Until the transaction ends. AuthenticationFailed where the account was closed a moment ago."""
    if User.objects.select_for_update(no_key=True).filter(pk=user.pk).first() is None:
        raise AuthenticationFailed


def check_no_payment_in_progress(user: User) -> None:
    if PaymentRequest.objects.filter(user=user, running_until__gt=timezone.now()).exists():
        raise InProgress
