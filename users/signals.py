"""Signals of this app, for receivers in the apps above."""

from django.dispatch import Signal

# Sent with user=, in the transaction that changes the address.
email_changed = Signal()

# Sent with user=, in the transaction that deletes the account, before its rows go.
account_closing = Signal()
