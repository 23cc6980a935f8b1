from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.forms.models import model_to_dict

from core.errors import DomainError
from payments.models import BillingAccount, Subscription
from payments.stripe import gateway as stripe_gateway
from payments.stripe.sync import sync_subscription


class Command(BaseCommand):
    help = "Fetch every customer's subscriptions from Stripe, and repair rows that differ."

    def handle(self, *args: Any, **options: Any) -> None:
        accounts = BillingAccount.objects.filter(stripe_customer_id__isnull=False)
        try:
            repaired = sum(self._reconcile(account) for account in accounts.iterator())
        except DomainError as error:
            raise CommandError(error.detail) from error
        if not repaired:
            self.stdout.write("nothing to repair")

    def _reconcile(self, account: BillingAccount) -> int:
        """Sync the account's subscriptions, print what changed, and return how many rows did."""
        customer = str(account.stripe_customer_id)
        # Oldest first: of two open subscriptions the older one takes precedence.
        ids = [*reversed(stripe_gateway.subscriptions_of(customer))]
        known = Subscription.objects.open().filter(user=account.user_id)
        ids += [row.stripe_id for row in known if row.stripe_id not in ids]
        repaired = 0
        for stripe_id in ids:
            before = self._row(stripe_id)
            sync_subscription(stripe_id, customer=customer)
            after = self._row(stripe_id)
            changes = [f"{name} is now {value}" for name, value in after.items() if before.get(name) != value]
            if before != after:
                repaired += 1
                self.stdout.write(f"{stripe_id}: " + ", ".join(changes))
        return repaired

    def _row(self, stripe_id: str) -> dict[str, Any]:
        row = Subscription.objects.filter(stripe_id=stripe_id).first()
        return model_to_dict(row) if row else {}
