"""The home page: brands at risk, spend against budgets, running campaigns and recent changes.

A person sees the parts that they may view, for the brands that they see. Each number links to the list behind it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN
from itertools import groupby
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString

from campaigns.admin.alerts.alerts import alerts_context
from campaigns.admin.platforms.known import waiting_context
from campaigns.admin.shared.base import may_view
from campaigns.admin.shared.display import (
    Standing,
    ago,
    around,
    chip,
    link_to,
    list_address,
    share_bar,
    spend_bar,
    status_chips,
    total_bar,
)
from campaigns.admin.shared.filters import ATTENTION, LAST_24_HOURS
from campaigns.admin.shared.times import as_of
from campaigns.models import Brand, Campaign, JobRun, StatusChange
from campaigns.rules.currencies import smallest_unit
from campaigns.rules.money import format_money
from campaigns.rules.pace import OFTEN_REACHED, REACHED_DAYS
from campaigns.rules.reasons import LABELS as REASONS
from campaigns.rules.reasons import PauseReason
from campaigns.services.feed.drift import find_drift
from campaigns.services.history.actors import actor_name, job_name
from campaigns.services.insight import home as overview
from campaigns.services.insight.brand_now import BrandNow
from campaigns.services.insight.home import Brands, Campaigns, Changes, Currency, Money, OwnBrand
from campaigns.services.insight.risk import RISK_LABELS as RISKS
from campaigns.services.insight.risk import Risk
from campaigns.services.jobs.health import Health
from campaigns.services.jobs.processes import Processes
from campaigns.services.permissions import Person, sees_only_assigned_brands

# Status changes shown under “Latest”.
LATEST = 8

CARDS = (
    ("Budget reached", "bad", "All their campaigns are paused.", (Risk.REACHED_TODAY, Risk.REACHED_MONTH)),
    (
        "Often runs out",
        "warning",
        f"Daily budget reached on {OFTEN_REACHED} or more of the last {REACHED_DAYS} days.",
        (Risk.OFTEN_REACHED,),
    ),
    ("Over-pacing", "warning", "On course to run out early.", (Risk.OVER_PACING,)),
    ("Under-pacing", "note", "Projected to end below the monthly budget.", (Risk.UNDER_PACING,)),
)
RISK_PERIODS = {Risk.REACHED_TODAY: "today", Risk.OFTEN_REACHED: "lately"}
TONES = {risk: tone for _, tone, _, risks in CARDS for risk in risks} | {Risk.UNKNOWN_ZONE: "bad"}


@dataclass(frozen=True)
class Number:
    """A number that links to the list behind it; `label` says what it counts."""

    count: int
    label: str
    address: str
    described: str = ""
    # Percentage of the total, for the bar.
    value: int = 0
    is_capped: bool = False

    @property
    def text(self) -> str:
        return f"{'more than ' if self.is_capped else ''}{self.count:,}"


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add the figures of the home page to its context; settings name this function (UNFOLD, DASHBOARD_CALLBACK)."""
    now, user = timezone.now(), request.user
    shown: dict[str, Any] = {"title": "Home", "as_of": as_of(now), "health": _health(context.get("health"), now)}
    if may_view(request, Brand):
        brands = overview.brands_now(user, now=now)
        shown |= _of_brands(brands, request) | {"mine": _of_owner(brands)}
    shown["alerts"] = alerts_context(request, now)
    shown["waiting"] = waiting_context(request, now)
    if may_view(request, Campaign):
        shown["campaigns"] = _of_campaigns(overview.campaigns_now(user)) | {"drift": _drift(user, now)}
    if may_view(request, StatusChange):
        shown["changes"] = _of_changes(overview.recent_changes(user, now=now))
        shown["latest"] = list(_lines(overview.latest_changes(user, LATEST), now))
    return context | shown


