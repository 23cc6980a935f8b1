"""When an account is closed: what speaks of the person here and does not go with their rows."""

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
    """Receiver for account_closing."""
    failed_logins_of(user).delete()
    forget_names_in_admin_log(user)
    # One that is running has its row held by a worker, and forgets by itself what it was about.
    tasks_about(user).exclude(status=TaskResultStatus.RUNNING).delete()
    end_browser_sessions.enqueue(str(user.pk))


def tasks_about(user: User) -> QuerySet:
    """Those that were given the person's id or address."""
    named = Q()
    for text in filter(None, (str(user.pk), user.email)):
        # As SQLite has letters beyond ASCII, and as PostgreSQL has them.
        for spelled in (json.dumps(text), json.dumps(text, ensure_ascii=False)):
            named |= Q(args_kwargs__icontains=spelled)
    return DBTaskResult.objects.filter(named)


def admin_log_about(user: User) -> Q:
    """Match what admins did to the account and to what goes with it, also where it went before."""
    about = Q(content_type=ContentType.objects.get_for_model(User), object_id=str(user.pk))
    # Of what an admin deleted the entry says whose it was.
    about |= Q(change_message__contains=str(user.pk))
    for kind in ContentType.objects.filter(logentry__isnull=False).distinct():
        logged = LogEntry.objects.filter(content_type=kind).values_list("object_id", flat=True)
        for relation in User._meta.related_objects:
            if relation.related_model is kind.model_class() and relation.on_delete is CASCADE:
                owned = relation.related_model._base_manager.filter(**{relation.field.name: user}, pk__in=_ids(logged))
                about |= Q(content_type=kind, object_id__in=[str(pk) for pk in owned.values_list("pk", flat=True)])
    return about


def _ids(logged: QuerySet) -> list[str]:
    """Return the ids that entries name; an entry about a list names none."""
    return [pk for pk in logged if pk is not None]


def forget_names_in_admin_log(user: User) -> None:
    """Keep that an admin did something, and forget to whom."""
    LogEntry.objects.filter(admin_log_about(user)).update(
        object_id=None, object_repr="of a closed account", change_message=""
    )


@retried_task()
def end_browser_sessions(user_id: str) -> None:
    """Those of the admin and the browsable API. Whose one is, is only in its signed data."""
    for session in Session.objects.iterator():
        if session.get_decoded().get(SESSION_KEY) == user_id:
            session.delete()
