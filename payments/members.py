"""Seats on a Duo or Family plan: invitations, members, children.

Every change to a plan's seats locks its subscription first, so that two changes can't both take the last seat. Who
joins locks their own account before that.
"""

from datetime import timedelta
from hashlib import sha256
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.crypto import get_random_string

from core.errors import NotAllowed, NotFound
from core.folding import fold_address
from payments import mails
from payments.errors import already_subscribed, no_subscription
from payments.idempotency import check_no_payment_in_progress
from payments.models import Membership, Subscription
from payments.models.members import MembershipQuerySet
from users.locks import lock_user
from users.models import User

INVITATION_LIFETIME = timedelta(days=7)


def seats_of(subscription: Subscription) -> MembershipQuerySet:
    """Return members and open invitations. The owner's own seat has no row."""
    return Membership.objects.occupying(timezone.now()).filter(subscription=subscription)


def seats_used(subscription: Subscription) -> int:
    """Return how many seats are taken, the owner's included."""
    return 1 + seats_of(subscription).count()


def no_seats() -> NotAllowed:
    return NotAllowed("Your plan has no seats for others.", "no_seats")


def invite(owner: User, *, email: str, is_child: bool | None = None) -> Membership:
    """Take a seat and mail an invitation token, of which only a digest is stored. Return the seat.

    Inviting the same address again sends a new token, and the old one stops working. Without `is_child` a repeated
    invitation keeps its value, and a new one is for an adult. Raise NotAllowed if the plan has no seats, and
    ValidationError if all are taken or the address belongs to a member.
    """
    token = get_random_string(40)
    with transaction.atomic():
        subscription = (
            Subscription.objects.entitling()
            .select_related("plan")
            .select_for_update(of=("self",))
            .filter(user=owner)
            .first()
        )
        if subscription is None or not subscription.plan.has_seats:
            raise no_seats()
        rows = Membership.objects.filter(subscription=subscription)
        rows.invited().filter(expires_at__lte=timezone.now()).delete()
        known = rows.filter(email_key=fold_address(email)).first()
        if known and known.user_id:
            raise ValidationError(
                {"email": ValidationError("A member of your plan was invited by this address.", "already_member")}
            )
        if known is None and seats_used(subscription) >= subscription.plan.max_members:
            raise ValidationError("All seats of your plan are taken.", "no_seats_left")
        seat = known or Membership(subscription=subscription)
        seat.email = email
        seat.is_child = seat.is_child if is_child is None else is_child
        seat.token_digest, seat.expires_at = _digest(token), timezone.now() + INVITATION_LIFETIME
        seat.save()
        mails.invitation.enqueue(str(seat.pk), token)
    return seat


def join(user: User, token: str) -> Membership:
    """Make the user the member whom the token invites. Raise ValidationError if a rule or the token forbids it."""
    with transaction.atomic():
        # The account before the plan, the order of every other lock on both.
        lock_user(user)
        check_no_payment_in_progress(user)
        if Subscription.objects.open().filter(user=user).exists():
            raise already_subscribed()
        seat = _lock_invitation(token)
        if Membership.objects.filter(user=user).exists():
            raise ValidationError("You are a member of a plan already. Leave it first.", "already_member")
        seat.user, seat.joined_at = user, timezone.now()
        seat.token_digest = seat.expires_at = None
        seat.save()
    return seat


def _lock_invitation(token: str) -> Membership:
    """Lock the invitation's plan and return the invitation. Raise ValidationError if the token is not valid."""
    invitations = Membership.objects.invited().filter(token_digest=_digest(token), expires_at__gt=timezone.now())
    for subscription_id in invitations.values_list("subscription", flat=True):
        plan = Subscription.objects.entitling().select_for_update().filter(pk=subscription_id)
        # Read again under the lock: of two requests with one token, the second finds it used.
        if plan.first() and (seat := invitations.first()):
            return seat
    raise ValidationError("This invitation is not valid, was used already, or has ended.", "invalid_token")


def leave(user: User) -> None:
    """Give up the user's seat on another's plan. Raise NotAllowed for a child, whose seat only the owner ends."""
    with transaction.atomic():
        seat = Membership.objects.select_for_update().filter(user=user).first()
        if seat is None:
            raise no_subscription()
        if seat.is_child:
            raise NotAllowed("Only the owner of the plan can end a child's seat.", "child_account")
        seat.delete()


def remove_seat(owner: User, seat_id: UUID | str) -> None:
    with transaction.atomic():
        _delete_seat(seat_of(owner, seat_id), sender=owner)


def seat_of(owner: User, seat_id: UUID | str) -> Membership:
    """Return a seat of the owner's own plan. Raise NotFound if it is another owner's, or gone."""
    seats = Membership.objects.occupying(timezone.now()).filter(
        subscription__in=Subscription.objects.open().filter(user=owner), pk=seat_id
    )
    seat = _with_people(seats).first()
    if seat is None:
        raise NotFound
    return seat


def erase_address(email: str) -> None:
    """Delete what names the address of an account that is being deleted.

    Its invitations go. A member who joined by an invitation to this address stays, under a placeholder address.
    """
    named = Membership.objects.filter(email_key=fold_address(email))
    named.invited().delete()
    for seat in named.active():
        seat.email = f"{seat.pk}@removed.invalid"
        seat.save()


def set_child(seat: Membership, is_child: bool) -> None:
    seat.is_child = is_child
    # update() and not save(): the seat may have been deleted meanwhile.
    Membership.objects.filter(pk=seat.pk).update(is_child=is_child)


def leave_for_own_plan(user: User) -> None:
    """Give up the seat of a user who now has a plan of their own. A child keeps it: only the owner ends it."""
    Membership.objects.filter(user=user, is_child=False).delete()


def end_all_seats(subscription: Subscription) -> None:
    for seat in _with_people(Membership.objects.filter(subscription=subscription)):
        _delete_seat(seat)


def trim_seats(subscription: Subscription) -> None:
    """Delete seats beyond the plan's number: invitations first, then members, the newest of each before older ones."""
    excess = seats_used(subscription) - subscription.plan.max_members
    if excess <= 0:
        return
    seats = _with_people(seats_of(subscription))
    for seat in [*seats.invited().order_by("-created_at"), *seats.active().order_by("-joined_at")][:excess]:
        _delete_seat(seat)


def _with_people(seats: MembershipQuerySet) -> MembershipQuerySet:
    return seats.select_related("user", "subscription__plan", "subscription__user")


def _delete_seat(seat: Membership, *, sender: User | None = None) -> None:
    """Delete the seat and mail its member. `sender` is the account whose request it was, whose mails are limited."""
    seat.delete()
    if seat.user and seat.user.email:
        owner, plan = seat.subscription.user, seat.subscription.plan
        sender_id = str(sender.pk) if sender else None
        mails.seat_lost.enqueue(seat.user.email, str(seat.user), str(owner), str(plan), sender_id)


def _digest(token: str) -> str:
    return sha256(token.encode("utf-8", "replace")).hexdigest()
