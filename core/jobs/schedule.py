"""Tasks that come again and again: each run sees to it that the next one waits for its turn."""

from datetime import timedelta

from django.db import connections
from django.utils import timezone
from django_tasks import default_task_backend
from django_tasks.base import Task, TaskResultStatus
from django_tasks_db.models import DBTaskResult


def schedule(task: Task, *, after: timedelta = timedelta()) -> None:
    """Unless one waits already. Should two processes do so at once, the second chain ends itself later."""
    waiting = DBTaskResult.objects.filter(task_path=task.module_path, status=TaskResultStatus.READY)
    if default_task_backend.supports_defer and not waiting.exists():
        task.using(run_after=timezone.now() + after).enqueue()


def has_queue(using: str) -> bool:
    return DBTaskResult._meta.db_table in connections[using].introspection.table_names()
