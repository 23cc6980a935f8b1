from typing import Any

from django.conf import settings
from django.core.checks import Tags, Warning, register


@register(Tags.security, deploy=True)
def https_is_on(app_configs: Any, **kwargs: Any) -> list[Warning]:
    if settings.DEBUG or settings.HTTPS:
        return []
    return [
        Warning(
            "HTTPS is off: passwords and tokens travel in clear, unless a proxy in front encrypts them.",
            hint="Set HTTPS=on for the redirect, HSTS and secure cookies; behind a proxy TRUSTED_PROXIES=1 too.",
            id="music.W001",
        )
    ]
