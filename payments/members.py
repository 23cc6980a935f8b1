"""Seats on a Duo or Family plan: inviting, joining, leaving. While seats change the owner's subscription is held."""

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

INVITATIONS_LAST = timedelta(days=7)


def seats_of(subscription: Subscription) -> MembershipQuerySet:
    """Members and open invitations; the owner's own seat is not among them."""
    return Membership.objects.standing(timezone.now()).filter(subscription=subscription)


def seats_used(subscription: Subscription) -> int:
    return 1 + seats_of(subscription).count()


def shared_plan_of(owner: User) -> Subscription:
    """The owner's subscription with seats, held; to be called in a transaction."""
    subscription = (
        Subscription.objects.entitling()
        .select_related("plan")
        .select_for_update(of=("self",))
        .filter(user=owner)
        .first()
    )
    if subscription is None or not subscription.plan.has_seats:
        raise no_seats()
    return subscription


def no_seats() -> NotAllowed:
    return NotAllowed("Your plan has no seats for others.", "no_seats")


def invite(owner: User, *, email: str, is_child: bool | None = None) -> Membership:
    """Take a seat and mail a token, of which only a digest is kept. Inviting again sends another token.

    Without `is_child` an invitation that is repeated stays as it is, and a new one is for a grown-up.
    """
    token = get_random_string(40)
    with transaction.atomic():
        subscription = shared_plan_of(owner)
        rows = Membership.objects.filter(subscription=subscription)
        rows.invited().filter(expires_at__lte=timezone.now()).delete()
        known = rows.filter(email_key=fold_address(email)).first()
        if known and known.user_id:
            raise ValidationError({"email": ValidationError("Somebody has joined by this address.", "already_member")})
        if known is None and seats_used(subscription) >= subscription.plan.max_members:
            raise ValidationError("All seats of your plan are taken.", "no_seats_left")
        seat = known or Membership(subscription=subscription)
        seat.email = email
        seat.is_child = seat.is_child if is_child is None else is_child
        seat.token_digest, seat.expires_at = _digest(token), timezone.now() + INVITATIONS_LAST
        seat.save()
        mails.invitation.enqueue(str(seat.pk), token)
    return seat


def join(user: User, token: str) -> Membership:
    with transaction.atomic():
        lock_user(user)
        check_no_payment_in_progress(user)
        if Subscription.objects.open().filter(user=user).exists():
            raise already_subscribed()
        seat = _invited_by(token)
        if Membership.objects.filter(user=user).exists():
            raise ValidationError("You are a member of a plan already. Leave it first.", "already_member")
        seat.user, seat.joined_at = user, timezone.now()
        seat.token_digest = seat.expires_at = None
        seat.save()
    return seat


def _invited_by(token: str) -> Membership:
    """The invitation, with the plan held that it is for: of two who use it at once, the second finds it used."""
    open_ones = Membership.objects.invited().filter(token_digest=_digest(token), expires_at__gt=timezone.now())
    for subscription_id in open_ones.values_list("subscription", flat=True):
        held = Subscription.objects.entitling().select_for_update().filter(pk=subscription_id)
        if held.first() and (seat := open_ones.first()):
            return seat
    raise ValidationError("This invitation is not valid, was used already, or has ended.", "invalid_token")


def leave(user: User) -> None:
    with transaction.atomic():
        seat = Membership.objects.select_for_update().filter(user=user).first()
        if seat is None:
            raise no_subscription()
        if seat.is_child:
            raise NotAllowed("A child's seat is ended by the owner of the plan.", "child_account")
        seat.delete()


def remove(owner: User, seat_id: UUID | str) -> None:
    with transaction.atomic():
        _delete_seat(seat_of(owner, seat_id), sender=owner)


def seat_of(owner: User, seat_id: UUID | str) -> Membership:
    """Of the owner's own plan; NotFound where it is another's, or has gone."""
    mine = Membership.objects.filter(subscription__in=Subscription.objects.open().filter(user=owner))
    seat = mine.standing(timezone.now()).select_related("user", "subscription__plan", "subscription__user")
    for found in seat.filter(pk=seat_id):
        return found
    raise NotFound


def forget_address(email: str) -> None:
    """Of an account that closes: nobody is invited by it any more. Who joined by it in another's place stays."""
    named = Membership.objects.filter(email_key=fold_address(email))
    named.invited().delete()
    for seat in named.active():
        seat.email = f"{seat.pk}@removed.invalid"
        seat.save()


def set_child(seat: Membership, is_child: bool) -> None:
    seat.is_child = is_child
    Membership.objects.filter(pk=seat.pk).update(is_child=is_child)


def leave_seat(user: User) -> None:
    """Who has a plan of their own needs no seat on another's; a child's is the owner's to end."""
    Membership.objects.filter(user=user, is_child=False).delete()


def end_all_seats(subscription: Subscription) -> None:
    for seat in _with_names(Membership.objects.filter(subscription=subscription)):
        _delete_seat(seat)


def trim_seats(subscription: Subscription) -> None:
    """Fewer seats than before: invitations go, the newest first, then the members who joined last."""
    too_many = seats_used(subscription) - subscription.plan.max_members
    if too_many <= 0:
        return
    seats = _with_names(seats_of(subscription))
    going = [*seats.invited().order_by("-created_at"), *seats.active().order_by("-joined_at")][:too_many]
    for seat in going:
        _delete_seat(seat)


def _with_names(seats: MembershipQuerySet) -> MembershipQuerySet:
    return seats.select_related("user", "subscription__plan", "subscription__user")


def _delete_seat(seat: Membership, *, sender: User | None = None) -> None:
    seat.delete()
    if seat.user and seat.user.email:
        owner, plan = seat.subscription.user, seat.subscription.plan
        by = str(sender.pk) if sender else None
        mails.seat_lost.enqueue(seat.user.email, str(seat.user), str(owner), str(plan), by)


def _digest(token: str) -> str:
    return sha256(token.encode("utf-8", "replace")).hexdigest()
