"""One at a time for each of Stripe's customers.

Between fetching from Stripe and saving what came nobody else may do the same, or the older answer could be saved last.
So here, and only here, a transaction is open while Stripe is asked. On PostgreSQL others wait for the same customer
only; SQLite has one writer at a time anyway.
"""

from hashlib import blake2b

from django.db import connection

from payments.models import BillingAccount


def lock_customer(customer: str) -> BillingAccount | None:
    """Until the transaction ends. The person first, as the closing of an account does: nobody waits in a circle."""
    if connection.vendor == "postgresql":
        _hold_person_of(customer)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_number_of(customer)])
    return BillingAccount.objects.select_related("user").filter(stripe_customer_id=customer).first()


def _hold_person_of(customer: str) -> None:
    """As a foreign key does: their account can't be closed meanwhile, and nothing else has to wait."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM users_user WHERE id = (SELECT user_id FROM payments_billingaccount "
            "WHERE stripe_customer_id = %s) FOR KEY SHARE",
            [customer],
        )


def _number_of(customer: str) -> int:
    return int.from_bytes(blake2b(customer.encode(), digest_size=8).digest(), signed=True)
