"""What this app announces; whoever needs it listens from above."""

from django.dispatch import Signal

# Sent with user=, in the transaction that changes the name.
name_changed = Signal()

# Sent with user=, in the transaction that changes the address.
email_changed = Signal()

# Sent with user=, in the transaction that deletes the account, before its rows go.
account_closing = Signal()
