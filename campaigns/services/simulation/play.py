"""Playing a history: at each check the rows since the previous one are recorded, then the job runs at that instant.

The clock goes from check to check, from the first local midnight of the history to the last: full checks, and quick
checks between them. A row is spent at its timestamp if its campaign was active after the previous check; otherwise it
is avoided and not recorded, also if it is a credit (R10).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime

from django.core.exceptions import ValidationError
from django.db import models, transaction

from campaigns.models import Brand, Campaign, DaypartingSchedule, SpendRecord
from campaigns.rules.periods import local_date, minute_of, start_of_day
from campaigns.rules.reasons import PauseReason
from campaigns.services.enforcement.enforce import preview
from campaigns.services.intake.csv_reader import Row
from campaigns.services.jobs import full_check as jobs
from campaigns.services.jobs import quick_check as quick
from campaigns.services.scope import Scope
from campaigns.services.simulation import SimulationError
from campaigns.services.simulation.checks import CheckTimes, Span, rows_by_span
from campaigns.services.simulation.history import CampaignName, History, name_of
from campaigns.services.simulation.plan import BrandPlan, CampaignPlan

ACTOR = "simulate"
Progress = Callable[[list[Span]], Iterable[Span]]


@dataclass(frozen=True)
class Step:
    """The time from one check (included) to a later one (excluded) without a status change between them.

    A step lies between two full checks, so within one local day.
    """

    start: datetime
    end: datetime
    day: date
    reasons: dict[CampaignName, PauseReason]
    spent: list[Row]
    avoided: list[Row]


def play(history: History, plan: list[BrandPlan], checks: CheckTimes, progress: Progress) -> list[Step]:
    """Play the history in the database, which must be empty and migrated, and return what happened."""
    return list(Play(history, plan, checks).steps(progress))


class Play:
    """A running simulation; reasons are those after the last check."""

    def __init__(self, history: History, plan: list[BrandPlan], checks: CheckTimes) -> None:
        self.history, self.checks = history, checks
        self.campaigns = _create(plan, history)
        self.reasons = _reasons()

    def steps(self, progress: Progress) -> Iterator[Step]:
        spans = self.checks.check_spans(self.history)
        rows = rows_by_span(self.history.rows, spans)
        self.check(spans[0].start)
        for span in progress(spans):
            yield from self.until(self.checks.within(span), rows.get(span, []), self.check)

    def until(self, spans: list[Span], rows: list[Row], last_check: Callable[[datetime], None]) -> Iterator[Step]:
        """Play the spans between checks: quick checks inside, last_check at the end.

        Quick checks that would change nothing are left out; otherwise each half is tried separately.
        """
        spent, avoided = self.split(rows)
        if len(spans) == 1:
            self.record(spent)
        elif not self.record_if_quiet(spans[-1].start, spent):
            middle = len(spans) // 2
            instant = spans[middle].start
            yield from self.until(spans[:middle], [row for row in rows if row.timestamp < instant], self.quick_check)
            yield from self.until(spans[middle:], [row for row in rows if row.timestamp >= instant], last_check)
            return
        start, end = spans[0].start, spans[-1].end
        yield Step(start, end, local_date(self.history.zone, start), self.reasons, spent, avoided)
        last_check(end)

    def record_if_quiet(self, last: datetime, spent: list[Row]) -> bool:
        """Record the spend if no check up to the last one would change a campaign; otherwise record nothing.

        Spend without credits is the maximum that any of those checks sees. If it reaches no limit, none pauses a
        campaign; and credits resume none, because a campaign that spends is active, with no limit reached.
        """
        if Campaign.objects.filter(next_change_minute__lte=minute_of(last)).exists():
            return False
        if not spent:
            return True
        with transaction.atomic():
            self.record([row for row in spent if row.amount > 0])
            if preview(Scope.everything(), now=last):
                transaction.set_rollback(True)
                return False
            self.record([row for row in spent if row.amount < 0])
        return True

    def check(self, instant: datetime) -> None:
        """Run a full check: fold, close periods that have ended, enforce."""
        if jobs.full_check(ACTOR, clock=lambda: instant).enforcement.changed:
            self.reasons = _reasons()

    def quick_check(self, instant: datetime) -> None:
        if quick.is_anything_due(now=instant) and quick.quick_check(ACTOR, clock=lambda: instant).changed:
            self.reasons = _reasons()

    def split(self, rows: list[Row]) -> tuple[list[Row], list[Row]]:
        """Return the rows that are spent and the rows that are avoided."""
        spent = [row for row in rows if not self.reasons[name_of(row)]]
        return spent, [row for row in rows if self.reasons[name_of(row)]]

    def record(self, rows: list[Row]) -> None:
        if rows:
            SpendRecord.objects.bulk_create(_spend_record(self.campaigns[name_of(row)], row) for row in rows)


def _reasons() -> dict[CampaignName, PauseReason]:
    rows = Campaign.objects.values_list("brand__name", "name", "pause_reasons")
    return {CampaignName(brand, name): PauseReason(flags) for brand, name, flags in rows}


def _spend_record(campaign: Campaign, row: Row) -> SpendRecord:
    return SpendRecord(
        brand_id=campaign.brand_id,
        campaign=campaign,
        amount=row.amount,
        timestamp=row.timestamp,
        recorded_at=row.timestamp,
        external_id=row.external_id,
    )


def _create(plan: list[BrandPlan], history: History) -> dict[CampaignName, Campaign]:
    """Create the brands, campaigns and windows as of the start of the history."""
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
