"""manage.py enforce: run the full check and print each change."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from campaigns.database.clock import database_now
from campaigns.database.write_column import in_pieces
from campaigns.models import Campaign
from campaigns.models.clocks import unknown_zones
from campaigns.rules.money import format_amount
from campaigns.rules.periods import EARLIEST, LATEST
from campaigns.rules.reasons import LIMITS, PauseReason
from campaigns.services.enforcement.enforce import Change
from campaigns.services.jobs import full_check as jobs
from campaigns.services.ledger.unfinished import unknown_zones_problem
from campaigns.services.scope import Scope, zones_of

ACTOR = "manage.py enforce"


class Command(BaseCommand):
    help = (
        "Recalculate every campaign's status now, from switches, dates, windows, budgets and spend, and print what"
        " changed and why. The same as the five-minute check."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--at",
            metavar="ISO-TIME",
            help=f"Decide for this time, like 2026-11-30T23:59:00+01:00 (without an offset: in {settings.TIME_ZONE})."
            " Only the time changes; budgets, spend and settings are the current ones.",
        )
        parser.add_argument("--dry-run", action="store_true", help="Print what would change; write nothing.")
        parser.add_argument("--force", action="store_true", help="Allow --at to write when DEBUG is off.")

    def handle(self, *args: Any, at: str | None, dry_run: bool, force: bool, **options: Any) -> None:
        instant = None if at is None else parse_instant(at)
        if instant and not dry_run:
            self.check_moved_clock(instant, force)
        # In UTC: PostgreSQL reads no offset of 16 hours or more.
        moved = instant and instant.astimezone(UTC)
        clock = database_now if moved is None else lambda: moved
        if dry_run:
            self.report(jobs.preview_check(clock=clock, closing_clock=database_now), "would change")
            self.warn(unknown_zones_problem(unknown_zones(zones_of(Scope.everything()))))
            return
        changes: list[Change] = []
        check = jobs.full_check(
            ACTOR if at is None else f"{ACTOR} --at {at}"[:200],
            clock=clock,
            closing_clock=database_now,
            on_changes=changes.extend,
        )
        self.report(changes, "changed")
        if changes or check.folded or check.closed:
            self.stdout.write(f"{check.summary}.")
        self.warn(check.problem)

    def warn(self, text: str) -> None:
        if text:
            self.stderr.write(self.style.WARNING(text))

    def check_moved_clock(self, instant: datetime, force: bool) -> None:
        if not settings.DEBUG and not force:
            raise CommandError(
                f"--at {instant.isoformat()} would write statuses for another time than now, and DEBUG is off, as"
                " in production. Use --dry-run to write nothing, or --force to write."
            )
        self.warn(
            f"Using {instant.isoformat()} instead of the current time ({timezone.now():%Y-%m-%dT%H:%M:%S%z}). The next"
            " check corrects the statuses for the current time. The history shows both times."
        )

    def report(self, changes: list[Change], verb: str) -> None:
        currencies = currencies_of([change.campaign_id for change in changes])
        for change in changes:
            self.stdout.write(describe_change(change, currencies.get(change.campaign_id, "")))
        if changes:
            self.stdout.write(f"{len(changes)} campaign{'s' if len(changes) != 1 else ''} {verb}.")
        else:
            self.stdout.write("Nothing to change.")


def parse_instant(text: str) -> datetime:
    """Parse an ISO time, in the application's time zone if it has no offset."""
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise CommandError(f"--at {text!r} isn't a valid time: use the form 2026-11-30T23:59:00+01:00.") from error
    if instant.tzinfo is None:
        instant = instant.replace(tzinfo=ZoneInfo(settings.TIME_ZONE))
    if not EARLIEST <= instant < LATEST:
        raise CommandError(f"--at {text!r} is out of range: use a time between 2012 and 2100.")
    return instant


def currencies_of(campaigns: Sequence[int]) -> dict[int, str]:
    found: dict[int, str] = {}
    for piece in in_pieces(campaigns):
        found |= dict(Campaign.objects.order_by().filter(pk__in=piece).values_list("pk", "brand__currency"))
    return found


def describe_change(change: Change, currency: str) -> str:
    """Return one line: "Brand / Campaign: active → paused: daily spend limit reached (110.32 of 110.00)"."""
    return f"{change.brand} / {change.campaign}: {_state(change.before)} → {_state(change.after, change, currency)}"


def _state(reasons: PauseReason, change: Change | None = None, currency: str = "") -> str:
    if not reasons:
        return "active"
    return "paused: " + ", ".join(label + _figures(reason, change, currency) for reason, label in _labelled(reasons))


def _labelled(reasons: PauseReason) -> list[tuple[PauseReason, str]]:
    return list(zip(reasons, reasons.labels, strict=True))


def _figures(reason: PauseReason, change: Change | None, currency: str) -> str:
    if change is None or reason not in LIMITS:
        return ""
    spend, limit = change.decided_on[reason]
    return f" ({format_amount(spend, currency)} of {format_amount(limit, currency)})"
