"""Changes to a user's own subscription: subscribe, switch, cancel, resume, and the links to Stripe's pages.

Each change is made at Stripe first, outside of any transaction, and then synced to our row.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from django.core.exceptions import ValidationError
from django.db.models import F

from core.errors import NotAuthenticated
from payments import members, students
from payments.deletion import delete_customer
from payments.errors import (
    CustomerNotFound,
    PriceNotFound,
    SubscriptionNotFound,
    already_subscribed,
    no_subscription,
    payment_method_required,
)
from payments.models import BillingAccount, Membership, PlanType, Subscription, SubscriptionPlan, UsedTrial
from payments.stripe import gateway as stripe_gateway
from payments.stripe import store as stripe_tables
from payments.stripe.prices import ensure_price
from payments.stripe.sync import sync_subscription
from payments.tasks import update_customer_email
from users.models import User

R = TypeVar("R")


@dataclass(frozen=True)
class SubscribeResult:
    is_new: bool
    # For Stripe.js to continue with, if the cardholder has to confirm the payment.
    client_secret: str | None


def open_subscription_of(user: User) -> Subscription | None:
    return Subscription.objects.open().select_related("plan").filter(user=user).first()


def subscribe(user: User, plan: SubscriptionPlan, *, payment_method: str = "", attempt: str) -> SubscribeResult:
    """Start a subscription, or switch the user's subscription to another plan.

    `attempt` is the id of the payment request. Under the same id Stripe does nothing twice.
    """
    current = open_subscription_of(user)
    if current and current.is_entitling and stripe_tables.was_made_by(attempt, current.stripe_id):
        # The same request was cut off after Stripe had done it.
        return SubscribeResult(is_new=True, client_secret=None)
    check_choice(user, plan)
    subscribe_at_stripe = partial(_subscribe, user, plan, payment_method=payment_method, attempt=attempt)
    return _retry_if_missing(subscribe_at_stripe, user, plan)


def _subscribe(user: User, plan: SubscriptionPlan, *, payment_method: str, attempt: str) -> SubscribeResult:
    customer = ensure_customer(user)
    current = open_subscription_of(user)
    if current is None and _adopt_subscription(user, customer):
        return subscribe(user, plan, payment_method=payment_method, attempt=attempt)
    with _attached_card(customer, payment_method, attempt=attempt) as card:
        if current and current.is_entitling:
            result = stripe_gateway.change_price(current.stripe_id, price=ensure_price(plan), card=card, scope=attempt)
            sync_subscription(current.stripe_id, customer=customer)
            return SubscribeResult(is_new=False, client_secret=result.client_secret)
        if current:
            # It was never paid, or is not paid any more. Only one may be open.
            stripe_gateway.cancel_now(current.stripe_id)
            sync_subscription(current.stripe_id, customer=customer)
        trial_days = trial_days_for(user, plan)
        paying_card = card or (None if trial_days else stripe_gateway.newest_card_of(customer))
        if not (paying_card or trial_days):
            raise payment_method_required()
        result = stripe_gateway.create_subscription(
            customer=customer, price=ensure_price(plan), card=paying_card, trial_days=trial_days, scope=attempt
        )
        sync_subscription(result.stripe_id, customer=customer)
        return SubscribeResult(is_new=True, client_secret=result.client_secret)


@contextmanager
def _attached_card(customer: str, payment_method: str, *, attempt: str) -> Iterator[str | None]:
    """Attach a card for the block, and detach it if the block refuses it, unless the customer had it before."""
    if not payment_method:
        yield None
    elif stripe_gateway.has_card(customer, payment_method):
        yield payment_method
    else:
        card = stripe_gateway.attach_card(payment_method, customer=customer, scope=attempt)
        try:
            yield card
        except ValidationError:
            stripe_gateway.detach_card(card)
            raise


def check_choice(user: User, plan: SubscriptionPlan) -> None:
    """Raise ValidationError or NotAllowed if the user can't have this plan."""
    if plan.is_free:
        raise ValidationError("The free plan needs no subscription.", "free_plan")
    if Membership.objects.filter(user=user).exists():
        raise ValidationError("You are a member of another plan. Leave it first.", "already_member")
    current = open_subscription_of(user)
    if current and current.is_entitling:
        if current.plan_id == plan.pk:
            raise already_subscribed()
        if members.seats_used(current) > plan.max_members:
            raise ValidationError("This plan has fewer seats than are taken on yours.", "too_many_members")
    if plan.plan_type == PlanType.STUDENT:
        students.check_verified(user)


