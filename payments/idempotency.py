"""Requests to pay that may come twice: the same one gets the same answer, and two never run at the same time."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, NamedTuple
from uuid import uuid4

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from core.errors import DomainError, Unavailable, UpstreamFailed
from payments.errors import InProgress, card_declined
from payments.models import PaymentRequest
from users.locks import lock_user
from users.models import User

# Longer than any request takes: whoever has not finished by then is dead.
LEASE = timedelta(seconds=30)
DECLINED = 400
# So long Stripe remembers its keys.
KEPT = timedelta(hours=24)


class Answer(NamedTuple):
    status_code: int
    data: Any  # of what JSON has: dicts, lists, strings, numbers, booleans, None


def run_idempotently(user: User, key: str | None, asked: dict[str, Any], deed: Callable[[str], Answer]) -> Answer:
    """What `deed` answers, or has answered to this key before. It is given a name for Stripe's own keys."""
    request = _start_request(user, key, asked)
    if request.answer is not None:
        return _answered(request)
    try:
        answer = deed(str(request.pk))
    except ValidationError as error:
        _refused(request, error)
        raise
    except DomainError as error:
        # Where Stripe did not answer, nobody knows what it has done: the next try goes on under the same name.
        _let_go(request, is_kept=isinstance(error, Unavailable | UpstreamFailed))
        raise
    except BaseException:
        _let_go(request, is_kept=True)
        raise
    _finish(request, answer)
    return answer


def _start_request(user: User, key: str | None, asked: dict[str, Any]) -> PaymentRequest:
    now = timezone.now()
    with transaction.atomic():
        lock_user(user)
        requests = PaymentRequest.objects.filter(user=user)
        requests.filter(created_at__lt=now - KEPT).exclude(running_until__gt=now).delete()
        request = requests.filter(key=key).first() if key else _unfinished_request(requests, asked)
        request = request or PaymentRequest(user=user, key=key or str(uuid4()), asked=asked)
        if request.asked != asked:
            raise ValidationError("This Idempotency-Key was used for another request.", "idempotency_key_reused")
        if request.answer is None:
            check_no_payment_in_progress(user)
            request.running_until = now + LEASE
            request.save()
    return request


def _unfinished_request(requests: QuerySet[PaymentRequest], asked: dict[str, Any]) -> PaymentRequest | None:
    """The same request that never came to its end."""
    unfinished = requests.filter(answer__isnull=True).exclude(running_until__gt=timezone.now())
    return next((request for request in unfinished.order_by("-created_at") if request.asked == asked), None)


def _answered(request: PaymentRequest) -> Answer:
    if request.status_code == DECLINED:
        raise card_declined(str(request.answer))
    return Answer(request.status_code, request.answer)


def _refused(request: PaymentRequest, error: ValidationError) -> None:
    """A declined card stays declined under the same key. What a rule refused may be right a moment later."""
    if getattr(error, "code", None) == "card_declined":
        _finish(request, Answer(DECLINED, error.messages[0]))
    else:
        _let_go(request, is_kept=False)


def _finish(request: PaymentRequest, answer: Answer) -> None:
    # update() and not save(): the account may have been closed meanwhile.
    rows = PaymentRequest.objects.filter(pk=request.pk)
    rows.update(running_until=None, status_code=answer.status_code, answer=answer.data)


def _let_go(request: PaymentRequest, *, is_kept: bool) -> None:
    rows = PaymentRequest.objects.filter(pk=request.pk)
    rows.update(running_until=None) if is_kept else rows.delete()


def check_no_payment_in_progress(user: User) -> None:
    """Raise InProgress while a payment of the user runs. Call it with the user's row locked."""
    if PaymentRequest.objects.filter(user=user, running_until__gt=timezone.now()).exists():
        raise InProgress
