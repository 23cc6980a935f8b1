from typing import Any

from django.core.management.base import BaseCommand, CommandError

from core.errors import DomainError
from payments.models import SubscriptionPlan
from payments.stripe.prices import sync_plan


class Command(BaseCommand):
    help = "Create or update the plans' products and prices at Stripe. Safe to repeat; changed terms get a new price."

    def handle(self, *args: Any, **options: Any) -> None:
        for plan in SubscriptionPlan.objects.paid_for():
            try:
                is_new = sync_plan(plan)
            except DomainError as error:
                raise CommandError(error.detail) from error
            self.stdout.write(f"{plan}: {plan.terms}, {plan.stripe_price_id}{' (new)' if is_new else ''}")
