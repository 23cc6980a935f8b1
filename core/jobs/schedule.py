"""Recurring tasks: each run schedules the next one."""

from datetime import timedelta

from django.db import connections
from django.utils import timezone
from django_tasks import default_task_backend
from django_tasks.base import Task, TaskResultStatus
from django_tasks_db.models import DBTaskResult


def schedule(task: Task, *, after: timedelta = timedelta()) -> None:
    """Queue the task to run after this time, unless it is queued already."""
    # Two processes may both see none and queue one each. The first of the two to run then finds the other queued and
    # schedules no successor, so one chain is left.
    waiting = DBTaskResult.objects.filter(task_path=task.module_path, status=TaskResultStatus.READY)
    if default_task_backend.supports_defer and not waiting.exists():
        task.using(run_after=timezone.now() + after).enqueue()


def has_queue(using: str) -> bool:
    return DBTaskResult._meta.db_table in connections[using].introspection.table_names()
