"""Mails about plans and seats. Each is a task, so it is sent by the worker, after commit."""

from django.conf import settings

from core.jobs.retries import retried_task
from payments.models import Membership, Subscription
from users.mail import name_in_mail, send_notice, send_requested
from users.models import User

INVITATION = """Hello,

{owner} has a seat for you on {plan}. Take it within 7 days:

{link}

If you do not know {owner}, do nothing.
"""
SEAT_LOST = """Hello {name},

you are no longer a member of the {plan} plan of {owner}, so your account is Free from now on.
Your songs and lists are unchanged.
"""
TRIAL_ENDS = """Hello {name},

your free trial of {plan} ends on {day}. {what_then}

You can change or end it any time: {link}
"""
PAYMENT_FAILED = """Hello {name},

your payment for {plan} did not go through. You keep the plan while we try again; please check your card:

{link}
"""
PLAN_ENDED = """Hello {name},

your {plan} plan has ended, so your account is Free from now on. Your songs and lists are unchanged.
You can subscribe again any time: {link}
"""

PAID_AFTER_TRIAL = "After that your card is charged; without a card it ends."


def _mail_owner(subscription_id: str, subject: str, text: str, **values: str) -> None:
    """Mail the owner of the subscription, if it and their address still exist when the task runs."""
    subscription = Subscription.objects.select_related("user", "plan").filter(pk=subscription_id).first()
    if subscription and (address := subscription.user.email):
        user, plan = subscription.user, subscription.plan
        link = f"{settings.FRONTEND_URL}/subscription"
        body = text.format(name=name_in_mail(user), plan=plan, link=link, **values)
        send_notice(subject.format(plan=plan), body, to=address)


@retried_task(attempts=10)
def invitation(membership_id: str, token: str) -> None:
    seats = Membership.objects.invited().select_related("subscription__user", "subscription__plan")
    seat = seats.filter(pk=membership_id).first()
    if seat is None:
        return
    owner, plan = seat.subscription.user, seat.subscription.plan
    link = f"{settings.FRONTEND_URL}/join?token={token}"
    text = INVITATION.format(owner=name_in_mail(owner), plan=plan, link=link)
    # No name in the subject: the owner chooses both name and address, and could send any headline to a stranger.
    send_requested(f"You are invited to {plan}", text, to=seat.email, sender=owner)


@retried_task(attempts=10)
def seat_lost(email: str, name: str, owner: str, plan: str, sender_id: str | None = None) -> None:
    """Mail a former member. `sender_id` is the account whose request ended the seat, None if no request did."""
    text = SEAT_LOST.format(name=name_in_mail(name), owner=name_in_mail(owner), plan=plan)
    sender = User.objects.filter(pk=sender_id).first() if sender_id else None
    send_requested(f"Your seat on {plan}", text, to=email, sender=sender)


@retried_task(attempts=10)
def trial_ends(subscription_id: str) -> None:
    subscription = Subscription.objects.filter(pk=subscription_id, status="trialing").first()
    if subscription is None or subscription.trial_end is None:
        return
    what_then = "It will not be renewed." if subscription.cancel_at_period_end else PAID_AFTER_TRIAL
    day = f"{subscription.trial_end:%-d %B %Y}"
    _mail_owner(subscription_id, "Your free trial of {plan} ends soon", TRIAL_ENDS, day=day, what_then=what_then)


@retried_task(attempts=10)
def payment_failed(subscription_id: str) -> None:
    _mail_owner(subscription_id, "Your payment for {plan} failed", PAYMENT_FAILED)


@retried_task(attempts=10)
def plan_ended(subscription_id: str) -> None:
    _mail_owner(subscription_id, "Your {plan} plan has ended", PLAN_ENDED)
