"""manage.py prune_history: delete old status changes, except the latest of each campaign, and what reports restated.

On request, also changes of settings.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, time
from typing import Any, NamedTuple

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import reset_queries
from django.utils import timezone
from tqdm import tqdm

from campaigns.services.ledger.prune import Pruned, prune_history, prune_restated, prune_settings


class Counted(NamedTuple):
    """What lines of a history are called, one and several, and a sentence on those that stay."""

    one: str
    several: str
    kept: str = ""


STATUS = Counted("status change", "status changes", " Each campaign keeps its latest.")
RESTATED = Counted(
    "restated total of an imported report",
    "restated totals of imported reports",
    " Imports from before then can't be reversed.",
)
SETTINGS = Counted("change of a setting", "changes of settings")


class Command(BaseCommand):
    help = (
        "Delete the status changes recorded before a date, except the latest of each campaign, and what reports that"
        " were imported before then remember to be reversed. Spend records, totals and statements are kept, and changes"
        " of settings unless --with-settings is given. It can run beside everything else, and continues if it is"
        " interrupted and run again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--before",
            metavar="DATE",
            required=True,
            help=f"The first day to keep, from midnight in {settings.TIME_ZONE}, the application's TIME_ZONE.",
        )
        parser.add_argument("--dry-run", action="store_true", help="Print how many would be deleted; delete nothing.")

        parser.add_argument(
            "--with-settings", action="store_true", help="Also delete the changes of settings from before the date."
        )

    def handle(self, *args: Any, before: str, dry_run: bool, with_settings: bool = False, **options: Any) -> None:
        instant = midnight_of(before)
        self._prune(prune_history, STATUS, instant, dry_run)
        self._prune(prune_restated, RESTATED, instant, dry_run)
        if with_settings:
            self._prune(prune_settings, SETTINGS, instant, dry_run)

    def _prune(self, prune: Callable[..., int], what: Counted, instant: datetime, dry_run: bool) -> None:
        done = Pruned(0, 0, 0, 0)

        def on_batch(pruned: Pruned) -> None:
            nonlocal done
            done = pruned
            advance(pruned)
            reset_queries()  # with DEBUG on, Django keeps every statement

        try:
            with _progress() as advance:
                lines = prune(before=instant, dry_run=dry_run, on_batch=on_batch)
        except KeyboardInterrupt:
            raise CommandError(
                f"Interrupted. {_summary(done.lines, what, instant, dry_run)} Run it again to continue.", returncode=130
            ) from None
        if lines or what is not RESTATED:
            self.stdout.write(_summary(lines, what, instant, dry_run))


def midnight_of(text: str) -> datetime:
    """Return the start of a day up to today, in the application's time zone."""
    try:
        day = date.fromisoformat(text)
        instant = timezone.make_aware(datetime.combine(day, time.min))
        instant.timestamp()
    except (ValueError, OverflowError) as error:
        raise CommandError(f"--before {text!r} isn't a valid date: use the form 2026-11-01.") from error
    today = timezone.localdate()
    if day > today:
        raise CommandError(f"--before {text} is in the future: use a date up to today, {today}.")
    return instant


def _summary(lines: int, what: Counted, before: datetime, dry_run: bool) -> str:
    counted = f"{lines:,} {what.one if lines == 1 else what.several} from before {before:%Y-%m-%d %H:%M}"
    would = "would be deleted" if dry_run else "was deleted" if lines == 1 else "were deleted"
    return f"{counted} ({settings.TIME_ZONE}) {would}.{what.kept}"


@contextmanager
def _progress() -> Iterator[Callable[[Pruned], None]]:
    """Yield a function that updates the progress bar, which is shown on a terminal only."""
    if not sys.stderr.isatty():
        yield lambda pruned: None
        return
    with tqdm(unit=" lines", unit_scale=True, file=sys.stderr, leave=False) as bar:

        def advance(pruned: Pruned) -> None:
            bar.total = pruned.last - pruned.first
            bar.update(pruned.at - pruned.first - bar.n)

        yield advance
