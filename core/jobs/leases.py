"""Leases that show which background processes are alive: workers, and a running backup."""

from django.db import models
from django.utils import timezone

# Worker names that begin so are backups, not workers.
BACKUP = "backup "


class WorkerLease(models.Model):
    """A living worker. When its lease ends without renewal, other workers take over its task."""

    worker = models.CharField(max_length=64, primary_key=True)
    ends_at = models.DateTimeField()

    class Meta:
        # Its table was made by the migrations of `users`.
        app_label = "users"

    def __str__(self) -> str:
        return f"{self.worker} until {self.ends_at:%H:%M:%S}"


def is_backup_running() -> bool:
    return WorkerLease.objects.filter(worker__startswith=BACKUP, ends_at__gt=timezone.now()).exists()
