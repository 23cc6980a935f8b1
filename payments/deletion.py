"""Deletion of an account's billing: all rows go in the same transaction, the customer at Stripe by a retried task."""

from payments.members import end_all_seats, erase_address
from payments.models import BillingAccount, ClosedCustomer, Subscription, UsedTrial
from payments.models.subscriptions import digest_of
from payments.stripe import store as stripe_tables
from payments.tasks import delete_stripe_customer
from users.models import User


def delete_billing(user: User, **kwargs: object) -> None:
    """Receiver for account_closing: end seats, forget the address, and delete the Stripe customer."""
    for subscription in Subscription.objects.filter(user=user):
        end_all_seats(subscription)
    if user.email:
        erase_address(user.email)
    account = BillingAccount.objects.filter(user=user).first()
    if account and account.trial_used_at:
        UsedTrial.objects.remember(user.email_key)
    if account and account.stripe_customer_id:
        delete_customer(account.stripe_customer_id)


def delete_customer(customer: str) -> None:
    """Delete all rows about a Stripe customer now, and queue its deletion at Stripe."""
    # Events about the customer may still be on their way. By this row they are recognised, and not stored.
    ClosedCustomer.objects.get_or_create(customer_digest=digest_of(customer))
    stripe_tables.delete_customer_rows(customer)
    delete_stripe_customer.enqueue(customer)
