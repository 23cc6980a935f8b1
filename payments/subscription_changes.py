"""What a person does about a plan of their own. Stripe is asked first, outside of any transaction; then mirrored."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from django.core.exceptions import ValidationError
from django.db.models import F

from core.errors import NotAuthenticated
from payments import members, students
from payments.deletion import close_customer
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
class Subscribed:
    is_new: bool
    # For the client to confirm, where the card asks its owner something.
    client_secret: str | None


def open_subscription_of(user: User) -> Subscription | None:
    return Subscription.objects.open().select_related("plan").filter(user=user).first()


def subscribe(user: User, plan: SubscriptionPlan, *, payment_method: str = "", attempt: str) -> Subscribed:
    """A new subscription, or another plan for the one there is. `attempt` names the request: tried again under the
    same name, Stripe does nothing twice."""
    if _result_of(attempt, user):
        return Subscribed(is_new=True, client_secret=None)
    check_choice(user, plan)
    with_what_stripe_knows = partial(_subscribe, user, plan, payment_method=payment_method, attempt=attempt)
    return _again_if_unknown(with_what_stripe_knows, user, plan)


def _subscribe(user: User, plan: SubscriptionPlan, *, payment_method: str, attempt: str) -> Subscribed:
    customer = ensure_customer(user)
    current = open_subscription_of(user)
    if current is None and _adopted(user, customer):
        return subscribe(user, plan, payment_method=payment_method, attempt=attempt)
    with _card_for(customer, payment_method, attempt=attempt) as card:
        if current and current.is_entitling:
            return _switch(current, plan, customer=customer, card=card, attempt=attempt)
        if current:
            # Never paid, or no longer: it makes place.
            stripe_gateway.cancel_now(current.stripe_id)
            sync_subscription(current.stripe_id, customer=customer)
        return _start(user, plan, customer=customer, card=card, attempt=attempt)


@contextmanager
def _card_for(customer: str, payment_method: str, *, attempt: str) -> Iterator[str | None]:
    """Attach the card to the customer; detach it again where it is refused, unless it was theirs before."""
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
    """Raises what stands against this plan for this person."""
    if plan.is_free:
        raise ValidationError("The free plan is what you have without a subscription.", "free_plan")
    if Membership.objects.filter(user=user).exists():
        raise ValidationError("You are a member of somebody's plan. Leave it first.", "already_member")
    current = open_subscription_of(user)
    if current and current.is_entitling:
        if current.plan_id == plan.pk:
            raise already_subscribed()
        if members.seats_used(current) > plan.max_members:
            raise ValidationError("This plan has fewer seats than people have yours now.", "too_many_members")
    if plan.plan_type == PlanType.STUDENT:
        students.check_verified(user)


def ensure_customer(user: User) -> str:
    """The person as Stripe knows them; made known now where they are not yet."""
    account, _ = BillingAccount.objects.get_or_create(user=user)
    if account.stripe_customer_id is None:
        scope = f"customer-{user.pk}-{account.former_customers}"
        made = stripe_gateway.create_customer(user_id=str(user.pk), email=user.email or "", scope=scope)
        if not BillingAccount.objects.filter(user=user).update(stripe_customer_id=made):
            close_customer(made)
            raise NotAuthenticated
        return made
    return account.stripe_customer_id


def customer_has_new_email(user: User, **kwargs: object) -> None:
    """Receiver for email_changed."""
    if BillingAccount.objects.filter(user=user, stripe_customer_id__isnull=False).exists():
        update_customer_email.enqueue(str(user.pk))


def _again_if_unknown(deed: Callable[[], R], user: User, plan: SubscriptionPlan) -> R:
    """What somebody deleted at Stripe is made anew."""
    try:
        return deed()
    except CustomerNotFound:
        _forget_customer(user)
    except PriceNotFound:
        plan.stripe_price_id = ""
    except SubscriptionNotFound:
        _sync_open(user)
    return deed()


def _forget_customer(user: User) -> None:
    _sync_open(user)
    accounts = BillingAccount.objects.filter(user=user)
    for account in accounts:
        close_customer(str(account.stripe_customer_id))
    accounts.update(stripe_customer_id=None, former_customers=F("former_customers") + 1)


def _sync_open(user: User) -> None:
    for subscription in Subscription.objects.open().filter(user=user):
        sync_subscription(subscription.stripe_id, customer=ensure_customer(user))


def trial_days_for(user: User, plan: SubscriptionPlan) -> int:
    """Return how long the free trial is: once per person, who is known by the address after a deletion too."""
    used = BillingAccount.objects.filter(user=user, trial_used_at__isnull=False).exists()
    return 0 if used or UsedTrial.objects.of(user.email_key).exists() else plan.days_of_trial


def _result_of(attempt: str, user: User) -> bool:
    """Whether the same request was cut off only after Stripe had done it."""
    current = open_subscription_of(user)
    return bool(current and current.is_entitling and stripe_tables.was_made_by(attempt, current.stripe_id))


def _adopted(user: User, customer: str) -> Subscription | None:
    """What Stripe has and we have not heard of, such as that of a request that was cut off."""
    for stripe_id in stripe_gateway.subscriptions_of(customer):
        if not Subscription.objects.filter(stripe_id=stripe_id).exists():
            sync_subscription(stripe_id, customer=customer)
    return open_subscription_of(user)


def _start(user: User, plan: SubscriptionPlan, *, customer: str, card: str | None, attempt: str) -> Subscribed:
    trial_days = trial_days_for(user, plan)
    paying_card = card or (None if trial_days else stripe_gateway.newest_card_of(customer))
    if not (paying_card or trial_days):
        raise payment_method_required()
    made = stripe_gateway.create_subscription(
        customer=customer, price=ensure_price(plan), card=paying_card, trial_days=trial_days, scope=attempt
    )
    sync_subscription(made.stripe_id, customer=customer)
    return Subscribed(is_new=True, client_secret=made.client_secret)


def _switch(
    current: Subscription, plan: SubscriptionPlan, *, customer: str, card: str | None, attempt: str
) -> Subscribed:
    changed = stripe_gateway.change_price(current.stripe_id, price=ensure_price(plan), card=card, scope=attempt)
    sync_subscription(current.stripe_id, customer=customer)
    return Subscribed(is_new=False, client_secret=changed.client_secret)


def cancel_at_period_end(user: User) -> None:
    current = _own_subscription(user)
    if current.is_entitling:
        _set_cancellation(current, user, True)
    else:
        stripe_gateway.cancel_now(current.stripe_id)
        sync_subscription(current.stripe_id, customer=ensure_customer(user))


def resume(user: User) -> None:
    """Takes a cancellation back, which works as long as the period has not ended."""
    current = _own_subscription(user)
    if current.plan.plan_type == PlanType.STUDENT:
        students.check_verified(user)
    _set_cancellation(current, user, False)


def _set_cancellation(current: Subscription, user: User, ends: bool) -> None:
    with suppress(SubscriptionNotFound):  # it has ended, as the mirror will show
        stripe_gateway.set_cancel_at_period_end(current.stripe_id, ends)
    sync_subscription(current.stripe_id, customer=ensure_customer(user))


def _own_subscription(user: User) -> Subscription:
    current = open_subscription_of(user)
    if current is None:
        raise no_subscription()
    return current


def checkout_url(user: User, plan: SubscriptionPlan, *, success_url: str, cancel_url: str) -> str:
    """Stripe's page to subscribe on; a change of plan needs no such page."""
    check_choice(user, plan)
    if open_subscription_of(user):
        raise already_subscribed()
    return _again_if_unknown(
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
    """Stripe's page for cards and invoices, for whoever has ever been a customer."""
    account = BillingAccount.objects.filter(user=user, stripe_customer_id__isnull=False).first()
    if account is None:
        raise no_subscription()
    try:
        return stripe_gateway.open_portal(customer=str(account.stripe_customer_id), return_url=return_url)
    except CustomerNotFound:  # deleted at Stripe, with all that a page could show
        _forget_customer(user)
        raise no_subscription() from None
