"""Mail: how much of it a request may cause, and what it may hold of a person's words."""

import logging
import re
from collections.abc import Iterable
from datetime import timedelta
from hashlib import sha256

from django.conf import settings
from django.core import mail
from django.core.mail.backends.base import BaseEmailBackend
from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.crypto import salted_hmac

from core.folding import fold_address
from core.text import clean_text
from users.models import SentMail, User

logger = logging.getLogger(__name__)

LONGEST_NAME = 60
# Programs that show mail turn into a link whatever has one of these, or a dot between letters.
OF_LINKS = re.compile(r"\w+://|[/:@<>\\]")
DOT_WITHIN = re.compile(r"([.․。．｡])(?=\S)")


def send_requested(subject: str, text: str, *, to: str, sender: User | None = None) -> None:
    """Send a mail that a request caused, unless the address or the sender has had enough of them.

    Call it from a task. If sending fails, the mail is not counted, so that the task can be tried again.
    """
    counted = count_mail(to, sender)
    if counted is None:
        logger.warning("A mail was not sent: too many to its address or by its sender")
        return
    try:
        send_notice(subject, text, to=to)
    except Exception:
        counted.delete()
        raise


def send_notice(subject: str, text: str, *, to: str) -> None:
    """Send a mail that no request caused, such as that a payment failed."""
    mail.send_mail(clean_text(subject), text, None, [to])


def name_in_mail(name: object) -> str:
    """Return a person's name on one line, without anything that mail programs make a link of."""
    text = DOT_WITHIN.sub(r"\1 ", OF_LINKS.sub(" ", clean_text(str(name))))
    text = " ".join(text.split())
    return text if len(text) <= LONGEST_NAME else text[:LONGEST_NAME].rstrip() + "…"


def count_mail(address: str, sender: User | None) -> SentMail | None:
    """Count a mail before it is sent; None where that would be one too many."""
    digest = digest_of(address)
    with transaction.atomic():
        _lock_until_commit([f"mail to {digest}", *([f"mail by {sender.pk}"] if sender else [])])
        if _has_enough(SentMail.objects.filter(address=digest), settings.MAIL_RATES["address"]):
            return None
        if sender and _has_enough(SentMail.objects.filter(sender=sender.pk), settings.MAIL_RATES["sender"]):
            return None
        return SentMail.objects.create(address=digest, sender=sender)


def _has_enough(sent: QuerySet[SentMail], rates: list[tuple[int, int]]) -> bool:
    now = timezone.now()
    return any(sent.filter(at__gt=now - timedelta(seconds=seconds)).count() >= limit for limit, seconds in rates)


def _lock_until_commit(names: Iterable[str]) -> None:
    """Let nobody else count mails of the same address or sender. On SQLite a transaction is alone anyway."""
    if connection.vendor != "postgresql":
        return
    numbers = sorted(int.from_bytes(sha256(name.encode()).digest()[:8], signed=True) for name in names)
    with connection.cursor() as cursor:
        for number in numbers:  # in order, so that of two senders none waits for the other
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [number])


def digest_of(address: str) -> str:
    """Return what an address is counted by: equal for all its spellings, and no way back to it."""
    return salted_hmac("users.mail", fold_address(address), algorithm="sha256").hexdigest()


def mails_of(user: User) -> Q:
    """Mails that the person caused or was sent."""
    return Q(sender=user.pk) | (Q(address=digest_of(user.email)) if user.email else Q())


class Unsent(BaseEmailBackend):
    """Stands in for a mail server where none is named. Says so in the log, where no content may land."""

    def send_messages(self, messages: Iterable[mail.EmailMessage]) -> int:
        for _ in messages:
            logger.error("A mail was not sent: EMAIL_URL is not set")
        return 0
