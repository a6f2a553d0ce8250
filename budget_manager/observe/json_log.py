"""LOG_FORMAT=json: each record is one line of JSON, for log collectors. Passwords and keys are masked."""

from __future__ import annotations

import json
import logging
import re
import sys
from datetime import UTC, datetime
from functools import cache
from types import TracebackType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from celery import Task

logger = logging.getLogger(__name__)

MASK = "…"
# What stands before the @ of a URL's host, and the values of passwords in connection strings.
CREDENTIALS = re.compile(r"(?<=://)[^/\s@]+(?=@)|(?<=password=)[^&\s'\"]+", re.IGNORECASE)
# A link that sets a password; it is valid for a day or until it is used.
PASSWORD_LINK = re.compile(r"(?<=/admin/password/set/)[^/\s]+/[^/\s]+")
# Names of our settings whose values are secret.
SECRET_SETTINGS = (
    "SECRET_KEY",
    "METRICS_TOKEN",
    "SENTRY_DSN",
    "HEARTBEAT_URL",
    "WATCH_WEBHOOK_URL",
    "EMAIL_HOST_PASSWORD",
)
# Shorter ones would mask ordinary words.
SHORTEST_SECRET = 8


class JsonFormatter(logging.Formatter):
    """Formats time in UTC, level, logger, message, process; the exception, the task, or the request if there is one."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line: dict[str, Any] = {
            "time": at.replace("+00:00", "Z"),
            "level": record.levelname,
            "logger": record.name,
            "message": masked(record.getMessage()),
            "process": record.process,
            **_task(),
            # What budget_manager.observe.gunicorn_log adds.
            **getattr(record, "http", {}),
        }
        if record.exc_info and record.exc_info[0]:
            line["exception"] = masked(self.formatException(record.exc_info))
        if record.stack_info:
            line["stack"] = masked(record.stack_info)
        return json.dumps(line, default=str)


def masked(text: str) -> str:
    """Return the text without our secrets, users and passwords in URLs, and the tokens of links."""
    for secret in _secrets():
        text = text.replace(secret, MASK)
    return PASSWORD_LINK.sub(MASK, CREDENTIALS.sub(MASK, text))


@cache
def _secrets() -> tuple[str, ...]:
    """Return the secret values of our settings, longest first, because one may be part of another."""
    from django.conf import settings

    values = [getattr(settings, name, "") for name in SECRET_SETTINGS]
    values += [*settings.SECRET_KEY_FALLBACKS, settings.DATABASES["default"].get("PASSWORD", "")]
    return tuple(sorted({value for value in values if value and len(value) >= SHORTEST_SECRET}, key=len, reverse=True))


def log_uncaught_errors() -> None:
    """Have an error that ends a process logged as one line of JSON, in place of Python's traceback."""
    logging.captureWarnings(True)
    sys.excepthook = _log_uncaught


def _log_uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
    else:
        logger.critical("The process ends by an error: %s", kind.__name__, exc_info=(kind, error, trace))


def _task() -> dict[str, str]:
    """Return the name and id of the Celery task that runs in this process, if one does."""
    if "celery" not in sys.modules:
        return {}
    from celery._state import get_current_task

    task: Task[Any, Any] | None = get_current_task()
    if task is None or task.request.id is None:
        return {}
    return {"task": str(task.name), "task_id": task.request.id}
