from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import Q

from core.db.base_model import UUIDModel
from core.folding import FoldedField, fold_address
from payments.models.subscriptions import Subscription
from users.models import User


class MembershipQuerySet(models.QuerySet):
    def active(self) -> Self:
        return self.filter(user__isnull=False)

    def invited(self) -> Self:
        return self.filter(user__isnull=True)

    def occupying(self, now: datetime) -> Self:
        """Filter for rows that take a seat: members, and invitations that can still be accepted."""
        return self.filter(Q(user__isnull=False) | Q(expires_at__gt=now))


class Membership(UUIDModel):
    """A seat on a Duo or Family plan. It is an invitation until a user joins with its token."""

    subscription = models.ForeignKey(Subscription, on_delete=models.CASCADE, related_name="memberships")
    # One to one: a user is a member of one plan at a time.
    user = models.OneToOneField(User, on_delete=models.CASCADE, null=True, related_name="membership")
    # The address that the owner invited. The member's account may have another: the token alone decides.
    email = models.EmailField()
    email_key = FoldedField(source="email", fold=fold_address)
    is_child = models.BooleanField("child", default=False, help_text="For a child there are no explicit songs.")
    token_digest = models.CharField(max_length=64, unique=True, null=True, editable=False)
    expires_at = models.DateTimeField(null=True)
    joined_at = models.DateTimeField(null=True)

    objects = MembershipQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["subscription", "email_key"], name="one_seat_per_plan_and_address"),
            models.CheckConstraint(
                condition=Q(user__isnull=False, joined_at__isnull=False, token_digest__isnull=True)
                | Q(user__isnull=True, joined_at__isnull=True, token_digest__isnull=False, expires_at__isnull=False),
                name="a_seat_is_an_invitation_or_a_member",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user or self.email} on {self.subscription_id}"

    @property
    def status(self) -> str:
        return "active" if self.user_id else "invited"
