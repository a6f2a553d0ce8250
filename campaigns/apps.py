from __future__ import annotations

from typing import Any, TextIO

from django.apps import AppConfig, apps
from django.apps.registry import Apps
from django.core.management.base import CommandError
from django.db import connections
from django.db.backends.signals import connection_created
from django.db.models.signals import post_migrate, pre_migrate

from campaigns.database import session_settings
from campaigns.database.connection import add_exact_sum, read_any_text
from campaigns.sql.search import add_search_text, ensure_trigrams


class CampaignsConfig(AppConfig):
    name = "campaigns"
    verbose_name = "Budget manager"

    def ready(self) -> None:
        connection_created.connect(read_any_text, dispatch_uid="campaigns.read_any_text")
        connection_created.connect(add_exact_sum, dispatch_uid="campaigns.add_exact_sum")
        connection_created.connect(add_search_text, dispatch_uid="campaigns.add_search_text")
        connection_created.connect(session_settings.set_ours, dispatch_uid="campaigns.database.session_settings")
        pre_migrate.connect(prepare_database, dispatch_uid="campaigns.prepare_database")
        post_migrate.connect(ensure_periodic_tasks, dispatch_uid="campaigns.ensure_periodic_tasks")
        post_migrate.connect(ensure_groups, dispatch_uid="campaigns.ensure_groups")
        post_migrate.connect(ensure_alert_rules, dispatch_uid="campaigns.ensure_alert_rules")
        post_migrate.connect(ensure_search_indexes, dispatch_uid="campaigns.ensure_search_indexes")


def prepare_database(app_config: AppConfig, using: str, verbosity: int, stdout: TextIO, **kwargs: Any) -> None:
    """Refuse a schema with foreign tables before anything is created there; set defaults of our role's sessions."""
    if app_config.name != "campaigns":
        return
    if problem := session_settings.schema_problem(connections[using]):
        raise CommandError(problem)
    for wrong in session_settings.make_defaults(connections[using]):
        if verbosity:
            stdout.write(f"  {wrong}: set right for new sessions of our role in this database; let a pooler reconnect.")


def ensure_periodic_tasks(app_config: AppConfig, using: str, apps: Apps = apps, **kwargs: Any) -> None:
    """Create missing periodic tasks after every migrate; what staff changed in existing ones stays."""
    if app_config.name != "campaigns" or not are_complete(apps, "django_celery_beat", "campaigns"):
        return
    from campaigns.services.jobs.periodic_tasks import ensure_periodic_tasks

    ensure_periodic_tasks(using)


def ensure_groups(app_config: AppConfig, using: str, apps: Apps = apps, **kwargs: Any) -> None:
    """Create missing staff groups after every migrate.

    "campaigns" is the last installed application, so Django has created the permissions of all others before.
    """
    needed = ("contenttypes", "auth", "django_celery_beat", "campaigns")
    if app_config.name != "campaigns" or not are_complete(apps, *needed):
        return
    from campaigns.services.groups import ensure_groups

    ensure_groups(using)


def ensure_alert_rules(app_config: AppConfig, using: str, apps: Apps = apps, **kwargs: Any) -> None:
    """Create the default alert rules of kinds without any, after the groups that they name."""
    if app_config.name != "campaigns" or not are_complete(apps, "auth", "campaigns"):
        return
    from campaigns.services.alerts.kinds import ensure_rules

    ensure_rules(using)


def ensure_search_indexes(
    app_config: AppConfig, using: str, verbosity: int = 1, stdout: TextIO | None = None, **kwargs: Any
) -> None:
    """Create missing indexes of searched names after every migrate: their extension may have been installed since."""
    if app_config.name != "campaigns":
        return
    problem = ensure_trigrams(connections[using])
    if problem and verbosity and stdout:
        stdout.write(f"  {problem}.")


def are_complete(migrated: Apps, *labels: str) -> bool:
    """Return whether these applications' tables exist with all columns: `migrate` may stop at an earlier migration."""
    return all(
        _columns(migrated, model._meta.label) >= _columns(apps, model._meta.label)
        for label in labels
        for model in apps.get_app_config(label).get_models()
    )


def _columns(registry: Apps, label: str) -> set[str]:
    try:
        return {field.name for field in registry.get_model(label)._meta.local_concrete_fields}
    except LookupError:
        return set()
