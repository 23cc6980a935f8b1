"""Error reports to Sentry, with the place in the code but without the caller and what they sent."""

from typing import Any

import sentry_sdk
from sentry_sdk.integrations.django import DjangoIntegration

from core.observability.logs import current_id, without_addresses

REPORTED_HEADERS = {"content-type", "content-length", "accept", "host"}


def start_sentry(dsn: str) -> None:
    sentry_sdk.init(
        dsn=dsn,
        send_default_pii=False,
        max_request_body_size="never",
        include_local_variables=False,
        max_breadcrumbs=0,
        before_send=scrub,
        integrations=[DjangoIntegration(middleware_spans=False, signals_spans=False)],
    )


def scrub(event: Any, hint: dict[str, Any]) -> Any:
    if request := event.get("request"):
        headers = {k: v for k, v in request.get("headers", {}).items() if k.lower() in REPORTED_HEADERS}
        event["request"] = {"method": request.get("method"), "headers": headers}
    event.pop("user", None)
    event.setdefault("tags", {})["request_id"] = current_id.get()
    return mask_addresses(event)


def mask_addresses(value: Any) -> Any:
    if isinstance(value, str):
        return without_addresses(value)
    if isinstance(value, dict):
        return {key: mask_addresses(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [mask_addresses(part) for part in value]
    return value
