from decimal import Decimal

from django.db import migrations

FREE = {
    "trial_days": 0,
    "audio_quality": "medium",
    "offline_mode": False,
    "ad_free": False,
    "skip_limit": 6,
}
PREMIUM = {
    "trial_days": None,
    "audio_quality": "high",
    "offline_mode": True,
    "ad_free": True,
    "skip_limit": None,
}
# What a month costs in USD, and for how many people it is.
PLANS = [
    ("free", "Free", "0.00", 1, FREE),
    ("individual", "Premium Individual", "10.99", 1, PREMIUM),
    ("duo", "Premium Duo", "14.99", 2, PREMIUM),
    ("family", "Premium Family", "16.99", 6, PREMIUM),
    ("student", "Premium Student", "5.99", 1, PREMIUM),
]


def make_plans(apps, schema_editor=None):
    plans = apps.get_model("payments", "SubscriptionPlan").objects
    for plan_type, name, price, seats, features in PLANS:
        plans.get_or_create(
            plan_type=plan_type,
            defaults={
                "name": name,
                "price": Decimal(price),
                "currency": "USD",
                "billing_cycle": "month",
                "max_members": seats,
                **features,
            },
        )


class Migration(migrations.Migration):
    dependencies = [("payments", "0001_plans")]

    operations = [migrations.RunPython(make_plans, migrations.RunPython.noop)]
