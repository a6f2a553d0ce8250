"""manage.py demo: an invented data set, to look at a new installation with."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone
from tqdm import tqdm

from campaigns.services.demo.fill import Made, fill


class Command(BaseCommand):
    help = (
        "Fills an empty database with an invented data set: advertisers in several time zones and currencies, "
        "with campaigns, budgets and spend since the 1st of last month. Leaves a database that has brands alone."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        made = fill(now=timezone.now(), progress=progress)
        if made is None:
            self.stdout.write("The database has brands, so it is left alone: the demo is for an empty one.")
        else:
            self.stdout.write(in_words(made))


def in_words(made: Made) -> str:
    return (
        f"Made the demo: {made.brands} brands with {made.campaigns} campaigns, of which {made.active} are active now, "
        f"{made.records:,} spend records since {made.since:%Y-%m-%d}, and {made.changes} status changes."
    )


def progress(instants: list[datetime]) -> Iterable[datetime]:
    """Show a bar on a terminal only, on standard error."""
    bar: Iterable[datetime] = tqdm(instants, desc="Making the demo", unit=" checks", disable=None, leave=False)
    return bar
