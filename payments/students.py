"""The Student plan: a listener applies, an admin decides, and an approval is valid for a year."""

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

APPROVAL_LIFETIME = timedelta(days=365)


def is_verified(user: User) -> bool:
    return StudentApplication.objects.valid(timezone.now()).filter(user=user).exists()


def check_verified(user: User) -> None:
    if not is_verified(user):
        raise NotAllowed("This plan is for students. Apply first.", "student_verification_required")


def application_shown_to(user: User) -> StudentApplication | None:
    """Return the valid approval, else the newest application that was not approved, else None."""
    applications = StudentApplication.objects.filter(user=user)
    valid = applications.valid(timezone.now()).order_by("-expires_at").first()
    newest = applications.exclude(status=ApplicationStatus.APPROVED).order_by("-created_at").first()
    return valid or newest


def apply(user: User, *, school_email: str = "", document: File | None = None) -> StudentApplication:
    """Create an application. It replaces one that is still pending."""

    def replace_pending() -> None:
        # Of two applications at the same moment the second waits here, and replaces the first.
        lock_user(user)
        StudentApplication.objects.pending().filter(user=user).delete()

    application = StudentApplication(user=user)
    return save_with_file(application, "document", replace_pending, school_email=school_email, document=document)


def approve(applications: StudentApplicationQuerySet) -> list[StudentApplication]:
    return _decide(applications, ApplicationStatus.APPROVED)


def refuse(applications: StudentApplicationQuerySet) -> list[StudentApplication]:
    return _decide(applications, ApplicationStatus.REFUSED)


def _decide(applications: StudentApplicationQuerySet, status: ApplicationStatus) -> list[StudentApplication]:
    """Decide the pending applications and return them. Those that another admin decided meanwhile stay as they are.

    The document is deleted: it is stored for the decision alone.
    """
    now = timezone.now()
    with transaction.atomic():
        pending = list(applications.pending().select_for_update())
        for application in pending:
            discard(application.document.name)
            application.document = ""
            application.status, application.decided_at = status, now
            application.expires_at = now + APPROVAL_LIFETIME if status == ApplicationStatus.APPROVED else None
            application.save()
            if application.expires_at:
                end_lapsed_student_plan.using(run_after=application.expires_at).enqueue(str(application.user_id))
    return pending


def is_lapsed(subscription: Subscription) -> bool:
    """Return whether this is a Student plan whose owner has no valid approval."""
    return subscription.plan.plan_type == PlanType.STUDENT and not is_verified(subscription.user)


def end_if_lapsed(subscription: Subscription) -> None:
    """Queue the cancellation, at the end of the period, of a Student plan without a valid approval."""
    if not subscription.cancel_at_period_end and is_lapsed(subscription):
        end_lapsed_student_plan.enqueue(str(subscription.user_id))
