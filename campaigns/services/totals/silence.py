"""Until when spend is known, and accounts that should have reported."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from campaigns.models import CampaignLink, PlatformAccount
from campaigns.models.platforms.accounts import NEVER_SILENT


@dataclass(frozen=True)
class Known:
    """An account that a brand's or campaign's spend comes from, and until when it is known; None: never reported."""

    account: PlatformAccount
    until: datetime | None
    is_silent: bool


def accounts_of(*, campaigns: Iterable[int], now: datetime) -> list[Known]:
    """Return the accounts that these campaigns are linked to, the one that is known least first."""
    linked = CampaignLink.objects.filter(campaign__in=campaigns).values("account")
    return _known(PlatformAccount.objects.filter(pk__in=linked), now)


def accounts_of_brand(brand_id: int, *, now: datetime) -> list[Known]:
    """Return the accounts that campaigns of the brand are linked to, the one that is known least first."""
    linked = CampaignLink.objects.filter(campaign__brand=brand_id).values("account")
    return _known(PlatformAccount.objects.filter(pk__in=linked), now)


def silent_accounts(*, now: datetime, brands: Collection[int] | None = None) -> list[PlatformAccount]:
    """Return the accounts in use that have reported once, but not within their interval, the longest silent first.

    If brands are given, those that are linked to campaigns of one of them, whatever brand the account suggests.
    An account whose reports are imported as files has no interval, and isn't expected to report by itself.
    """
    silent = PlatformAccount.objects.filter(in_use_and_late(now=now, brands=brands))
    return [each for each in silent.order_by("reported_until") if is_silent(each, now=now)]


def in_use_and_late(*, now: datetime, brands: Collection[int] | None) -> Q:
    """Return the condition of accounts that may be silent: linked to these brands, without a report for an hour."""
    in_use = CampaignLink.objects.filter(account=OuterRef("pk"), campaign__isnull=False)
    if brands is not None:
        in_use = in_use.filter(campaign__brand__in=brands)
    return Q(Exists(in_use), reported_until__lt=now - timedelta(hours=1), interval_hours__gt=NEVER_SILENT)


def silence_warning(*, now: datetime) -> str:
    """Return which platforms' accounts should have reported, for monitoring: without names of accounts; "" if none."""
    silent = Counter(each.get_source_display() for each in silent_accounts(now=now))
    counts = ", ".join(f"{count:,} of {platform}" for platform, count in sorted(silent.items()))
    return f"Accounts of ad platforms are silent, and their spend may be out of date: {counts}." if silent else ""


def is_silent(account: PlatformAccount, *, now: datetime) -> bool:
    """Return whether the account should have reported since."""
    until = account.reported_until
    if until is None or account.interval_hours == NEVER_SILENT:
        return False
    return until < now - timedelta(hours=account.interval_hours)


def _known(accounts: QuerySet[PlatformAccount], now: datetime) -> list[Known]:
    ordered = accounts.order_by(F("reported_until").asc(nulls_first=True), "pk")
    return [Known(each, each.reported_until, is_silent(each, now=now)) for each in ordered]
