"""The plan of a simulation: the budgets, limits and windows of each brand and campaign in the file."""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal

from campaigns.rules.money import AMOUNT_LIMIT
from campaigns.rules.names import is_same
from campaigns.services.simulation import SimulationError
from campaigns.services.simulation.history import CampaignName, History
from campaigns.services.simulation.options import Amounts, Options, Window

CENT = Decimal("0.01")


@dataclass(frozen=True)
class CampaignPlan:
    name: CampaignName
    daily_limit: Decimal | None
    windows: list[Window]


@dataclass(frozen=True)
class BrandPlan:
    """A brand's budgets and campaigns; median_day is set if the daily budget is derived from it."""

    name: str
    daily_budget: Decimal | None
    monthly_budget: Decimal | None
    campaigns: list[CampaignPlan]
    median_day: Decimal | None = None


def make_plan(options: Options, history: History) -> list[BrandPlan]:
    """Return the plan of each brand by name. Raises SimulationError for a name that isn't in the file."""
    _check_brands("--daily-budget", options.daily_budgets.by_name, history)
    _check_brands("--monthly-budget", options.monthly_budgets.by_name, history)
    _check_brands("--window", (window.brand for window in options.windows if window.brand is not None), history)
    _check_campaigns(options.campaign_limits, history)
    if options.factor is not None and options.daily_budgets.for_all is not None:
        raise SimulationError(
            "--daily-budget-factor and --daily-budget AMOUNT both set the budget of all other brands: use one."
        )
    return [_brand_plan(brand, options, history) for brand in history.brands]


def median_day(brand: str, history: History) -> Decimal:
    """Return the median of the brand's daily sums, over the local days with rows."""
    return statistics.median(total for (name, _), total in history.day_totals.items() if name == brand)


def _brand_plan(brand: str, options: Options, history: History) -> BrandPlan:
    names = [name for name in history.campaigns if name.brand == brand]
    windows = [window for window in options.windows if window.brand is None or is_same(window.brand, brand)]
    budget, median = options.daily_budgets.of(brand), None
    if budget is None and options.factor is not None:
        median = median_day(brand, history)
        budget = _share_of_median(brand, options.factor, median)
    return BrandPlan(
        name=brand,
        daily_budget=budget,
        monthly_budget=options.monthly_budgets.of(brand),
        campaigns=[CampaignPlan(name, options.campaign_limits.of(str(name), name.campaign), windows) for name in names],
        median_day=median,
    )


def _share_of_median(brand: str, factor: Decimal, median: Decimal) -> Decimal:
    """Return factor × median, rounded half to even in cents."""
    budget = factor * median
    if not CENT <= budget < AMOUNT_LIMIT:
        raise SimulationError(
            f"--daily-budget-factor {factor} of {brand}'s median day, {median}, isn't a budget from 0.01 to "
            f"{AMOUNT_LIMIT:,}: set one with --daily-budget “{brand}=AMOUNT”."
        )
    return budget.quantize(CENT, ROUND_HALF_EVEN)


def _check_brands(option: str, names: Iterable[str], history: History) -> None:
    for name in names:
        if not any(is_same(name, brand) for brand in history.brands):
            raise SimulationError(
                f"{option} names the brand “{name}”, which isn't in the file: it has {_some(history.brands)}."
            )


def _check_campaigns(limits: Amounts, history: History) -> None:
    for name in limits.by_name:
        meant = [
            campaign
            for campaign in history.campaigns
            if is_same(name, campaign.campaign) or is_same(name, str(campaign))
        ]
        if not meant:
            raise SimulationError(
                f"{limits.option} names the campaign “{name}”, which isn't in the file: it has"
                f" {_some(history.campaigns)}."
            )
        if len(meant) > 1:
            raise SimulationError(f"{limits.option} {name} could mean {_some(meant)}: use BRAND/CAMPAIGN=AMOUNT.")


def _some(names: Iterable[object], limit: int = 6) -> str:
    texts = [str(name) for name in names]
    more = f" and {len(texts) - limit} more" if len(texts) > limit else ""
    return ", ".join(texts[:limit]) + more
