"""manage.py prune_history: delete old lines of the status history; each campaign keeps its last one."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, time
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import reset_queries
from django.utils import timezone
from tqdm import tqdm

from campaigns.services.ledger.prune import Pruned, prune_history


class Command(BaseCommand):
    help = (
        "Deletes the lines of the status history that were written before a date, but for the last line of each"
        " campaign, whatever its age. Spend records, totals and statements are kept. It may run beside everything"
        " else, and be interrupted: run again, it goes on."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--before",
            metavar="DATE",
            required=True,
            help=f"Lines of this day stay, as do later ones. It begins at midnight in {settings.TIME_ZONE}, the"
            " application's TIME_ZONE.",
        )
        parser.add_argument("--dry-run", action="store_true", help="Say how many lines would go; delete none.")

    def handle(self, *args: Any, before: str, dry_run: bool, **options: Any) -> None:
        instant = midnight_of(before)
        done = Pruned(0, 0, 0, 0)

        def on_batch(pruned: Pruned) -> None:
            nonlocal done
            done = pruned
            advance(pruned)
            reset_queries()  # with DEBUG on, Django keeps every statement

        try:
            with _progress() as advance:
                lines = prune_history(before=instant, dry_run=dry_run, on_batch=on_batch)
        except KeyboardInterrupt:
            raise CommandError(
                f"Interrupted. {_told(done.lines, instant, dry_run)} Run it again to go on.", returncode=130
            ) from None
        self.stdout.write(_told(lines, instant, dry_run))


def midnight_of(text: str) -> datetime:
    """Return the beginning of a day that isn't still to come, in the application's time zone."""
    try:
        day = date.fromisoformat(text)
        instant = timezone.make_aware(datetime.combine(day, time.min))
        instant.timestamp()
    except (ValueError, OverflowError) as error:
        raise CommandError(f"--before {text!r} is not a date: write it like 2026-11-01.") from error
    today = timezone.localdate()
    if day > today:
        raise CommandError(f"--before {text} lies in the future: give a date up to today, {today}.")
    return instant


def _told(lines: int, before: datetime, dry_run: bool) -> str:
    what = f"{lines:,} line{'' if lines == 1 else 's'} of history from before {before:%Y-%m-%d %H:%M}"
    would = "would be deleted" if dry_run else "was deleted" if lines == 1 else "were deleted"
    return f"{what} ({settings.TIME_ZONE}) {would}. Each campaign keeps its last line."


@contextmanager
def _progress() -> Iterator[Callable[[Pruned], None]]:
    """Give what moves the progress bar to where pruning is; there is one on a terminal only."""
    if not sys.stderr.isatty():
        yield lambda pruned: None
        return
    with tqdm(unit=" lines", unit_scale=True, file=sys.stderr, leave=False) as bar:

        def advance(pruned: Pruned) -> None:
            bar.total = pruned.last - pruned.first
            bar.update(pruned.at - pruned.first - bar.n)

        yield advance
