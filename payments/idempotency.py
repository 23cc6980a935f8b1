"""Requests to pay that may come twice: the same one gets the same answer, and two never run at the same time."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from rest_framework.exceptions import APIException
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response

from payments.errors import card_declined
from payments.locks import check_no_payment_in_progress, lock_user
from payments.models import PaymentRequest
from users.models import User

# Longer than any request takes: whoever has not finished by then is dead.
LEASE = timedelta(seconds=30)
DECLINED = 400
# So long Stripe remembers its keys.
KEPT = timedelta(hours=24)


def run_idempotently(user: User, key: str | None, asked: dict[str, Any], deed: Callable[[str], Response]) -> Response:
    """What `deed` answers, or has answered to this key before. It is given a name for Stripe's own keys."""
    request = _start_request(user, key, asked)
    if request.answer is not None:
        return _answered(request)
    try:
        response = deed(str(request.pk))
    except ValidationError as error:
        _refused(request, error)
        raise
    except APIException as error:
        # Where Stripe did not answer, nobody knows what it has done: the next try goes on under the same name.
        _let_go(request, is_kept=error.status_code >= 500)
        raise
    except BaseException:
        _let_go(request, is_kept=True)
        raise
    _finish(request, response.status_code, response.data)
    return response


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


def _answered(request: PaymentRequest) -> Response:
    if request.status_code == DECLINED:
        raise card_declined(str(request.answer))
    return Response(request.answer, status=request.status_code)


def _refused(request: PaymentRequest, error: ValidationError) -> None:
    """A declined card stays declined under the same key. What a rule refused may be right a moment later."""
    if getattr(error, "code", None) == "card_declined":
        _finish(request, DECLINED, error.messages[0])
    else:
        _let_go(request, is_kept=False)


def _finish(request: PaymentRequest, status_code: int, answer: Any) -> None:
    # update() and not save(): the account may have been closed meanwhile.
    rows = PaymentRequest.objects.filter(pk=request.pk)
    rows.update(running_until=None, status_code=status_code, answer=as_json(answer))


def _let_go(request: PaymentRequest, *, is_kept: bool) -> None:
    rows = PaymentRequest.objects.filter(pk=request.pk)
    rows.update(running_until=None) if is_kept else rows.delete()


def as_json(answer: Any) -> Any:
    """As the client reads it."""
    return json.loads(JSONRenderer().render(answer))
