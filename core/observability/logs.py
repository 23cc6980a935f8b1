"""Log formatters: a line of JSON in production, a readable line in development; neither with personal data."""

import logging
import re
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

import orjson

from core.observability.routes import route_of

# The id of the current request or task.
current_id: ContextVar[str | None] = ContextVar("current_id", default=None)

EMAIL = re.compile(r"[\w.+%-]+@[\w-]+(?:\.[\w-]+)+")


def without_addresses(text: str) -> str:
    return EMAIL.sub("[e-mail]", text) if "@" in text else text


class WithoutPaths(logging.Filter):
    """Replace the path in Django's message about a failed request by its route: a path may contain anything."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name == "django.request" and hasattr(record, "request") and isinstance(record.args, tuple):
            record.args = (*record.args[:1], route_of(record.request))
        return True


class JSONLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": without_addresses(record.getMessage()),
            "request_id": current_id.get(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["exception"] = without_addresses(self.formatException(record.exc_info))
        return orjson.dumps(line, default=str).decode()


class ReadableLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        fields = " ".join(f"{name}={value}" for name, value in getattr(record, "fields", {}).items())
        time = datetime.fromtimestamp(record.created).strftime("%H:%M:%S")
        line = f"{time} {record.levelname} {record.getMessage()} {fields} [{current_id.get() or '-'}]"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line
