"""The celery application: `celery -A budget_manager worker` and `… beat`."""

import logging.config
import os
import sys
from pathlib import Path
from typing import Any

from celery import Celery
from celery.signals import setup_logging
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "budget_manager.settings")

app = Celery("budget_manager")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def log_like_the_web_server(**_kwargs: Any) -> None:
    """Worker and beat log as LOGGING and LOG_LEVEL say; celery's own set-up would replace the handlers."""
    logging.config.dictConfig(settings.LOGGING)


def _refuse_unusable_settings() -> None:
    """One sentence and exit status 1, in place of celery's traceback."""
    try:
        _ = settings.DEBUG  # reading one setting loads them all
    except ImproperlyConfigured as error:
        sys.exit(str(error))


# Only here: whoever imports this module while the settings load can't ask for a setting yet.
if Path(sys.argv[0]).name == "celery" or Path(sys.argv[0]).parent.name == "celery":
    _refuse_unusable_settings()
