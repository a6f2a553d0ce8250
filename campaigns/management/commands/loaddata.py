"""manage.py loaddata, without the triggers that count spend, because a dump contains records with their totals.

With triggers, totals would count twice, the accounting time zones of new brands would collide with those of the dump,
and PostgreSQL would refuse every row of the histories, because Django first tries to update it.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.core.management.commands import loaddata
from django.db import DEFAULT_DB_ALIAS, connections
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

from campaigns.database.clock import database_now
from campaigns.models import AlertRule, Brand, SettingChange, StatusChange
from campaigns.services.alerts.kinds import ensure_rules
from campaigns.services.jobs.periodic_tasks import ensure_periodic_tasks
from campaigns.services.ledger.change_time_zone import apply_zone_changes
from campaigns.services.ledger.verify import TotalsRange, repair
from campaigns.services.totals.verify import keep_links
from campaigns.sql.triggers import without_counting


class Command(loaddata.Command):
    def loaddata(self, fixture_labels: Any) -> None:
        """Load the fixtures in the transaction of handle(), all or nothing."""
        if self.using != DEFAULT_DB_ALIAS:
            super().loaddata(fixture_labels)
            return
        if not (Brand.objects.exists() or User.objects.exists()):
            delete_defaults()
        has_history = StatusChange.objects.exists() or SettingChange.objects.exists()
        with without_counting(connections[self.using], history=not has_history):
            super().loaddata(fixture_labels)
        ensure_periodic_tasks(self.using)
        ensure_rules(self.using)
        apply_zone_changes(clock=database_now).raise_problem()  # of brands that come without them
        keep_links()  # of dumps without them
        repaired = repair(TotalsRange())
        if repaired and self.verbosity:
            self.stdout.write(f"{repaired:,} totals that didn't match the spend records were repaired.")


def delete_defaults() -> None:
    """Delete the schedule and the alert rules that migrate created: they can collide with those of the dump."""
    for model in (PeriodicTask, CrontabSchedule, IntervalSchedule, AlertRule):
        model.objects.all().delete()