def ensure_customer(user: User) -> str:
    """Return the user's customer id at Stripe, creating the customer if needed."""
    account, _ = BillingAccount.objects.get_or_create(user=user)
    if account.stripe_customer_id is None:
        # The same key for all attempts, so that two at once create one customer.
        scope = f"customer-{user.pk}-{account.former_customers}"
        customer = stripe_gateway.create_customer(user_id=str(user.pk), email=user.email or "", scope=scope)
        if not BillingAccount.objects.filter(user=user).update(stripe_customer_id=customer):
            # The account was deleted during the call, so nothing else knows of this customer.
            delete_customer(customer)
            raise NotAuthenticated
        return customer
    return account.stripe_customer_id


def queue_customer_email(user: User, **kwargs: object) -> None:
    """Receiver for email_changed: queue the new address for Stripe."""
    if BillingAccount.objects.filter(user=user, stripe_customer_id__isnull=False).exists():
        update_customer_email.enqueue(str(user.pk))


def _retry_if_missing(call: Callable[[], R], user: User, plan: SubscriptionPlan) -> R:
    """Call `call`. If an object that we know was deleted at Stripe, forget it and call once more, to create it anew."""
    try:
        return call()
    except CustomerNotFound:
        _forget_customer(user)
    except PriceNotFound:
        plan.stripe_price_id = ""
    except SubscriptionNotFound:
        _sync_open(user)
    return call()


def _forget_customer(user: User) -> None:
    """Detach the account from a customer that is gone at Stripe, so that the next call creates another."""
    _sync_open(user)
    accounts = BillingAccount.objects.filter(user=user)
    for account in accounts:
        delete_customer(str(account.stripe_customer_id))
    accounts.update(stripe_customer_id=None, former_customers=F("former_customers") + 1)


def _sync_open(user: User) -> None:
    for subscription in Subscription.objects.open().filter(user=user):
        sync_subscription(subscription.stripe_id, customer=ensure_customer(user))


def trial_days_for(user: User, plan: SubscriptionPlan) -> int:
    """Return the days of the free trial, 0 if the user or their e-mail address, under any account, had one."""
    used = BillingAccount.objects.filter(user=user, trial_used_at__isnull=False).exists()
    return 0 if used or UsedTrial.objects.of(user.email_key).exists() else plan.days_of_trial


def _adopt_subscription(user: User, customer: str) -> Subscription | None:
    """Return the user's open subscription after syncing those that Stripe has and we don't know.

    A request that was cut off leaves such a one.
    """
    for stripe_id in stripe_gateway.subscriptions_of(customer):
        if not Subscription.objects.filter(stripe_id=stripe_id).exists():
            sync_subscription(stripe_id, customer=customer)
    return open_subscription_of(user)


def cancel_at_period_end(user: User) -> None:
    """Cancel at the end of the period, or at once if the subscription does not entitle."""
    current = _own_subscription(user)
    if current.is_entitling:
        _set_cancellation(current, user, True)
    else:
        stripe_gateway.cancel_now(current.stripe_id)
        sync_subscription(current.stripe_id, customer=ensure_customer(user))


def resume(user: User) -> None:
    """Take a cancellation back before the period ends. Raise NotAllowed for a Student plan without an approval."""
    current = _own_subscription(user)
    if current.plan.plan_type == PlanType.STUDENT:
        students.check_verified(user)
    _set_cancellation(current, user, False)


def _set_cancellation(current: Subscription, user: User, ends: bool) -> None:
    with suppress(SubscriptionNotFound):  # it has ended at Stripe, and the sync will say so here
        stripe_gateway.set_cancel_at_period_end(current.stripe_id, ends)
    sync_subscription(current.stripe_id, customer=ensure_customer(user))


def _own_subscription(user: User) -> Subscription:
    current = open_subscription_of(user)
    if current is None:
        raise no_subscription()
    return current


def checkout_url(user: User, plan: SubscriptionPlan, *, success_url: str, cancel_url: str) -> str:
    """Return the URL of a Checkout page of Stripe. Raise ValidationError for subscribers, who switch without one."""
    check_choice(user, plan)
    if open_subscription_of(user):
        raise already_subscribed()
    return _retry_if_missing(
        lambda: stripe_gateway.open_checkout(
            customer=ensure_customer(user),
            price=ensure_price(plan),
            trial_days=trial_days_for(user, plan),
            success_url=success_url,
            cancel_url=cancel_url,
        ),
        user,
        plan,
    )


def portal_url(user: User, *, return_url: str) -> str:
    """Return the URL of Stripe's page for cards and invoices. Raise ValidationError if the user never paid."""
    account = BillingAccount.objects.filter(user=user, stripe_customer_id__isnull=False).first()
    if account is None:
        raise no_subscription()
    try:
        return stripe_gateway.open_portal(customer=str(account.stripe_customer_id), return_url=return_url)
    except CustomerNotFound:  # deleted at Stripe, with the cards and invoices that the page would show
        _forget_customer(user)
        raise no_subscription() from None
