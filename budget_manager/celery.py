"""The celery application: `celery -A budget_manager worker` and `… beat`."""

import logging.config
import os
import sys
from pathlib import Path
from typing import Any

import django
from celery import Celery
from celery.signals import beat_init, setup_logging
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, connection

import budget_manager.heartbeats  # noqa: F401  # connects to celery's signals
from budget_manager.command_line import database_sentence
from budget_manager.patches.beat_scheduler import (
    correct_schedule,
    keep_schedule_without_database,
    recover_from_clock_ahead,
)
from budget_manager.patches.kombu_redis import forgive_lost_acknowledgements

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "budget_manager.settings")

forgive_lost_acknowledgements()
app = Celery("budget_manager")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def log_like_the_web_server(**_kwargs: Any) -> None:
    """Use LOGGING and LOG_LEVEL for worker and beat; Celery's own set-up would replace the handlers."""
    logging.config.dictConfig(settings.LOGGING)


@beat_init.connect
def outlive_database_and_clock(sender: Any, **_kwargs: Any) -> None:
    """Patch a database scheduler; it has loaded its first schedule by now."""
    if hasattr(sender.scheduler, "all_as_schedule"):
        correct_schedule(sender.scheduler)
        keep_schedule_without_database(sender.scheduler)
        recover_from_clock_ahead(sender.scheduler)


def _refuse_unusable_settings() -> None:
    """Exit with one sentence and status 1 instead of Celery's traceback."""
    try:
        _ = settings.DEBUG  # reading one setting loads them all
    except ImproperlyConfigured as error:
        sys.exit(str(error))


def _refuse_unusable_database() -> None:
    """Do the same if the database can't be reached or has no tables yet."""
    django.setup()
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM campaigns_jobrun LIMIT 1")
        connection.close()
    except DatabaseError as error:
        sentence = database_sentence(error, settings.DATABASES["default"])
        if sentence is None:
            raise
        sys.exit(sentence)


# Only for the celery command: other importers may still be loading the settings.
if Path(sys.argv[0]).name == "celery" or Path(sys.argv[0]).parent.name == "celery":
    _refuse_unusable_settings()
    if {"worker", "beat"} & set(sys.argv):
        _refuse_unusable_database()
