"""Plans as Stripe has them: a product for each, and a price for the terms of today."""

from payments.models import SubscriptionPlan
from payments.stripe import gateway as stripe_gateway


def sync_plan(plan: SubscriptionPlan) -> bool:
    """Make product and price at Stripe say what the plan says. Answers whether a price was made.

    A price at Stripe never changes: other terms get a new one, and whoever pays the old one goes on paying it.
    """
    plan.stripe_product_id = stripe_gateway.ensure_product(
        plan.stripe_product_id, name=plan.name, plan_type=plan.plan_type
    )
    replaced = plan.stripe_price_id
    fits = plan.stripe_price_terms == plan.terms and stripe_gateway.has_price(replaced)
    if not fits:
        plan.stripe_price_id = stripe_gateway.create_price(
            product=plan.stripe_product_id, amount=plan.price, currency=plan.currency, interval=plan.billing_cycle
        )
        plan.stripe_price_terms = plan.terms
    plan.save(update_fields=["stripe_product_id", "stripe_price_id", "stripe_price_terms", "updated_at"])
    if replaced and not fits:
        stripe_gateway.retire_price(replaced)
    return not fits


def ensure_price(plan: SubscriptionPlan) -> str:
    """The id of the price at Stripe; made now where it is missing, or was made for other terms."""
    if not plan.stripe_price_id or plan.stripe_price_terms != plan.terms:
        sync_plan(plan)
    return plan.stripe_price_id
