from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import Q

from core.db.base_model import UUIDModel
from core.storage import stored_files
from users.models import User


def document_key(application: "StudentApplication", filename: str) -> str:
    return stored_files.make_key("student-documents", filename)


class StudentApplicationQuerySet(models.QuerySet):
    def pending(self) -> Self:
        return self.filter(status=ApplicationStatus.PENDING)

    def valid(self, now: datetime) -> Self:
        return self.filter(status=ApplicationStatus.APPROVED, expires_at__gt=now)


class ApplicationStatus(models.TextChoices):
    PENDING = "pending"
    APPROVED = "approved"
    REFUSED = "refused"


class StudentApplication(UUIDModel):
    """An application for the Student plan. Only admins see its document, which is deleted with the decision."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="student_applications")
    status = models.CharField(max_length=10, choices=ApplicationStatus, default=ApplicationStatus.PENDING)
    school_email = models.EmailField(blank=True)
    document = models.FileField(upload_to=document_key, blank=True)
    decided_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)

    objects = StudentApplicationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user"],
                condition=Q(status=ApplicationStatus.PENDING),
                name="one_pending_student_application",
            ),
            models.CheckConstraint(
                condition=Q(status__in=ApplicationStatus.values), name="student_application_status_is_known"
            ),
            models.CheckConstraint(
                condition=~Q(status=ApplicationStatus.APPROVED) | Q(expires_at__isnull=False),
                name="student_approvals_expire",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.status}"
