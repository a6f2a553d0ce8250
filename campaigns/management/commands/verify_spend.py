"""manage.py verify_spend: compare the totals, and what is booked of reported totals, with the spend records."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from campaigns.database.clock import database_now
from campaigns.models import Brand, CountedTwice
from campaigns.rules.money import format_money
from campaigns.services.ledger.change_time_zone import apply_zone_changes, brands_with_changed_zones
from campaigns.services.ledger.reopen import brands_closed_ahead, reopen_periods
from campaigns.services.ledger.verify import Difference, TotalsRange, repair, verify
from campaigns.services.totals.counted_twice import find_counted_twice, sentence, store_counted_twice
from campaigns.services.totals.verify import flag_days, keep_links, rebalance, unbalanced_totals

MAX_SHOWN = 50
MAX_NAMED = 5


class Command(BaseCommand):
    help = (
        "Recompute all totals from the spend records and list those that differ: after a restore, or after rows were"
        " written with triggers disabled. Exits with status 1 if totals differ and --repair isn't given."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--repair", action="store_true", help="Repair the totals.")
        parser.add_argument(
            "--since", metavar="DATE", help="Check only the days from this one on, and its month. Default: all."
        )

    def handle(self, *args: Any, repair: bool, since: str | None, **options: Any) -> None:
        first_day = None if since is None else parse_day(since)
        self.check_closings(repair)
        locked = self.check_time_zones(repair)
        unbalanced = self.check_reported_totals(repair, first_day)
        if repair:
            keep_links()
        if repair and (flagged := flag_days(since=first_day)):
            self.stdout.write(
                self.style.SUCCESS(f"{_count(flagged, 'day')} of accounts flagged; a check books the rest.")
            )
        self.warn_of_spend_twice(first_day)
        differences = verify(since=first_day)
        for difference in differences[:MAX_SHOWN]:
            self.stdout.write(describe(difference))
        if len(differences) > MAX_SHOWN:
            self.stdout.write(f"… and {len(differences) - MAX_SHOWN} more.")
        wrong = len(differences) + unbalanced
        if not wrong:
            self.stdout.write(self.style.SUCCESS("All totals match the spend records."))
        elif not repair:
            raise CommandError(f"{_count(wrong, 'total')} to repair: run verify_spend --repair.")
        elif differences:
            self.repair(first_day)
        if locked:
            raise CommandError(
                f"Another transaction locks {_count(len(locked), 'brand')} ({_names(locked)}), whose open periods"
                " weren't recomputed in the changed time zone: end that transaction (see pg_stat_activity) and run"
                " verify_spend --repair again, or wait for a check."
            )

    def check_closings(self, repair: bool) -> None:
        """Report periods that a fast clock closed too early, which comparing totals can't find."""
        ahead = brands_closed_ahead(now=database_now())
        if ahead and not repair:
            raise CommandError(
                f"Periods of {_count(len(ahead), 'brand')} ({_names(ahead)}) were closed before their end by the"
                " database's clock: run verify_spend --repair, or wait for the next check."
            )
        if ahead:
            reopened = reopen_periods(clock=database_now)
            self.stdout.write(self.style.SUCCESS(f"{_count(reopened, 'period')} reopened."))

    def check_time_zones(self, repair: bool) -> list[int]:
        """Recompute brands whose period records are missing or in the wrong time zone; return those that are locked.

        Verification compares existing totals only: a brand without period records would have none to compare.
        """
        lost = len(brands_with_changed_zones())
        if lost and not repair:
            raise CommandError(
                f"The period records of {_count(lost, 'brand')} are missing or in the wrong time zone: run"
                " verify_spend --repair, or wait for the next check."
            )
        if not lost:
            return []
        done = apply_zone_changes(clock=database_now)
        self.stdout.write(self.style.SUCCESS(f"{_count(done.count, 'brand')} recomputed."))
        done.raise_problem()
        return sorted(done.locked)

    def check_reported_totals(self, repair: bool, since: date | None) -> int:
        """Report totals of platforms whose records don't sum up to what is booked; return how many there are."""
        found = unbalanced_totals(since=since)
        for each in found[:MAX_SHOWN]:
            self.stdout.write(
                f"reported total {each.day} of {each.name}: {each.booked.normalize():f} is booked, and its records"
                f" come to {each.recorded.normalize():f}"
            )
        if len(found) > MAX_SHOWN:
            self.stdout.write(f"… and {len(found) - MAX_SHOWN} more.")
        if found and repair:
            done = rebalance(each.id for each in found)
            self.stdout.write(self.style.SUCCESS(f"{_count(done, 'reported total')} repaired; a check books the rest."))
        return len(found)

    def warn_of_spend_twice(self, since: date | None) -> None:
        """Print campaigns whose spend two senders report for one day, and store them for home and brands."""
        found = find_counted_twice(since=since, now=database_now())
        store_counted_twice(found, since=since)
        for kind in CountedTwice.Kind:
            self.warn_of_campaigns([each.pk for each in found if each.kind == kind])

    def warn_of_campaigns(self, ids: list[int]) -> None:
        shown = CountedTwice.objects.filter(pk__in=ids[:MAX_NAMED]).select_related("campaign", "account")
        for each in shown:
            self.stdout.write(self.style.WARNING(sentence(each)))
        if len(ids) > MAX_NAMED:
            self.stdout.write(self.style.WARNING(f"… and {_count(len(ids) - MAX_NAMED, 'campaign')} more."))

    def repair(self, first_day: date | None) -> None:
        self.stdout.write(self.style.SUCCESS(f"{_count(repair(TotalsRange.since(first_day)), 'total')} repaired."))


def _names(brands: list[int]) -> str:
    names = Brand.objects.filter(pk__in=brands[:MAX_NAMED]).order_by("pk").values_list("name", flat=True)
    more = [f"and {len(brands) - MAX_NAMED:,} more"] if len(brands) > MAX_NAMED else []
    return ", ".join([*(f"“{name}”" for name in names), *more])


def _count(count: int, what: str) -> str:
    return f"{count} {what}{'s' if count != 1 else ''}"


def describe(difference: Difference) -> str:
    """Return one line: "brand day 2026-11-22 of Acme (brand 3) is 12.50 EUR too low"."""
    amount = format_money(abs(difference.lacks), difference.currency)
    off = f"is {amount} too low" if difference.lacks > 0 else f"is {amount} too high"
    return f"{difference.total} {difference.starts_on} of {difference.name} {off}"


def parse_day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise CommandError(f"--since {text!r} isn't a valid date: use the form 2026-11-01.") from error
