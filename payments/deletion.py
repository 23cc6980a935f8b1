"""When an account is closed: nothing of it stays here, and Stripe is told by a task that tries until it worked."""

from payments.members import end_all_seats, forget_address
from payments.models import BillingAccount, ClosedCustomer, Subscription, UsedTrial
from payments.models.subscriptions import digest_of
from payments.stripe import store as stripe_tables
from payments.tasks import delete_stripe_customer
from users.models import User


def close_billing(user: User, **kwargs: object) -> None:
    """Receiver for account_closing."""
    for subscription in Subscription.objects.filter(user=user):
        end_all_seats(subscription)
    if user.email:
        forget_address(user.email)
    account = BillingAccount.objects.filter(user=user).first()
    if account and account.trial_used_at:
        UsedTrial.objects.remember(user.email_key)
    if account and account.stripe_customer_id:
        close_customer(account.stripe_customer_id)


def close_customer(customer: str) -> None:
    ClosedCustomer.objects.get_or_create(customer_digest=digest_of(customer))
    stripe_tables.forget_customer(customer)
    delete_stripe_customer.enqueue(customer)
