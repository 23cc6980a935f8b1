"""System checks of `manage.py check --deploy`, printed at the start of a production server too."""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import Tags, Warning, register


@register(Tags.security, deploy=True)
def https_is_on(app_configs: Any, **kwargs: Any) -> list[Warning]:
    if settings.DEBUG or settings.HTTPS:
        return []
    return [
        Warning(
            "HTTPS is off: passwords and tokens travel unencrypted, unless a proxy in front encrypts them.",
            hint="Set HTTPS=on for the redirect, HSTS and secure cookies; behind a proxy, set TRUSTED_PROXIES=1 too.",
            id="music.W001",
        )
    ]


@register(Tags.security, deploy=True)
def mail_is_sent(app_configs: Any, **kwargs: Any) -> list[Warning]:
    if settings.DEBUG or settings.EMAIL_BACKEND == "django.core.mail.backends.smtp.EmailBackend":
        return []
    if not settings.EMAIL_URL:
        problem = "EMAIL_URL is not set: no mail is sent, so passwords cannot be reset and members cannot be invited."
    elif settings.EMAIL_BACKEND == "django.core.mail.backends.console.EmailBackend":
        problem = "EMAIL_URL prints mails: links that open accounts end up in the log."
    else:
        return []
    return [Warning(problem, hint="Set EMAIL_URL=submission://user:password@host:587.", id="music.W002")]


@register(Tags.security, deploy=True)
def links_lead_somewhere(app_configs: Any, **kwargs: Any) -> list[Warning]:
    host = urlsplit(settings.FRONTEND_URL).hostname or ""
    is_localhost = host == "localhost" or host.endswith(".localhost")
    if settings.DEBUG or not (is_localhost or host in ("", "::1", "0.0.0.0") or host.startswith("127.")):  # noqa: S104
        return []
    return [
        Warning(
            f"Links in mails lead to {settings.FRONTEND_URL}, which only this machine can reach.",
            hint="Set FRONTEND_URL, or PUBLIC_URL if people use this server's own pages.",
            id="music.W003",
        )
    ]


def deployment_warnings() -> list[Warning]:
    """Return the warnings of these checks, for the operator who starts a production server."""
    return [warning for check in (https_is_on, mail_is_sent, links_lead_somewhere) for warning in check(None)]
