"""Playing a history: at each check the rows since the last one, and then what the jobs do at that instant.

The clock of a simulation goes from the first local midnight of the history to the last, in steps. A row is
spent at its timestamp, if its campaign was active after the check before it; otherwise the money is avoided,
and the row is left out, a credit (R10) like any other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise

from django.core.exceptions import ValidationError
from django.db import models

from campaigns.models import Brand, Campaign, DaypartingSchedule, SpendRecord
from campaigns.periods import ONE_DAY, local_date, start_of_day
from campaigns.reasons import PauseReason
from campaigns.services import jobs
from campaigns.services.simulation import SimulationError
from campaigns.services.simulation.history import CampaignName, History, name_of
from campaigns.services.simulation.plan import BrandPlan, CampaignPlan
from campaigns.services.spend_csv import Row

MOST_CHECKS = 1_000_000
"""That takes about an hour; more is most likely a timestamp with a wrong year."""

Span = tuple[datetime, datetime]
Progress = Callable[[list[Span]], Iterable[Span]]


@dataclass(frozen=True)
class Step:
    """What happened from one check (included) to the next (excluded). A step lies within one local day."""

    start: datetime
    end: datetime
    day: date
    reasons: dict[CampaignName, PauseReason]
    spent: list[Row]
    avoided: list[Row]


def play(history: History, plan: list[BrandPlan], step: timedelta, progress: Progress) -> list[Step]:
    """Play the history in the database, which must be empty and migrated, and return what happened."""
    campaigns = _create(plan, history)
    due = _by_span(history, spans := check_spans(history, step))
    _check(spans[0][0])
    reasons = _reasons()
    steps = []
    for start, end in progress(spans):
        spent, avoided = _split(due.get(start, []), reasons)
        steps.append(Step(start, end, local_date(history.zone, start), reasons, spent, avoided))
        _record((campaigns[name_of(row)], row) for row in spent)
        if _check(end):
            reasons = _reasons()
    return steps


def check_spans(history: History, step: timedelta) -> list[Span]:
    """Return the stretches between checks: at each local midnight, as the daily reset, then every step."""
    days, checks = history.days, len(history.days) * -(-ONE_DAY // step)
    if checks > MOST_CHECKS:
        raise SimulationError(
            f"The days from {days[0]} to {days[-1]} need {checks:,} checks, more than {MOST_CHECKS:,}: "
            "correct a wrong year in the file, or check less often with --check-every."
        )
    instants = [instant for day in days for instant in _checks_of_day(history, day, step)]
    return list(pairwise([*instants, start_of_day(history.zone, history.days[-1] + ONE_DAY)]))


def _checks_of_day(history: History, day: date, step: timedelta) -> Iterator[datetime]:
    instant, midnight = (start_of_day(history.zone, day + ONE_DAY * number) for number in (0, 1))
    while instant < midnight:
        yield instant
        instant += step


def _by_span(history: History, spans: list[Span]) -> dict[datetime, list[Row]]:
    """Return the rows of each stretch, by its start; both are in order."""
    due: dict[datetime, list[Row]] = defaultdict(list)
    upcoming = iter(spans)
    start, end = next(upcoming)
    for row in history.rows:
        while row.timestamp >= end:
            start, end = next(upcoming)
        due[start].append(row)
    return due


def _check(instant: datetime) -> int:
    """Do all that the jobs do: fold, close what has ended, enforce; return how many campaigns changed."""
    return jobs.full_check("simulate", clock=lambda: instant).enforcement.changed


def _reasons() -> dict[CampaignName, PauseReason]:
    rows = Campaign.objects.values_list("brand__name", "name", "pause_reasons")
    return {CampaignName(brand, name): PauseReason(flags) for brand, name, flags in rows}


def _split(rows: list[Row], reasons: dict[CampaignName, PauseReason]) -> tuple[list[Row], list[Row]]:
    spent = [row for row in rows if not reasons[name_of(row)]]
    return spent, [row for row in rows if reasons[name_of(row)]]


def _record(rows: Iterable[tuple[Campaign, Row]]) -> None:
    records = [
        SpendRecord(
            brand_id=campaign.brand_id,
            campaign=campaign,
            amount=row.amount,
            timestamp=row.timestamp,
            recorded_at=row.timestamp,
            external_id=row.external_id,
        )
        for campaign, row in rows
    ]
    if records:
        SpendRecord.objects.bulk_create(records)


def _create(plan: list[BrandPlan], history: History) -> dict[CampaignName, Campaign]:
    """Create the brands, campaigns and windows as they would have been at the start of the history."""
    at = start_of_day(history.zone, history.days[0])
    campaigns = {}
    for brand_plan in plan:
        brand = Brand(
            name=brand_plan.name,
            timezone=history.zone.key,
            daily_budget=brand_plan.daily_budget,
            monthly_budget=brand_plan.monthly_budget,
            created_at=at,
        )
        _save(brand, brand_plan.name)
        for campaign_plan in brand_plan.campaigns:
            campaigns[campaign_plan.name] = _create_campaign(brand, campaign_plan, at)
    return campaigns


def _create_campaign(brand: Brand, plan: CampaignPlan, at: datetime) -> Campaign:
    campaign = Campaign(brand=brand, name=plan.name.campaign, daily_spend_limit=plan.daily_limit, created_at=at)
    _save(campaign, str(plan.name))
    for window in plan.windows:
        row = DaypartingSchedule(
            campaign=campaign, days_of_week=window.days, start_time=window.start, end_time=window.end
        )
        _save(row, str(plan.name))
    return campaign


def _save(row: models.Model, name: str) -> None:
    try:
        row.full_clean()
    except ValidationError as error:
        raise SimulationError(f"{name} can't be simulated: {' '.join(error.messages)}") from None
    row.save()
