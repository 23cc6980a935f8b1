"""The index of the app's models, where Django looks for them."""

from payments.models.members import Membership
from payments.models.plans import BillingCycle, PlanType, SubscriptionPlan
from payments.models.students import ApplicationStatus, StudentApplication
from payments.models.subscriptions import (
    ENDED,
    ENTITLING,
    BillingAccount,
    ClosedCustomer,
    PaymentRequest,
    Status,
    Subscription,
)
from payments.models.trials import UsedTrial

__all__ = [
    "ENDED",
    "ENTITLING",
    "ApplicationStatus",
    "BillingAccount",
    "BillingCycle",
    "ClosedCustomer",
    "Membership",
    "PaymentRequest",
    "PlanType",
    "Status",
    "StudentApplication",
    "Subscription",
    "SubscriptionPlan",
    "UsedTrial",
]
