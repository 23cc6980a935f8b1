"""Work at Stripe that is retried in the background until it succeeds."""

from django.utils import timezone

from core.jobs.retries import retried_task
from payments.models import BillingAccount, ClosedCustomer, Subscription
from payments.stripe import gateway as stripe_gateway


@retried_task()
def delete_stripe_customer(customer: str) -> None:
    """Cancel all subscriptions of a deleted account, and delete its customer at Stripe."""
    for stripe_id in stripe_gateway.subscriptions_of(customer):
        stripe_gateway.cancel_now(stripe_id)
    stripe_gateway.delete_customer(customer)
    ClosedCustomer.objects.of(customer).update(ended_at=timezone.now())


@retried_task()
def update_customer_email(user_id: str) -> None:
    """Send the account's present address to Stripe, for invoices."""
    customers = BillingAccount.objects.filter(user_id=user_id, stripe_customer_id__isnull=False)
    for customer, email in customers.values_list("stripe_customer_id", "user__email"):
        stripe_gateway.set_customer_email(str(customer), email or "")


@retried_task()
def cancel_duplicate_subscription(stripe_id: str) -> None:
    """Cancel a user's second subscription, and credit what was paid for the rest of its period."""
    stripe_gateway.cancel_now(stripe_id, gives_credit=True)


@retried_task()
def end_lapsed_student_plan(user_id: str) -> None:
    """Cancel a Student plan at the end of its period if its owner has no valid approval when the task runs."""
    # Inside the function: both modules queue this task.
    from payments.stripe.sync import sync_subscription
    from payments.students import is_lapsed

    subscriptions = Subscription.objects.open().filter(user_id=user_id, cancel_at_period_end=False)
    for subscription in subscriptions.select_related("plan", "user__billing_account"):
        if is_lapsed(subscription):
            stripe_gateway.set_cancel_at_period_end(subscription.stripe_id, True)
            customer = str(subscription.user.billing_account.stripe_customer_id)
            sync_subscription(subscription.stripe_id, customer=customer)