def _of_brands(brands: Brands, request: HttpRequest) -> dict[str, Any]:
    if not brands.count:
        return {
            "no_brands": True,
            "is_limited": sees_only_assigned_brands(request.user),
            "may_add": request.user.has_perm("campaigns.add_brand"),
            "add_address": reverse("admin:campaigns_brand_add"),
        }
    return {
        "brands": Number(brands.count, "brand" if brands.count == 1 else "brands", list_address(Brand)),
        "switched_off": Number(brands.switched_off, "paused", list_address(Brand, enabled__exact=0)),
        "cards": [
            {"title": title, "tone": tone, "note": note, "numbers": [_risk_number(brands, risk) for risk in risks]}
            for title, tone, note, risks in CARDS
        ],
        "unknown_zones": _risk_number(brands, Risk.UNKNOWN_ZONE),
        "currencies": [_currency(each) for each in sorted(brands.currencies.values(), key=_most_brands_first)],
        "lists": [
            _list(brands, "Needs attention", brands.worst, brands.need_attention, ATTENTION),
            _list(
                brands,
                "Under-pacing this month",
                brands.under_pacing,
                brands.at[Risk.UNDER_PACING],
                Risk.UNDER_PACING.code,
            ),
        ],
    }


def _of_owner(brands: Brands) -> dict[str, Any] | None:
    if not brands.own:
        return None
    count = brands.own_count
    return {
        "number": Number(count, "brand" if count == 1 else "brands", list_address(Brand, owner="mine"), "of mine"),
        "brands": [_own_brand(each, brands) for each in brands.own],
    }


def _list(brands: Brands, title: str, listed: list[BrandNow], count: int, risk: str) -> dict[str, Any]:
    return {
        "title": title,
        "currencies": [
            {"code": code, "brands": [_brand(brand, brands) for brand in of_currency]}
            for code, of_currency in groupby(listed, key=lambda brand: brand.currency)
        ],
        "shown": len(listed),
        "count": count,
        "address": list_address(Brand, risk=risk),
    }


def _own_brand(own: OwnBrand, brands: Brands) -> dict[str, Any]:
    shown = _brand(own.brand, brands)
    if not shown["chips"]:
        shown["chips"] = [chip("on", "good") if own.enabled else chip("paused", "plain")]
    return shown


def _risk_number(brands: Brands, risk: Risk) -> Number:
    label = RISK_PERIODS.get(risk, "this month")
    return Number(brands.at[risk], label, list_address(Brand, risk=risk.code), RISKS[risk])


def _most_brands_first(currency: Currency) -> tuple[int, str]:
    return -currency.brands, currency.code


def _currency(currency: Currency) -> dict[str, Any]:
    return {
        "brands": Number(
            currency.brands,
            "brand" if currency.brands == 1 else "brands",
            list_address(Brand, currency=currency.code),
            f"in {currency.code}",
        ),
        "code": currency.code,
        "today": _money(currency.today, currency.code, "daily budgets"),
        "this_month": _money(currency.this_month, currency.code, "monthly budgets"),
    }


def _money(money: Money, code: str, budgets: str) -> dict[str, Any]:
    beside = f"{format_money(money.other_spend, code)} by brands without a budget" if money.other_spend else ""
    if not money.budgets:
        return {"bar": "", "beside": beside or "–"}
    bar = total_bar(money.spend, money.budget, code, of=f"{budgets} in {code}")
    return {"bar": bar, "beside": f"plus {beside}" if beside else ""}


def _brand(brand: BrandNow, brands: Brands) -> dict[str, Any]:
    return {
        "link": link_to(Brand(pk=brand.pk, name=brand.name)),
        "chips": [chip(RISKS[risk], TONES[risk]) for risk in brand.risk],
        "captions": [*_over_or_under(brand), *_often_reached(brand, brands)],
        "today": spend_bar(brand.day_spend, brand.daily_budget, brand.currency, of="daily budget"),
        "this_month": spend_bar(
            brand.month_spend,
            brand.monthly_budget,
            brand.currency,
            of="monthly budget",
            standing=Standing(brand.verdict, brand.expected),
        ),
    }


