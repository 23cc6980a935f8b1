"""Leases of those that work in the background: workers, and a backup that is being made."""

from django.db import models
from django.utils import timezone

BACKUP = "backup "


class WorkerLease(models.Model):
    """A background worker that is at work. When its lease ends without having been renewed, others take over."""

    worker = models.CharField(max_length=64, primary_key=True)
    ends_at = models.DateTimeField()

    class Meta:
        # Its table was made by the migrations of `users`.
        app_label = "users"

    def __str__(self) -> str:
        return f"{self.worker} until {self.ends_at:%H:%M:%S}"


def is_backup_running() -> bool:
    return WorkerLease.objects.filter(worker__startswith=BACKUP, ends_at__gt=timezone.now()).exists()
