"""The Student plan: somebody applies, an admin decides, and a year later it is asked again."""

from datetime import timedelta

from django.core.files.base import File
from django.db import transaction
from django.utils import timezone

from core.errors import NotAllowed
from core.storage.stored_files import discard, save_with_file
from payments.models import ApplicationStatus, PlanType, StudentApplication, Subscription
from payments.models.students import StudentApplicationQuerySet
from payments.tasks import end_lapsed_student_plan
from users.locks import lock_user
from users.models import User

LASTS = timedelta(days=365)


def is_verified(user: User) -> bool:
    return StudentApplication.objects.valid(timezone.now()).filter(user=user).exists()


def check_verified(user: User) -> None:
    if not is_verified(user):
        raise NotAllowed("This plan is for students. Apply first.", "student_verification_required")


def application_shown_to(user: User) -> StudentApplication | None:
    """What counts now: a valid approval, else the newest application. An approval that has ended is none."""
    applications = StudentApplication.objects.filter(user=user)
    valid = applications.valid(timezone.now()).order_by("-expires_at").first()
    newest = applications.exclude(status=ApplicationStatus.APPROVED).order_by("-created_at").first()
    return valid or newest


def apply(user: User, *, school_email: str = "", document: File | None = None) -> StudentApplication:
    """A new application; it takes the place of one that is not decided yet."""
    application = StudentApplication(user=user)
    return save_with_file(
        application, "document", lambda: _withdraw(user), school_email=school_email, document=document
    )


def _withdraw(user: User) -> None:
    lock_user(user)
    StudentApplication.objects.pending().filter(user=user).delete()


def approve(applications: StudentApplicationQuerySet) -> list[StudentApplication]:
    return _decide(applications, ApplicationStatus.APPROVED)


def refuse(applications: StudentApplicationQuerySet) -> list[StudentApplication]:
    return _decide(applications, ApplicationStatus.REFUSED)


def _decide(applications: StudentApplicationQuerySet, status: ApplicationStatus) -> list[StudentApplication]:
    """Return what was decided. Applications that another admin has decided meanwhile stay as they are."""
    with transaction.atomic():
        pending = list(applications.pending().select_for_update())
        for application in pending:
            _close(application, status)
    return pending


def _close(application: StudentApplication, status: ApplicationStatus) -> None:
    now = timezone.now()
    discard(application.document.name)
    application.document = ""
    application.status, application.decided_at = status, now
    application.expires_at = now + LASTS if status == ApplicationStatus.APPROVED else None
    application.save()
    if application.expires_at:
        end_lapsed_student_plan.using(run_after=application.expires_at).enqueue(str(application.user_id))


def is_lapsed(subscription: Subscription) -> bool:
    return subscription.plan.plan_type == PlanType.STUDENT and not is_verified(subscription.user)


def end_if_lapsed(subscription: Subscription) -> None:
    """A student's plan without a valid approval ends with the period."""
    if not subscription.cancel_at_period_end and is_lapsed(subscription):
        end_lapsed_student_plan.enqueue(str(subscription.user_id))
