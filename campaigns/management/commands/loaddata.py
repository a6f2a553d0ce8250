"""loaddata, with triggers that would count what a dump has counted already: its records come with their totals.

With them each total would count twice, the zones of a new brand's periods would meet those of the dump, and PostgreSQL
would refuse every line of the status history, because Django asks whether it is there by trying to update it.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.core.management.commands import loaddata
from django.db import DEFAULT_DB_ALIAS, connections
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

from campaigns.database.clock import database_now
from campaigns.models import Brand, StatusChange
from campaigns.services.jobs.schedule import ensure_periodic_tasks
from campaigns.services.ledger.change_time_zone import apply_zone_changes
from campaigns.services.ledger.verify import TotalsRange, repair
from campaigns.sql.triggers import without_counting


class Command(loaddata.Command):
    def loaddata(self, fixture_labels: Any) -> None:
        """Load, in the transaction of handle(): a fixture that can't be loaded leaves everything as it was."""
        if self.using != DEFAULT_DB_ALIAS:
            super().loaddata(fixture_labels)
            return
        if not (Brand.objects.exists() or User.objects.exists()):
            forget_periodic_tasks()
        with without_counting(connections[self.using], history=not StatusChange.objects.exists()):
            super().loaddata(fixture_labels)
        ensure_periodic_tasks(self.using)
        apply_zone_changes(clock=database_now).raise_problem()  # of brands that come without them
        mended = repair(TotalsRange())
        if mended and self.verbosity:
            self.stdout.write(f"{mended:,} totals that weren't what the spend records say were corrected.")


def forget_periodic_tasks() -> None:
    """Make room for those of the dump, whose ids and names may be the other way round than those that migrate made."""
    for model in (PeriodicTask, CrontabSchedule, IntervalSchedule):
        model.objects.all().delete()
