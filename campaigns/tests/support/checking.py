"""Checks at an instant of the test's choice, and what came of them."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple

from campaigns.models import Brand, BrandPeriod, Campaign, StatusChange
from campaigns.rules.reasons import PauseReason
from campaigns.services.enforcement.enforce import Enforcement, enforce
from campaigns.services.jobs.full_check import FullCheck, full_check
from campaigns.services.scope import Scope
from campaigns.tests.support.factories import utc

ACTIVE = PauseReason(0)


class Spent(NamedTuple):
    """A brand's spend of the day and of the month."""

    day: Decimal
    month: Decimal


def enforce_at(at: str | datetime, scope: Scope | None = None) -> Enforcement:
    instant = _instant(at)
    return enforce(scope or Scope.everything(), clock=lambda: instant, actor="test")


def check_at(at: str | datetime) -> FullCheck:
    """Do what the jobs do: re-book, fold, close, enforce."""
    instant = _instant(at)
    return full_check("test", clock=lambda: instant)


def reasons_of(campaign: Campaign) -> PauseReason:
    """Return the reasons that are stored now."""
    return Campaign.objects.get(pk=campaign.pk).reasons


def reasons_at(campaign: Campaign, at: str | datetime) -> PauseReason:
    """Enforce everything at an instant and return the campaign's reasons."""
    enforce_at(at)
    return reasons_of(campaign)


def campaign_spent(campaign: Campaign, at: str | datetime) -> Decimal:
    return Campaign.objects.with_spend(_instant(at)).get(pk=campaign.pk).spend_today


def brand_spent(brand: Brand, at: str | datetime) -> Spent:
    found = Brand.objects.with_spend(_instant(at)).get(pk=brand.pk)
    return Spent(found.spend_today, found.spend_this_month)


def period(brand: Brand, kind: str, starts_on: str) -> BrandPeriod:
    return BrandPeriod.objects.get(brand=brand, kind=kind, starts_on=date.fromisoformat(starts_on))


def history(campaign: Campaign) -> list[tuple[PauseReason, PauseReason]]:
    """Return the reasons before and after of each line of the campaign's history, oldest first."""
    rows = StatusChange.objects.filter(campaign=campaign).order_by("id")
    return [(PauseReason(row.reasons_before), PauseReason(row.reasons_after)) for row in rows]


def _instant(at: str | datetime) -> datetime:
    return utc(at) if isinstance(at, str) else at
