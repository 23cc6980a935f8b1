"""Signals of the storage; the packages above listen."""

from django.dispatch import Signal

# Sent with names=, of stored files that no row names; answered with the set of those that are needed all the same.
unnamed_files_found = Signal()
