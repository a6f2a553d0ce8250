"""GET /api/v1/brands and /api/v1/brands/{id}: budgets, spend, pace and projection."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

import msgspec
from django.db.models import Min, Q
from django.http import HttpRequest, HttpResponse
from msgspec import UNSET, Meta, UnsetType

from campaigns.api.endpoint import endpoint
from campaigns.api.problems import Problem, json_response
from campaigns.api.query import given, read_query
from campaigns.database.clock import database_now
from campaigns.models import Brand, CampaignLink
from campaigns.models.pace_queries import brands_with_pace
from campaigns.models.platforms.api_keys import Scope
from campaigns.services.api_keys import ValidKey

PAGE = 1_000

Money = Annotated[Decimal, Meta(description="In the brand's currency, exact, as a string.")]
Budget = Annotated[Decimal | None, Meta(description="null: no limit; 0: nothing may be spent.")]


class BrandsQuery(msgspec.Struct, forbid_unknown_fields=True):
    """Where to go on."""

    cursor: Annotated[int, Meta(ge=0, le=2**63 - 1, description="next of the page before.")] | UnsetType = UNSET


class NoQuery(msgspec.Struct, forbid_unknown_fields=True):
    """No parameters."""


class BrandBudget(msgspec.Struct):
    """A brand with its budgets, and what it has spent in its current day and month."""

    id: int
    name: str
    enabled: bool
    currency: str
    timezone: str
    daily_budget: Budget
    monthly_budget: Budget
    spend_today: Money
    spend_this_month: Money
    pace: Annotated[float | None, Meta(description="1: as expected by now; null: unknown, or no monthly budget.")]
    projected_spend: Annotated[
        Decimal | None, Meta(description="Expected by the end of the month, if nothing pauses; null: too early.")
    ]
    known_until: Annotated[
        datetime | None, Meta(description="Up to when the spend of its linked accounts is known; null: no report yet.")
    ]


class BrandsPage(msgspec.Struct):
    """Brands by ID."""

    brands: list[BrandBudget]
    next: Annotated[int | None, Meta(description="The cursor of the next page; null on the last one.")]


@endpoint("GET", Scope.BUDGET_READ)
def get_brands(request: HttpRequest, key: ValidKey) -> HttpResponse:
    query = read_query(request, BrandsQuery)
    visible = Brand.objects.all() if key.brands is None else Brand.objects.filter(pk__in=key.brands)
    ids = list(visible.filter(pk__gt=given(query.cursor) or 0).order_by("pk").values_list("pk", flat=True)[: PAGE + 1])
    following = ids[PAGE - 1] if len(ids) > PAGE else None
    return json_response(BrandsPage(_brands(ids[:PAGE]), following))


@endpoint("GET", Scope.BUDGET_READ)
def get_brand(request: HttpRequest, key: ValidKey, brand: int) -> HttpResponse:
    read_query(request, NoQuery)
    found = _brands([brand]) if brand < 1 << 63 and (key.brands is None or brand in key.brands) else []
    if not found:
        raise Problem("not-found", f"Brand {brand} doesn't exist, or this key has no access to it.")
    return json_response(found[0])


def _brands(ids: Sequence[int]) -> list[BrandBudget]:
    if not ids:
        return []
    # A brand of which one linked account hasn't reported yet isn't known at all.
    accounts = CampaignLink.objects.filter(campaign__brand__in=ids).values("campaign__brand")
    silent = set(accounts.filter(account__reported_until=None).values_list("campaign__brand", flat=True))
    known = dict(accounts.annotate(until=Min("account__reported_until")).values_list("campaign__brand", "until"))
    rows: Any = brands_with_pace(Brand.objects.filter(Q(pk__in=ids)).order_by("pk"), database_now(), ids)
    return [
        BrandBudget(
            row.pk,
            row.name,
            row.enabled,
            row.currency,
            row.timezone,
            row.daily_budget,
            row.monthly_budget,
            row.spend_today,
            row.spend_this_month,
            row.pace,
            row.projected_spend,
            None if row.pk in silent else known.get(row.pk),
        )
        for row in rows
    ]
