"""Imports the admin pages of each subject, which register themselves: Django looks for them in this module."""

from music.advertising import admin as advertising
from music.catalogue import admin as catalogue

__all__ = ["advertising", "catalogue"]
