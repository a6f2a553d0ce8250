from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class CampaignsConfig(AppConfig):
    name = "campaigns"
    verbose_name = "Budget manager"

    def ready(self) -> None:
        post_migrate.connect(ensure_periodic_tasks, dispatch_uid="campaigns.ensure_periodic_tasks")


def ensure_periodic_tasks(app_config: AppConfig, using: str, **kwargs: Any) -> None:
    """Make sure after every migrate that beat has the three jobs; what staff changed stays as it is."""
    if app_config.name != "django_celery_beat":
        return
    from campaigns.services.schedule import ensure_periodic_tasks

    ensure_periodic_tasks(using)
