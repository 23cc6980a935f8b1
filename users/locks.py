"""The row lock of an account. Later locks (seats, Stripe customers, songs) are taken after it, never before."""

from core.errors import NotAuthenticated
from users.models import User


def lock_user(user: User) -> None:
    """Lock the user's row until the transaction ends. Raise NotAuthenticated if the account is gone."""
    # NO KEY: other transactions may still insert rows that point at the account.
    if User.objects.select_for_update(no_key=True).filter(pk=user.pk).first() is None:
        raise NotAuthenticated
