"""The lock of a Stripe customer.

Between fetching an object from Stripe and saving it no other process may do the same for that customer, or the older
answer could be saved last. So here, and only here, a transaction stays open during a call to Stripe. On PostgreSQL
only work on the same customer waits; SQLite has a single writer anyway.
"""

from hashlib import blake2b

from django.db import connection

from payments.models import BillingAccount


def lock_customer(customer: str) -> BillingAccount | None:
    """Lock the customer until the transaction ends. Return its account, or None if the customer is not ours."""
    if connection.vendor == "postgresql":
        number = int.from_bytes(blake2b(customer.encode(), digest_size=8).digest(), signed=True)
        with connection.cursor() as cursor:
            # The user's row first, the order in which the deletion of an account locks: otherwise both could deadlock.
            # KEY SHARE, as a foreign key takes it, keeps the account from being deleted and lets all else go on.
            cursor.execute(
                "SELECT 1 FROM users_user WHERE id = (SELECT user_id FROM payments_billingaccount "
                "WHERE stripe_customer_id = %s) FOR KEY SHARE",
                [customer],
            )
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [number])
    return BillingAccount.objects.select_related("user").filter(stripe_customer_id=customer).first()
