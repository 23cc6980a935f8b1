from django.db.models import Case, Min, When
from django.utils import timezone
from django_tasks_db.models import DBTaskResult, get_date_max


def oldest_waiting_seconds() -> float:
    """How long the oldest task that is due has waited for a worker."""
    # Tasks for any time are kept with the last date there is.
    due_since = Case(When(run_after=get_date_max(), then="enqueued_at"), default="run_after")
    since = DBTaskResult.objects.ready().aggregate(since=Min(due_since))["since"]
    return max(0.0, round((timezone.now() - since).total_seconds(), 1)) if since else 0.0
