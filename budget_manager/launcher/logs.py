"""The settings of logging: what of the log is worth a line, and how `make run` shows it to people."""

import logging
from collections.abc import Mapping
from typing import Any

FREQUENT = {"campaigns.tasks.quick_check", "campaigns.tasks.deliver", "campaigns.tasks.send_alerts"}


def logging_settings(level: str, *, short: bool, json: bool) -> dict[str, Any]:
    """Return Django's LOGGING: everything goes to one handler.

    Lines are short for people who read them live, or JSON for log collectors.
    """
    quieter = ("celery", "django.utils.autoreload") if short and level != "DEBUG" else ()
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"},
            "short": {"()": "budget_manager.launcher.logs.ShortFormatter"},
            "json": {"()": "budget_manager.observe.json_log.JsonFormatter"},
        },
        "filters": {"routine": {"()": "budget_manager.launcher.logs.WithoutRoutine"}},
        "handlers": {
            "stderr": {
                "class": "logging.StreamHandler",
                "formatter": "json" if json else "short" if short else "line",
                "filters": ["routine"],
            }
        },
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            # Django gives these handlers of their own; here everything goes through the one above.
            "django": {"handlers": [], "level": "NOTSET"},
            "django.server": {"handlers": [], "level": "NOTSET", "propagate": True},
            # Failures and locks; its INFO lines log every step.
            "axes": {"level": "WARNING" if level in ("DEBUG", "INFO") else level},
            "waitress.queue": {"level": "ERROR"},  # it logs each request that waits for a thread
            "matplotlib": {"level": "WARNING"},  # it logs the fonts that it finds
            **{name: {"level": "WARNING"} for name in quieter},
        },
    }


class WithoutRoutine(logging.Filter):
    """Drops celery's three lines about each task of every few seconds, and the development server's about files.

    What a quick check changes is logged by the job itself. Warnings and errors stay.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        return record.levelno > logging.INFO or not (_is_of_frequent_task(record) or _is_of_static_file(record))


def _is_of_frequent_task(record: logging.LogRecord) -> bool:
    if not record.name.startswith("celery."):
        return False
    if isinstance(record.args, Mapping):  # a worker's "received" and "succeeded"
        return record.args.get("name") in FREQUENT
    return not FREQUENT.isdisjoint(record.args or ())  # beat's "Sending due task"


def _is_of_static_file(record: logging.LogRecord) -> bool:
    from django.conf import settings

    return record.name == "django.server" and f" {settings.STATIC_URL}" in record.getMessage()


class ShortFormatter(logging.Formatter):
    """The time of day and the message; before it the level and the logger where it is a warning or worse."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(message)s", "%H:%M:%S")
        self.problem = logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s", "%H:%M:%S")

    def format(self, record: logging.LogRecord) -> str:
        return self.problem.format(record) if record.levelno > logging.INFO else super().format(record)
