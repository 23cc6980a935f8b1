"""Idempotent payment requests: a repeated request gets the first one's answer, and a user has one running at a time."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, NamedTuple
from uuid import uuid4

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from core.errors import DomainError, Unavailable, UpstreamFailed
from payments.errors import InProgress, card_declined
from payments.models import PaymentRequest
from users.locks import lock_user
from users.models import User

# Longer than any request takes, so a request that is still running after this time was killed.
LEASE = timedelta(seconds=30)
DECLINED = 400
# Stripe remembers idempotency keys for 24 hours.
RETENTION = timedelta(hours=24)


class Answer(NamedTuple):
    """The outcome of a payment request. `data` is stored as JSON."""

    status_code: int
    data: Any


def run_idempotently(user: User, key: str | None, params: dict[str, Any], pay: Callable[[str], Answer]) -> Answer:
    """Return what `pay` returns, or what it returned when the same request came before.

    `key` is the client's Idempotency-Key; without one, a request with the same `params` that never finished is resumed.
    `pay` gets an id that stays the same over all attempts, for Stripe's own idempotency keys. A declined card is an
    answer too: it is raised again. Raise InProgress while another payment request of the user runs.
    """
    request = _start_request(user, key, params)
    if request.answer is not None:
        if request.status_code == DECLINED:
            raise card_declined(str(request.answer))
        return Answer(int(request.status_code or 200), request.answer)
    try:
        answer = pay(str(request.pk))
    except ValidationError as error:
        if getattr(error, "code", None) == "card_declined":
            _finish(request, Answer(DECLINED, error.messages[0]))
        else:  # what a rule refused may be allowed a moment later, under the same key
            _release(request, can_resume=False)
        raise
    except DomainError as error:
        # Stripe may have done the work before the connection broke: the next attempt has to use the same id.
        _release(request, can_resume=isinstance(error, Unavailable | UpstreamFailed))
        raise
    except BaseException:
        _release(request, can_resume=True)
        raise
    _finish(request, answer)
    return answer


def check_no_payment_in_progress(user: User) -> None:
    """Raise InProgress while a payment request of the user runs. Call it with the user's row locked."""
    if PaymentRequest.objects.filter(user=user, running_until__gt=timezone.now()).exists():
        raise InProgress


def _start_request(user: User, key: str | None, params: dict[str, Any]) -> PaymentRequest:
    """Return the request with this key or these params, claimed for this process unless it is answered already."""
    now = timezone.now()
    with transaction.atomic():
        # Of two requests at the same moment the second waits here, and then finds the first one running.
        lock_user(user)
        requests = PaymentRequest.objects.filter(user=user)
        requests.filter(created_at__lt=now - RETENTION).exclude(running_until__gt=now).delete()
        if key:
            request = requests.filter(key=key).first()
        else:
            unfinished = requests.filter(answer__isnull=True).exclude(running_until__gt=now).order_by("-created_at")
            request = next((found for found in unfinished if found.asked == params), None)
        request = request or PaymentRequest(user=user, key=key or str(uuid4()), asked=params)
        if request.asked != params:
            raise ValidationError("This Idempotency-Key was used for another request.", "idempotency_key_reused")
        if request.answer is None:
            check_no_payment_in_progress(user)
            request.running_until = now + LEASE
            request.save()
    return request


def _finish(request: PaymentRequest, answer: Answer) -> None:
    # update() and not save(): the account may have been deleted meanwhile, and save() would insert the row again.
    rows = PaymentRequest.objects.filter(pk=request.pk)
    rows.update(running_until=None, status_code=answer.status_code, answer=answer.data)


def _release(request: PaymentRequest, *, can_resume: bool) -> None:
    """End the claim on a request that has no answer. Keep its row, and so its id, where it can be resumed."""
    rows = PaymentRequest.objects.filter(pk=request.pk)
    rows.update(running_until=None) if can_resume else rows.delete()
