"""Errors that the domain raises. `core/api/errors.py` gives each of them its HTTP status.

Input that breaks a rule is `django.core.exceptions.ValidationError` instead, which names the field.
"""


class DomainError(Exception):
    """Base of the errors below. `code` is for programs, `detail` a sentence for people."""

    default_code = "error"
    default_detail = "Something went wrong on our side."
    # Seconds after which the same request may succeed, sent as Retry-After.
    wait: int | None = None

    def __init__(self, detail: str | None = None, code: str | None = None):
        self.detail = detail or self.default_detail
        self.code = code or self.default_code
        super().__init__(self.detail)


class NotFound(DomainError):
    default_code = "not_found"
    default_detail = "Not found."


class NotAllowed(DomainError):
    default_code = "permission_denied"
    default_detail = "You do not have permission to perform this action."


class NotAuthenticated(DomainError):
    default_code = "authentication_failed"
    default_detail = "Incorrect authentication credentials."


class Conflict(DomainError):
    default_code = "conflict"
    default_detail = "Another request changed this at the same moment. Fetch it again, and repeat your request."


class LimitReached(DomainError):
    """Too many requests of one kind; `wait` seconds later there is room again."""

    default_code = "throttled"
    default_detail = "Request was throttled."

    def __init__(self, detail: str | None = None, code: str | None = None, *, wait: int):
        unit = "second" if wait == 1 else "seconds"
        super().__init__(f"{detail or self.default_detail} Expected available in {wait} {unit}.", code)
        self.wait = wait


class Unavailable(DomainError):
    """Something that this server needs is switched off or can't be reached."""

    default_code = "unavailable"
    default_detail = "This is not available right now. Nothing was changed; try again in a moment."


class UpstreamFailed(DomainError):
    """An outside party answered with an error, or not at all."""

    default_code = "upstream_failed"
    default_detail = "Another service failed. Nothing was changed; try again in a moment."
