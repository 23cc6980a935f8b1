"""How a log record is written: one line of JSON in production, a readable one in development; nothing personal."""

import logging
import re
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

import orjson

from core.observability.routes import route_of

# Of the request, or of the task, that is being worked on.
current_id: ContextVar[str | None] = ContextVar("current_id", default=None)

EMAIL = re.compile(r"[\w.+%-]+@[\w-]+(?:\.[\w-]+)+")


def without_addresses(text: str) -> str:
    return EMAIL.sub("[e-mail]", text) if "@" in text else text


class WithoutPaths(logging.Filter):
    """Django names the path of a request that failed. A path is typed by anybody; its route is ours."""

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
