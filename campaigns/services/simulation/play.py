"""Playing a history: at each look the rows since the last one, and then what the job does at that instant.

The clock of a simulation goes from the first local midnight of the history to the last, from look to look: full checks,
and quick checkes between them. A row is spent at its timestamp, if its campaign was active after the look before it;
otherwise the money is avoided, and the row is left out, a credit (R10) like any other.
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
from campaigns.services.simulation.history import CampaignName, History, name_of
from campaigns.services.simulation.looks import Looks, Span, rows_by_span
from campaigns.services.simulation.plan import BrandPlan, CampaignPlan

ACTOR = "simulate"
Progress = Callable[[list[Span]], Iterable[Span]]


@dataclass(frozen=True)
class Step:
    """What happened from one look (included) to a later one (excluded), between which no campaign changed.

    A step lies between two full checks, so within one local day.
    """

    start: datetime
    end: datetime
    day: date
    reasons: dict[CampaignName, PauseReason]
    spent: list[Row]
    avoided: list[Row]


def play(history: History, plan: list[BrandPlan], looks: Looks, progress: Progress) -> list[Step]:
    """Play the history in the database, which must be empty and migrated, and return what happened."""
    return list(Play(history, plan, looks).steps(progress))


class Play:
    """One simulation as it goes on; reasons are those that the last look left."""

    def __init__(self, history: History, plan: list[BrandPlan], looks: Looks) -> None:
        self.history, self.looks = history, looks
        self.campaigns = _create(plan, history)
        self.reasons = _reasons()

    def steps(self, progress: Progress) -> Iterator[Step]:
        spans = self.looks.check_spans(self.history)
        rows = rows_by_span(self.history.rows, spans)
        self.check(spans[0].start)
        for span in progress(spans):
            yield from self.until(self.looks.within(span), rows.get(span, []), self.check)

    def until(self, spans: list[Span], rows: list[Row], look: Callable[[datetime], None]) -> Iterator[Step]:
        """Play the stretches between looks; those within are quick checkes, the last one is given.

        Where the passes would change nothing they are left out; otherwise each half is tried by itself.
        """
        spent, avoided = self.split(rows)
        if len(spans) == 1:
            self.record(spent)
        elif not self.record_if_quiet(spans[-1].start, spent):
            middle = len(spans) // 2
            instant = spans[middle].start
            yield from self.until(spans[:middle], [row for row in rows if row.timestamp < instant], self.quick_check)
            yield from self.until(spans[middle:], [row for row in rows if row.timestamp >= instant], look)
            return
        start, end = spans[0].start, spans[-1].end
        yield Step(start, end, local_date(self.history.zone, start), self.reasons, spent, avoided)
        look(end)

    def record_if_quiet(self, last: datetime, spent: list[Row]) -> bool:
        """Record what is spent, if no look up to the last one would change a campaign; otherwise record nothing.

        Spend without its credits is the most that any of those looks sees. If it reaches nothing, none of them pauses;
        and credits resume nothing, for who spends is active: none of its limits, and none of its brand's, is reached.
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
        """Do all that the jobs do: fold, close what has ended, enforce."""
        if jobs.full_check(ACTOR, clock=lambda: instant).enforcement.changed:
            self.reasons = _reasons()

    def quick_check(self, instant: datetime) -> None:
        if quick.is_anything_due(now=instant) and quick.quick_check(ACTOR, clock=lambda: instant).changed:
            self.reasons = _reasons()

    def split(self, rows: list[Row]) -> tuple[list[Row], list[Row]]:
        """Return the rows that are spent, and those that are avoided."""
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
