"""Mails, with limits for those that a request causes, and users' names made safe to quote."""

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

MAX_NAME_LENGTH = 60
# Mail programs turn text with these characters into links, and words with a dot inside.
LINK_CHARACTERS = re.compile(r"\w+://|[/:@<>\\]")
INNER_DOT = re.compile(r"([.․。．｡])(?=\S)")


def send_requested(subject: str, text: str, *, to: str, sender: User | None = None) -> None:
    """Send a mail that a request caused, unless the address or the sender has reached a limit of MAIL_RATES.

    Call it from a task. If sending fails, the mail is not counted, so that the task can be retried.
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
    """Send a mail that no request caused, such as one about a failed payment. It is not limited."""
    mail.send_mail(clean_text(subject), text, None, [to])


def name_in_mail(name: object) -> str:
    """Return a user's name on one line, shortened, and without anything that mail programs turn into a link."""
    text = INNER_DOT.sub(r"\1 ", LINK_CHARACTERS.sub(" ", clean_text(str(name))))
    text = " ".join(text.split())
    return text if len(text) <= MAX_NAME_LENGTH else text[:MAX_NAME_LENGTH].rstrip() + "…"


def count_mail(address: str, sender: User | None) -> SentMail | None:
    """Store a mail as sent, before it is sent. Return None if that would exceed a limit."""
    digest = digest_of(address)
    with transaction.atomic():
        _lock_counts([f"mail to {digest}", *([f"mail by {sender.pk}"] if sender else [])])
        if _is_over(SentMail.objects.filter(address=digest), settings.MAIL_RATES["address"]):
            return None
        if sender and _is_over(SentMail.objects.filter(sender=sender.pk), settings.MAIL_RATES["sender"]):
            return None
        return SentMail.objects.create(address=digest, sender=sender)


def _is_over(sent: QuerySet[SentMail], rates: list[tuple[int, int]]) -> bool:
    now = timezone.now()
    return any(sent.filter(at__gt=now - timedelta(seconds=seconds)).count() >= limit for limit, seconds in rates)


def _lock_counts(names: Iterable[str]) -> None:
    """Lock the counts with these names until the transaction ends. SQLite has a single writer anyway."""
    if connection.vendor != "postgresql":
        return
    numbers = sorted(int.from_bytes(sha256(name.encode()).digest()[:8], signed=True) for name in names)
    with connection.cursor() as cursor:
        for number in numbers:  # sorted: two transactions that lock both in different orders would deadlock
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [number])


def digest_of(address: str) -> str:
    """Return a digest (HMAC with SECRET_KEY) by which mails to an address are counted, equal for all its spellings."""
    return salted_hmac("users.mail", fold_address(address), algorithm="sha256").hexdigest()


def mails_of(user: User) -> Q:
    """Return a condition for mails that the user caused or received."""
    return Q(sender=user.pk) | (Q(address=digest_of(user.email)) if user.email else Q())


class Unsent(BaseEmailBackend):
    """Mail backend for servers without EMAIL_URL. It logs that a mail was not sent, and nothing of its content."""

    def send_messages(self, messages: Iterable[mail.EmailMessage]) -> int:
        for _ in messages:
            logger.error("A mail was not sent: EMAIL_URL is not set")
        return 0
