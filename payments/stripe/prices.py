"""Products and prices at Stripe: one product for each plan, and one active price for its present terms."""

from payments.models import SubscriptionPlan
from payments.stripe import gateway as stripe_gateway


def sync_plan(plan: SubscriptionPlan) -> bool:
    """Create or update the plan's product and price at Stripe. Return whether a new price was created.

    A price at Stripe can't be changed: other terms get a new one. Present subscribers go on paying the old price.
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
    """Return the id of the price at Stripe, creating the price if it is missing or has other terms."""
    if not plan.stripe_price_id or plan.stripe_price_terms != plan.terms:
        sync_plan(plan)
    return plan.stripe_price_id
