"""manage.py demo: an invented data set, to look at a new installation with."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, InterfaceError, connection
from django.utils import timezone
from tqdm import tqdm

from budget_manager.launcher.processes import exit_on_signals
from campaigns.database.clock import database_now
from campaigns.services.demo.fill import Made, fill
from campaigns.services.demo.live import SECONDS, LiveSpend, demo_brands

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    help = (
        "Fills an empty database with an invented data set: advertisers in several time zones and currencies, "
        "with campaigns, budgets and spend since the 1st of last month. Leaves a database that has brands alone."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--live",
            action="store_true",
            help="Go on spending for the demo's brands, and no others, until Ctrl-C: campaigns pause and resume.",
        )

    def handle(self, *args: Any, live: bool = False, **options: Any) -> None:
        if live:
            with suppress(KeyboardInterrupt):
                self.spend_live()
            return
        made = fill(now=timezone.now(), progress=progress)
        self.stdout.write(made_in_words(made) if made else "Keeping existing data.")

    def spend_live(self) -> None:
        exit_on_signals()
        spending = LiveSpend(demo_brands())
        if not spending.brands:
            raise CommandError("The demo data isn't in this database: `manage.py demo` makes it in an empty one.")
        self.stdout.write("Spending for the demo's campaigns; Ctrl-C ends it.")
        while True:
            try:
                spending.spend(now=database_now())
            except (DatabaseError, InterfaceError) as error:
                logger.warning("The demo spends nothing while the database can't be written to: %s", error)
                connection.close()
            time.sleep(SECONDS)


def made_in_words(made: Made) -> str:
    return (
        f"Made the demo: {made.brands} brands with {made.campaigns} campaigns, of which {made.active} are active now, "
        f"{made.records:,} spend records since {made.since:%Y-%m-%d}, and {made.changes} status changes."
    )


def progress(instants: list[datetime]) -> Iterable[datetime]:
    """Show a bar on a terminal only, on standard error."""
    bar: Iterable[datetime] = tqdm(instants, desc="Making the demo", unit=" checks", disable=None, leave=False)
    return bar
