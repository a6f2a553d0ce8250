"""Alerts about budgets: spend at a percentage of the month's or the day's, and campaigns at their daily limit."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from django.db.models import F

from campaigns.models import Campaign
from campaigns.rules.alerts import REACHED, State, crossed
from campaigns.rules.money import format_money
from campaigns.rules.periods import find_zone, local_date, next_month
from campaigns.rules.reasons import PauseReason
from campaigns.services.alerts.look import BUDGET_DAY, BUDGET_MONTH, Look, Spent


def month_budgets(look: Look) -> Iterator[State]:
    for brand in look.spent:
        for percent in crossed(look.thresholds(BUDGET_MONTH), brand.month_spend, brand.monthly_budget):
            until = next_month(brand.today)
            yield _state(
                brand,
                percent,
                brand.month_spend,
                brand.monthly_budget,
                period=f"{brand.month:%Y-%m}",
                of=f"the {brand.month:%B %Y} budget",
                meaning=f"All campaigns are paused until {until:%Y-%m-%d}, unless the budget is raised."
                if brand.month_spend * 100 >= (brand.monthly_budget or 0) * REACHED
                else f"Campaigns keep running until it is used up; the month ends on {_last_day(until):%Y-%m-%d}.",
            )


def day_budgets(look: Look) -> Iterator[State]:
    for brand in look.spent:
        for percent in crossed(look.thresholds(BUDGET_DAY), brand.day_spend, brand.daily_budget):
            yield _state(
                brand,
                percent,
                brand.day_spend,
                brand.daily_budget,
                period=f"{brand.today}",
                of=f"the daily budget of {brand.today}",
                meaning="All campaigns are paused until midnight, unless the budget is raised."
                if brand.day_spend * 100 >= (brand.daily_budget or 0) * REACHED
                else "Campaigns keep running until it is used up.",
            )


def campaign_limits(look: Look) -> Iterator[State]:
    """Yield the campaigns that are paused by their own daily limit: enforcement has compared spend and limit."""
    rows = Campaign.objects.filter(
        pause_reasons__gte=PauseReason.CAMPAIGN_DAILY_LIMIT, daily_spend_limit__gt=0, archived_at__isnull=True
    ).alias(bit=F("pause_reasons").bitand(int(PauseReason.CAMPAIGN_DAILY_LIMIT)))
    rows = rows.filter(bit__gt=0, brand__enabled=True, enabled=True, brand__archived_at__isnull=True)
    if look.brands is not None:
        rows = rows.filter(brand__in=look.brands)
    columns = ("pk", "name", "daily_spend_limit", "brand_id", "brand__name", "brand__currency", "brand__timezone")
    for pk, name, limit, brand_id, brand, currency, timezone in rows.order_by("pk").values_list(*columns):
        zone = find_zone(timezone)
        if zone is None or limit is None:
            continue
        day = local_date(zone, look.now)
        yield State(
            f"campaign {pk}",
            f"{name} ({brand}) has reached its daily limit of {format_money(limit, currency)} on {day}",
            threshold=REACHED,
            period=f"{day}",
            budget=limit,
            meaning="The campaign is paused until midnight, unless its limit is raised.",
            brand_id=brand_id,
            campaign_id=pk,
            figures={"limit": str(limit), "currency": currency},
        )


def _state(
    brand: Spent, percent: int, spend: Decimal, budget: Decimal | None, *, period: str, of: str, meaning: str
) -> State:
    amount = budget or Decimal(0)
    reached = int(spend * 100 / amount)
    return State(
        f"brand {brand.pk}",
        f"{brand.name} has spent {format_money(spend, brand.currency)} of {of}: {reached} % of"
        f" {format_money(amount, brand.currency)}",
        threshold=percent,
        period=period,
        budget=amount,
        meaning=meaning,
        is_bad=percent >= REACHED,
        brand_id=brand.pk,
        figures={"spend": str(spend), "budget": str(amount), "percent": reached, "currency": brand.currency},
    )


def _last_day(until: date) -> date:
    return date.fromordinal(until.toordinal() - 1)
