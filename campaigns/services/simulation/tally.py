"""The steps of a simulation summed: spend and pauses by brand or campaign and by local day."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal

from campaigns.rules.periods import local_date
from campaigns.rules.reasons import PauseReason
from campaigns.services.intake.csv_reader import Row
from campaigns.services.simulation.checks import CheckTimes, Span, rows_by_span
from campaigns.services.simulation.history import CampaignName, History, name_of
from campaigns.services.simulation.play import Step

# A brand's name, or a campaign.
Subject = str | CampaignName


@dataclass(frozen=True)
class Peak:
    """The largest spend of a brand's day between two checks, paused or not, without credits.

    A budget that isn't reached at one check can't be exceeded by more than this before the next.
    """

    amount: Decimal
    span: Span


@dataclass
class Tally:
    spent: dict[tuple[Subject, date], Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    avoided: dict[tuple[Subject, date], Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    first_pause: dict[tuple[Subject, date, PauseReason], datetime] = field(default_factory=dict)
    # How long at least one campaign of the brand was paused, by reason.
    paused: dict[tuple[str, date], dict[PauseReason, timedelta]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(timedelta))
    )


def add_up(steps: list[Step]) -> Tally:
    tally = Tally()
    for step in steps:
        _add_money(tally, step)
        _add_pauses(tally, step)
    return tally


def _add_money(tally: Tally, step: Step) -> None:
    for rows, sums in ((step.spent, tally.spent), (step.avoided, tally.avoided)):
        for row in rows:
            sums[row.brand, step.day] += row.amount
            sums[name_of(row), step.day] += row.amount


def find_peaks(history: History, checks: CheckTimes) -> dict[tuple[str, date], Peak]:
    """Return the peaks by brand and local day; the first of equal ones."""
    found: dict[tuple[str, date], Peak] = {}
    for check_span, in_check in rows_by_span(history.rows, checks.check_spans(history)).items():
        day = local_date(history.zone, check_span.start)
        for span, rows in rows_by_span(in_check, checks.within(check_span)).items():
            for brand, amount in _money(rows).items():
                peak = found.get((brand, day))
                if peak is None or amount > peak.amount:
                    found[brand, day] = Peak(amount, span)
    return found


def _money(rows: list[Row]) -> dict[str, Decimal]:
    money: dict[str, Decimal] = defaultdict(Decimal)
    for row in rows:
        money[row.brand] += max(row.amount, Decimal(0))
    return money


def _add_pauses(tally: Tally, step: Step) -> None:
    for brand, found in brand_reasons(step).items():
        for reason in found:
            tally.paused[brand, step.day][reason] += step.end - step.start
            tally.first_pause.setdefault((brand, step.day, reason), step.start)
    for name, reasons in step.reasons.items():
        for reason in reasons:
            tally.first_pause.setdefault((name, step.day, reason), step.start)


def brand_reasons(step: Step) -> dict[str, PauseReason]:
    """Return by brand the reasons for which at least one of its campaigns was paused in the step."""
    found: dict[str, PauseReason] = defaultdict(lambda: PauseReason(0))
    for name, reasons in step.reasons.items():
        found[name.brand] |= reasons
    return found
