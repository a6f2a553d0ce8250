"""Spend that waits, for the home page; until when spend is known, for the pages of brands and campaigns."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from campaigns.admin.platforms.counted_twice import twice_context
from campaigns.admin.shared.base import may_view
from campaigns.admin.shared.display import ago, chip, link_to, table
from campaigns.admin.shared.times import local_time
from campaigns.models import CampaignLink, PlatformAccount, SpendTotal
from campaigns.rules.money import format_money
from campaigns.services.permissions import assigned_brands
from campaigns.services.totals.counted_twice import silent_and_counted_twice
from campaigns.services.totals.held import held_decreases
from campaigns.services.totals.silence import Known
from campaigns.services.totals.unassigned import unassigned_spend


def waiting_context(request: HttpRequest, now: datetime) -> dict[str, Any] | None:
    """Return what home shows of spend that waits and of silent accounts; None where all is well."""
    if not may_view(request, CampaignLink):
        return None
    brands = assigned_brands(request.user)
    found = unassigned_spend(brands)
    held = [each for each in held_decreases(brands) if not each.is_rejected] if may_view(request, SpendTotal) else []
    silent, twice = silent_and_counted_twice(now=now, brands=brands)
    if not found.open and not held and not silent and not twice.shown:
        return None
    return {
        "unassigned": {
            "money": [format_money(amount, currency or "–") for currency, amount in found.money.items()],
            "count": len(found.open),
            "is_capped": found.is_capped,
            "address": reverse("admin:campaigns_campaignlink_unassigned"),
        },
        "held": {"count": len(held), "address": reverse("admin:campaigns_spendtotal_held")},
        "twice": twice_context(twice, now),
        "silent": [
            {
                "account": _account(request, each, brands),
                "platform": each.get_source_display(),
                "ago": ago(each.reported_until, now),
            }
            for each in silent
        ],
    }


def _account(request: HttpRequest, account: PlatformAccount, brands: frozenset[int] | None) -> SafeString | str:
    """Return the account, as a link for people who may open its page; brands are theirs, or None for all.

    An account belongs to one brand at most, and may have campaigns of others.
    """
    is_theirs = brands is None or account.brand_id in brands
    return link_to(account) if is_theirs and may_view(request, PlatformAccount) else str(account)


def known_table(request: HttpRequest, known: Sequence[Known], zone: str) -> SafeString:
    """Return the accounts that spend comes from, and until when it is known; times in the brand's zone.

    An account in another zone is warned of: its days are booked for the brand's, which begin at another time.
    """
    brands = assigned_brands(request.user)
    rows = [
        (
            each.account.get_source_display(),
            _account(request, each.account, brands),
            local_time(each.until, zone) if each.until else "–",
            _warnings(each, zone),
        )
        for each in known
    ]
    return table(("Platform", "Account", "Known until", ""), rows, empty="", label="Platforms")


def _warnings(known: Known, zone: str) -> SafeString:
    own = known.account.timezone
    silent = chip("silent", "warning") if known.is_silent else ""
    other = chip(f"days in {own}", "warning") if own and own != zone else ""
    return format_html("{} {}", silent, other)
