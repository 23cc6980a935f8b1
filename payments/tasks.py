"""What is done at Stripe later, again and again until it works."""

from django.utils import timezone

from core.jobs.retries import retried_task
from payments.models import BillingAccount, ClosedCustomer, Subscription
from payments.stripe import gateway as stripe_gateway


@retried_task()
def delete_stripe_customer(customer: str) -> None:
    """Cancel what a closed account has at Stripe, and have the customer removed there."""
    for stripe_id in stripe_gateway.subscriptions_of(customer):
        stripe_gateway.cancel_now(stripe_id)
    stripe_gateway.delete_customer(customer)
    ClosedCustomer.objects.of(customer).update(ended_at=timezone.now())


@retried_task()
def update_customer_email(user_id: str) -> None:
    """Invoices go to the address that the account has by now."""
    customers = BillingAccount.objects.filter(user_id=user_id, stripe_customer_id__isnull=False)
    for customer, email in customers.values_list("stripe_customer_id", "user__email"):
        stripe_gateway.set_customer_email(str(customer), email or "")


@retried_task()
def cancel_duplicate_subscription(stripe_id: str) -> None:
    """Cancel a second subscription of the same person, with what was paid for it given back as credit."""
    stripe_gateway.cancel_now(stripe_id, gives_back=True)


@retried_task()
def end_lapsed_student_plan(user_id: str) -> None:
    """At the period's end, where there is no valid approval (any more)."""
    from payments.stripe.sync import sync_subscription
    from payments.students import is_lapsed

    subscriptions = Subscription.objects.open().filter(user_id=user_id, cancel_at_period_end=False)
    for subscription in subscriptions.select_related("plan", "user__billing_account"):
        if is_lapsed(subscription):
            stripe_gateway.set_cancel_at_period_end(subscription.stripe_id, True)
            customer = str(subscription.user.billing_account.stripe_customer_id)
            sync_subscription(subscription.stripe_id, customer=customer)
