"""manage.py verify_spend: compare the totals with the ledger's rows, and repair them on request."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from campaigns.database.clock import database_now
from campaigns.models import Brand
from campaigns.rules.money import format_money
from campaigns.services.ledger.change_time_zone import apply_zone_changes, brands_with_changed_zones
from campaigns.services.ledger.reopen import brands_closed_ahead, reopen_periods
from campaigns.services.ledger.verify import Difference, TotalsRange, repair, verify

SHOWN = 50
NAMED = 5


class Command(BaseCommand):
    help = (
        "Recompute all totals from the spend records and name those that differ: after a restore, or after rows were"
        " written with triggers switched off. Exits with status 1 where totals differ and --repair isn't given."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--repair", action="store_true", help="Make the totals what the records say.")
        parser.add_argument(
            "--since", metavar="DATE", help="Look only at the days from this one on, and at its month. Default: all."
        )

    def handle(self, *args: Any, repair: bool, since: str | None, **options: Any) -> None:
        first_day = None if since is None else parse_day(since)
        self.check_closings(repair)
        locked = self.check_books(repair)
        differences = verify(since=first_day)
        for difference in differences[:SHOWN]:
            self.stdout.write(describe(difference))
        if len(differences) > SHOWN:
            self.stdout.write(f"… and {len(differences) - SHOWN} more.")
        if not differences:
            self.stdout.write(self.style.SUCCESS("All totals are what the spend records say."))
        elif repair:
            self.repair(first_day)
        else:
            raise CommandError(f"{_count(len(differences), 'total')} to mend: run verify_spend --repair.")
        if locked:
            raise CommandError(
                f"Another transaction locks {_count(len(locked), 'brand')} ({_named(locked)}), so"
                f" {'it wasn' if len(locked) == 1 else 'they weren'}'t re-booked in the changed time zone: end that"
                " transaction (pg_stat_activity shows it) and run verify_spend --repair again, or wait for a check."
            )

    def check_closings(self, repair: bool) -> None:
        """Name the brands that a clock that was ahead has closed too early; totals say nothing of it."""
        ahead = brands_closed_ahead(now=database_now())
        if ahead and not repair:
            raise CommandError(
                f"Of {_count(len(ahead), 'brand')} ({_named(ahead)}) periods are closed that haven't ended by the"
                " database's clock: run verify_spend --repair, or wait for the next check."
            )
        if ahead:
            reopened = reopen_periods(clock=database_now)
            self.stdout.write(self.style.SUCCESS(f"{_count(reopened, 'period')} reopened."))

    def check_books(self, repair: bool) -> list[int]:
        """Re-book brands whose books are lost or in another zone; return those that are locked.

        Verification compares what the books hold: a brand without books in its zone would have no totals to miss.
        """
        lost = len(brands_with_changed_zones())
        if lost and not repair:
            raise CommandError(
                f"Of {_count(lost, 'brand')} the books are lost, or in another time zone than the brand: run"
                " verify_spend --repair, or wait for the next check."
            )
        if not lost:
            return []
        done = apply_zone_changes(clock=database_now)
        self.stdout.write(self.style.SUCCESS(f"{_count(done.count, 'brand')} re-booked."))
        done.raise_problem()
        return sorted(done.locked)

    def repair(self, first_day: date | None) -> None:
        self.stdout.write(self.style.SUCCESS(f"{_count(repair(TotalsRange.since(first_day)), 'total')} repaired."))


def _named(brands: list[int]) -> str:
    names = Brand.objects.filter(pk__in=brands[:NAMED]).order_by("pk").values_list("name", flat=True)
    more = [f"and {len(brands) - NAMED:,} more"] if len(brands) > NAMED else []
    return ", ".join([*(f"“{name}”" for name in names), *more])


def _count(count: int, what: str) -> str:
    return f"{count} {what}{'s' if count != 1 else ''}"


def describe(difference: Difference) -> str:
    """Return one line: "brand day 2026-11-22 of Acme (brand 3) lacks 12.50"."""
    amount = format_money(abs(difference.lacks), difference.currency)
    off = f"lacks {amount}" if difference.lacks > 0 else f"has {amount} too much"
    return f"{difference.total} {difference.starts_on} of {difference.name} {off}"


def parse_day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise CommandError(f"--since {text!r} is not a date: write it like 2026-11-01.") from error
