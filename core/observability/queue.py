from django.db.models import Case, Min, When
from django.utils import timezone
from django_tasks_db.models import DBTaskResult, get_date_max


def oldest_waiting_seconds() -> float:
    """Return the seconds that the oldest due task has waited for a worker; 0 if there is none."""
    # django-tasks-db stores tasks without a time of their own with the maximum date.
    due_since = Case(When(run_after=get_date_max(), then="enqueued_at"), default="run_after")
    since = DBTaskResult.objects.ready().aggregate(since=Min(due_since))["since"]
    return max(0.0, round((timezone.now() - since).total_seconds(), 1)) if since else 0.0