def _over_or_under(brand: BrandNow) -> Iterator[str]:
    """Yield the money for which the brand is listed where it is, with its budget: as the brand list has it. Of an
    over-pacing brand also the day, in its time zone, on which it is expected to use up its budget."""
    for name, over, budget in (
        ("today’s budget", brand.over_today, brand.daily_budget),
        ("the month’s budget", brand.over_month, brand.monthly_budget),
    ):
        if over:
            yield f"{format_money(over, brand.currency)} over {name}"
        elif over is not None:
            yield f"{name} is {'spent' if budget else 0}"
    if brand.projected_over is not None:
        side, amount = "over" if brand.projected_over > 0 else "under", abs(brand.projected_over)
        rounded = amount.quantize(smallest_unit(brand.currency), ROUND_HALF_EVEN)
        yield f"projected {format_money(rounded, brand.currency)} {side} the month’s budget"
    if brand.pace and brand.monthly_budget is not None and brand.risk & Risk.OVER_PACING:
        day = brand.pace.runs_out_on(brand.monthly_budget - brand.month_spend)
        if day:
            yield f"runs out {around(day, brand.pace.today)}"


def _often_reached(brand: BrandNow, brands: Brands) -> Iterator[str]:
    found = brands.reached_days.get(brand.pk)
    if found:
        yield found.words


def _of_campaigns(campaigns: Campaigns) -> dict[str, Any]:
    reasons = [
        _share_of(campaigns.by_reason[reason], campaigns.count, REASONS[reason], reason=reason.codes[0])
        for reason in PauseReason
        if campaigns.by_reason[reason]
    ]
    return {
        "active": _share_of(campaigns.active, campaigns.count, "active", status__exact="active"),
        "paused": _share_of(campaigns.paused, campaigns.count, "paused", status__exact="paused"),
        "reasons": [{"number": number, "bar": _bar(number)} for number in reasons],
    }


def _drift(user: Person, now: datetime) -> Number | None:
    """Return how many paused campaigns a platform doesn't follow (R18), or None for none."""
    found = find_drift(now=now, assigned_to=user.pk if sees_only_assigned_brands(user) else None)
    count = len({each.campaign_id for each in found})
    if not count:
        return None
    label = "paused here, but not on its platform" if count == 1 else "paused here, but not on their platforms"
    return Number(count, label, list_address(Campaign, drift="any"))


def _share_of(count: int, whole: int, label: str, **filters: Any) -> Number:
    return Number(count, label, list_address(Campaign, **filters), value=count * 100 // whole if whole else 0)


def _bar(number: Number) -> SafeString:
    return share_bar(number.value, f"{number.value} % of the campaigns")


def _of_changes(changes: Changes) -> dict[str, Any]:
    def number(count: int, label: str, **filters: Any) -> Number:
        address = list_address(StatusChange, since=LAST_24_HOURS, **filters)
        return Number(count, label, address, is_capped=changes.is_capped)

    return {
        "numbers": [
            number(changes.paused, "paused", change="paused"),
            number(changes.resumed, "resumed", change="resumed"),
            number(changes.other, "pause reasons changed", change="other"),
        ],
        "paused_for": [
            number(count, REASONS[reason], change="paused", reason=reason.codes[0])
            for reason, count in changes.paused_for.items()
            if count
        ],
        "all": list_address(StatusChange),
    }


def _lines(changes: list[StatusChange], now: datetime) -> Iterator[dict[str, Any]]:
    for change in changes:
        brand = change.campaign.brand
        yield {
            "at": change.at.astimezone(UTC).isoformat(),
            "ago": ago(change.at, now),
            "campaign": link_to(change.campaign),
            "brand": link_to(brand),
            "after": status_chips(PauseReason(change.reasons_after)),
            "actor": actor_name(change.actor),
        }


def _health(health: Health | None, now: datetime) -> dict[str, Any] | None:
    if health is None:
        return None
    return {
        "problems": health.problems,
        "warnings": health.warnings,
        "jobs": [(job_name(job.name), ago(job.succeeded_at, now), job.late) for job in health.jobs],
        "missing": [_missing(each, now) for each in health.processes if each.is_missing],
        "processes": [
            (each.kind, each.running, ago(each.seen_at, now))
            for each in sorted(health.processes, key=lambda each: not each.is_missing)
        ],
        "address": list_address(JobRun),
    }


def _missing(processes: Processes, now: datetime) -> dict[str, str]:
    last = processes.seen_at
    return {
        "kind": processes.kind,
        "since": last.astimezone(UTC).isoformat() if last else "",
        "ago": ago(last, now),
        "command": processes.command,
    }
