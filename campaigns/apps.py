from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.db.backends.signals import connection_created
from django.db.models.signals import post_migrate

from campaigns.database import read_any_text


class CampaignsConfig(AppConfig):
    name = "campaigns"
    verbose_name = "Budget manager"

    def ready(self) -> None:
        connection_created.connect(read_any_text, dispatch_uid="campaigns.read_any_text")
        post_migrate.connect(ensure_periodic_tasks, dispatch_uid="campaigns.ensure_periodic_tasks")
        post_migrate.connect(ensure_groups, dispatch_uid="campaigns.ensure_groups")


def ensure_periodic_tasks(app_config: AppConfig, using: str, **kwargs: Any) -> None:
    """Make sure after every migrate that beat has the jobs; what staff changed stays as it is."""
    if app_config.name != "django_celery_beat":
        return
    from campaigns.services.schedule import ensure_periodic_tasks

    ensure_periodic_tasks(using)


def ensure_groups(app_config: AppConfig, using: str, **kwargs: Any) -> None:
    """Make sure after every migrate that the groups of staff are there.

    Ours is the last application, so that Django has made the permissions of all the others before.
    """
    if app_config.name != "campaigns":
        return
    from campaigns.services.staff import ensure_groups

    ensure_groups(using)
