"""The home page's parts about brands: risks, spend against budgets, and the person's own brands."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from itertools import groupby
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from campaigns.admin.home.number import Number
from campaigns.admin.shared.display import (
    Standing,
    around,
    chip,
    link_to,
    list_address,
    spend_bar,
    total_bar,
)
from campaigns.admin.shared.filters import ATTENTION
from campaigns.models import Brand
from campaigns.rules.money import format_money, format_spend_money, round_estimate
from campaigns.rules.pace import OFTEN_REACHED, REACHED_DAYS
from campaigns.services.insight.brand_now import BrandNow
from campaigns.services.insight.home import Brands, Currency, Money, OwnBrand
from campaigns.services.insight.risk import RISK_LABELS as RISKS
from campaigns.services.insight.risk import Risk
from campaigns.services.permissions import sees_only_assigned_brands

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
# The id of the list of under-pacing brands.
UNDER_PACING_LIST = "home-under-pacing"
TONES = {risk: tone for _, tone, _, risks in CARDS for risk in risks} | {Risk.UNKNOWN_ZONE: "bad"}


def of_brands(brands: Brands, request: HttpRequest) -> dict[str, Any]:
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
            _list(brands, "Needs attention", brands.worst, brands.need_attention, ATTENTION)
            | {"under_pacing": _under_pacing(brands)},
            _list(
                brands,
                "Under-pacing this month",
                brands.under_pacing,
                brands.at[Risk.UNDER_PACING],
                Risk.UNDER_PACING.code,
            )
            | {"id": UNDER_PACING_LIST},
        ],
    }


def _under_pacing(brands: Brands) -> dict[str, Any] | None:
    """Return how many brands are under-pacing, and the one that misses the largest share of its budget: people look
    for it under “Needs attention”, though these brands have a list of their own. None if no brand is.

    It is chosen among those listed, the worst of each currency by money: shares can be compared across currencies.
    """
    missed = [(_missed_share(brand), brand) for brand in brands.under_pacing]
    if not missed:
        return None
    share, furthest = max(missed, key=lambda each: each[0])
    count = brands.at[Risk.UNDER_PACING]
    return {
        "number": Number(count, "brand" if count == 1 else "brands", list_address(Brand, risk=Risk.UNDER_PACING.code)),
        "link": link_to(Brand(pk=furthest.pk, name=furthest.name)),
        "missed": format_money(
            round_estimate(-(furthest.projected_over or Decimal(0)), furthest.currency), furthest.currency
        ),
        "share": f"{int(share)} %",
        "list": UNDER_PACING_LIST,
    }


def _missed_share(brand: BrandNow) -> Decimal:
    """Return the percents of a brand's monthly budget that it is projected not to spend."""
    if not brand.projected_over or not brand.monthly_budget:
        return Decimal(0)
    return -brand.projected_over * 100 / brand.monthly_budget


def of_owner(brands: Brands) -> dict[str, Any] | None:
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
    beside = f"{format_spend_money(money.other_spend, code)} by brands without a budget" if money.other_spend else ""
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
            yield f"{format_spend_money(over, brand.currency)} over {name}"
        elif over is not None:
            yield f"{name} is {'spent' if budget else 0}"
    if brand.projected_over is not None:
        side, amount = "over" if brand.projected_over > 0 else "under", abs(brand.projected_over)
        projected = format_money(round_estimate(amount, brand.currency), brand.currency)
        yield f"projected {projected} {side} the month’s budget"
    if brand.pace and brand.monthly_budget is not None and brand.risk & Risk.OVER_PACING:
        day = brand.pace.runs_out_on(brand.monthly_budget - brand.month_spend)
        if day:
            yield f"runs out {around(day, brand.pace.today)}"


def _often_reached(brand: BrandNow, brands: Brands) -> Iterator[str]:
    found = brands.reached_days.get(brand.pk)
    if found:
        yield found.words
