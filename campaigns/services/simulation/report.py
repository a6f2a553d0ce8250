"""The results of a simulation: figures by brand and day, verified against the file and the closed periods."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.db import transaction

from campaigns.models import BrandPeriod
from campaigns.rules.periods import first_of_month
from campaigns.rules.reasons import LIMITS, PauseReason
from campaigns.services.simulation import SimulationError
from campaigns.services.simulation.checks import CheckTimes
from campaigns.services.simulation.history import History
from campaigns.services.simulation.plan import BrandPlan
from campaigns.services.simulation.play import Progress, Step, play
from campaigns.services.simulation.tally import Peak, Subject, Tally, add_up, find_peaks

ZERO = Decimal(0)


@dataclass(frozen=True)
class DayLine:
    """One brand's local day. in_file = spent + avoided, exactly."""

    brand: str
    day: date
    budget: Decimal | None
    in_file: Decimal
    spent: Decimal
    avoided: Decimal
    first_pause: datetime | None
    paused: dict[PauseReason, timedelta]
    peak: Peak | None

    @property
    def overspend(self) -> Decimal | None:
        """Spend above the daily budget, or None without one."""
        return None if self.budget is None else max(self.spent - self.budget, ZERO)


@dataclass(frozen=True)
class LimitLine:
    """A month of a brand with a monthly budget, or a day on which a campaign reached its daily limit."""

    reason: PauseReason
    whose: Subject
    period: str
    limit: Decimal
    spent: Decimal
    first_pause: datetime | None

    @property
    def overspend(self) -> Decimal:
        return max(self.spent - self.limit, ZERO)


@dataclass(frozen=True)
class BrandLine:
    plan: BrandPlan
    days: list[DayLine]

    @property
    def peak(self) -> Peak:
        """The highest peak of its days; each brand has rows on at least one."""
        return max((day.peak for day in self.days if day.peak), key=lambda peak: peak.amount)

    @property
    def worst(self) -> DayLine | None:
        """The first of the days with the largest overspend, or None where no daily budget was overspent."""
        return max((line for line in self.days if line.overspend), key=_overspend, default=None)


def _overspend(line: DayLine) -> Decimal:
    return line.overspend or ZERO


@dataclass(frozen=True)
class Report:
    history: History
    checks: CheckTimes
    brands: list[BrandLine]
    limits: list[LimitLine]
    # The same with full checks only, if there is a quick check.
    alone: Report | None = None

    @property
    def days(self) -> list[DayLine]:
        return [line for brand in self.brands for line in brand.days]

    @property
    def worst(self) -> DayLine | None:
        """The worst of the brands, or None where no daily budget was overspent."""
        return max((line.worst for line in self.brands if line.worst), key=_overspend, default=None)

    @property
    def reasons(self) -> list[PauseReason]:
        """The reasons for which a campaign was paused, in the order of R1."""
        return sorted({reason for line in self.days for reason in line.paused})


def make_report(
    history: History, plan: list[BrandPlan], steps: list[Step], checks: CheckTimes, alone: Report | None = None
) -> Report:
    """Return the figures. Raises SimulationError if they contradict the file or the closed periods, which is a bug."""
    tally, peaks = add_up(steps), find_peaks(history, checks)
    brands = [
        BrandLine(brand, [_day_line(brand, day, history, tally, peaks.get((brand.name, day))) for day in history.days])
        for brand in plan
    ]
    _verify(brands)
    limits = [*_month_lines(plan, history, tally), *_campaign_lines(plan, history, tally)]
    return Report(history, checks, brands, limits, alone)


def _day_line(plan: BrandPlan, day: date, history: History, tally: Tally, peak: Peak | None) -> DayLine:
    pauses = [tally.first_pause.get((plan.name, day, reason)) for reason in LIMITS]
    return DayLine(
        brand=plan.name,
        day=day,
        budget=plan.daily_budget,
        in_file=history.day_totals.get((plan.name, day), ZERO),
        spent=tally.spent.get((plan.name, day), ZERO),
        avoided=tally.avoided.get((plan.name, day), ZERO),
        first_pause=min((pause for pause in pauses if pause is not None), default=None),
        paused=dict(tally.paused.get((plan.name, day), {})),
        peak=peak,
    )


def _month_lines(plan: list[BrandPlan], history: History, tally: Tally) -> Iterator[LimitLine]:
    months = sorted({first_of_month(day) for day in history.days})
    for brand in plan:
        if brand.monthly_budget is None:
            continue
        for month in months:
            days = [day for day in history.days if first_of_month(day) == month]
            yield _limit_line(
                PauseReason.BRAND_MONTHLY_BUDGET,
                brand.name,
                f"{month:%Y-%m}",
                days,
                brand.monthly_budget,
                tally,
            )


def _campaign_lines(plan: list[BrandPlan], history: History, tally: Tally) -> Iterator[LimitLine]:
    """Yield only days with a pause or overspend, because there can be thousands of campaigns."""
    for campaign in (campaign for brand in plan for campaign in brand.campaigns):
        if campaign.daily_limit is None:
            continue
        for day in history.days:
            line = _limit_line(
                PauseReason.CAMPAIGN_DAILY_LIMIT, campaign.name, str(day), [day], campaign.daily_limit, tally
            )
            if line.first_pause is not None or line.overspend:
                yield line


def _limit_line(
    reason: PauseReason, whose: Subject, period: str, days: list[date], limit: Decimal, tally: Tally
) -> LimitLine:
    pauses = [tally.first_pause.get((whose, day, reason)) for day in days]
    return LimitLine(
        reason=reason,
        whose=whose,
        period=period,
        limit=limit,
        spent=sum((tally.spent.get((whose, day), ZERO) for day in days), ZERO),
        first_pause=next((pause for pause in pauses if pause is not None), None),
    )


def _verify(brands: list[BrandLine]) -> None:
    """Compare each day with the file, the closed period and the bound on overspend."""
    closed = BrandPeriod.objects.filter(kind=BrandPeriod.Kind.DAY, closed_at__isnull=False)
    rows = closed.values_list("brand__name", "starts_on", "spend_at_close")
    recorded = {(name, day): spend for name, day, spend in rows}
    for line in (line for brand in brands for line in brand.days):
        closed_at = recorded.get((line.brand, line.day), ZERO)
        bound = line.peak.amount if line.peak else ZERO
        if line.spent != closed_at or line.spent + line.avoided != line.in_file:
            problem = (
                f"{line.spent} played, {closed_at} recorded, {line.avoided} avoided and {line.in_file} in the "
                "file don't agree"
            )
        elif (line.overspend or ZERO) > bound:
            problem = f"the overspend of {line.overspend} is above {bound}, the largest spend between two checks"
        else:
            continue
        raise SimulationError(f"{line.brand}, {line.day}: {problem}: a mistake in the program, please report it.")


def simulate(
    history: History, plan: list[BrandPlan], checks: CheckTimes, progress: Progress = list
) -> tuple[Report, list[Step]]:
    """Play the history in the database, which must be empty and migrated; return the figures and the steps.

    If there is a quick check, the report includes one with full checks only, played first and rolled back.
    """
    alone = _play_full_checks_only(history, plan, checks, progress) if checks.quick else None
    steps = play(history, plan, checks, progress)
    return make_report(history, plan, steps, checks, alone), steps


@transaction.atomic
def _play_full_checks_only(history: History, plan: list[BrandPlan], checks: CheckTimes, progress: Progress) -> Report:
    steps = play(history, plan, checks.check_alone, progress)
    report = make_report(history, plan, steps, checks.check_alone)
    transaction.set_rollback(True)
    return report
