"""Signals of the storage, for receivers in the packages above."""

from django.dispatch import Signal

# Sent with names= (stored files that no row names). A receiver returns the set of those that are needed nevertheless.
unnamed_files_found = Signal()
