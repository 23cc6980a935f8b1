"""Deletion of personal data that does not go with the rows of a deleted account."""

import json

from django.contrib.admin.models import LogEntry
from django.contrib.auth import SESSION_KEY
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.db.models import CASCADE, Q, QuerySet
from django_tasks.base import TaskResultStatus
from django_tasks_db.models import DBTaskResult

from core.jobs.retries import retried_task
from users.login import failed_logins_of
from users.models import User


def delete_personal_traces(user: User, **kwargs: object) -> None:
    """Receiver for account_closing: delete failed log-ins, queued tasks and browser sessions, and anonymise the log."""
    failed_logins_of(user).delete()
    anonymize_admin_log(user)
    # A running task's row is locked by its worker, which erases the arguments when it ends.
    tasks_about(user).exclude(status=TaskResultStatus.RUNNING).delete()
    end_browser_sessions.enqueue(str(user.pk))


def tasks_about(user: User) -> QuerySet:
    """Return the queued tasks that have the user's id or e-mail address as an argument."""
    condition = Q()
    for text in filter(None, (str(user.pk), user.email)):
        # SQLite stores letters beyond ASCII escaped, PostgreSQL as they are.
        for spelled in (json.dumps(text), json.dumps(text, ensure_ascii=False)):
            condition |= Q(args_kwargs__icontains=spelled)
    return DBTaskResult.objects.filter(condition)


def admin_log_about(user: User) -> Q:
    """Return a condition for log entries about the account and the rows that it owns, or owned."""
    about = Q(content_type=ContentType.objects.get_for_model(User), object_id=str(user.pk))
    # When an admin deletes a row, the message of the entry names the owner's id.
    about |= Q(change_message__contains=str(user.pk))
    for kind in ContentType.objects.filter(logentry__isnull=False).distinct():
        # Entries about a whole list have no object id.
        logged = LogEntry.objects.filter(content_type=kind, object_id__isnull=False)
        logged_ids = list(logged.values_list("object_id", flat=True))
        for relation in User._meta.related_objects:
            if relation.related_model is kind.model_class() and relation.on_delete is CASCADE:
                owned = relation.related_model._base_manager.filter(**{relation.field.name: user}, pk__in=logged_ids)
                about |= Q(content_type=kind, object_id__in=[str(pk) for pk in owned.values_list("pk", flat=True)])
    return about


def anonymize_admin_log(user: User) -> None:
    """Erase from the admin log to whom something was done; that it was done stays."""
    LogEntry.objects.filter(admin_log_about(user)).update(
        object_id=None, object_repr="of a closed account", change_message=""
    )


@retried_task()
def end_browser_sessions(user_id: str) -> None:
    """Delete the user's sessions. Their user is only in their signed data, so all sessions are read."""
    for session in Session.objects.iterator():
        if session.get_decoded().get(SESSION_KEY) == user_id:
            session.delete()
