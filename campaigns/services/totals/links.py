"""Saving links: to which campaign a platform's campaign belongs (R17).

What has been booked stays for days before the one that the person names. From that day on, what is booked is taken
back from the old campaign by one record for each total, in the transaction of the save; the next quick check books the
totals for the new one. A total that is first reported later, of a day before, is booked for the campaign that the
link had for that day (EarlierLink); if it had none, for the new one.

Unassigned spend is assigned or ignored without a day: what waits moves, and what is booked stays where it is.

Locks are taken in this order: brands, links (all of them by one lock), totals by account, campaign and day, as
connectors restate them. Booking waits for neither.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import transaction
from django.db.models import Min, Q
from django.utils import timezone

from campaigns.database.connection import LINKS_LOCK, execute, fetch_all, is_postgresql
from campaigns.database.dialects import in_list, list_param, rows_param, rows_sql
from campaigns.database.statements import script, statement
from campaigns.database.write_column import in_pieces
from campaigns.models import Campaign, CampaignLink, EarlierLink, PlatformAccount, SpendTotal, Waiting
from campaigns.rules.periods import find_zone
from campaigns.services.ledger.locks import lock_brands
from campaigns.services.totals.days import DAY_COLUMNS, day_rows
from campaigns.services.totals.waiting import free_accounts, free_campaigns

# What the page of unassigned spend shows, as in campaigns/sql/totals/unassigned.sql.
UNASSIGNED = Q(waiting__gt=0) & ~Q(waiting__in=(Waiting.HELD, Waiting.DECREASE))


@dataclass(frozen=True)
class Saved:
    """What saving links did: how many links changed, totals left a campaign, and totals no longer wait for a link."""

    links: int
    moved: int
    freed: int


def assign(campaigns: Mapping[int, int], *, first_day: date | None = None) -> Saved:
    """Link platforms' campaigns to ours, given as ids of links and of campaigns.

    first_day is for links that lead to another campaign by now: from which day of the account the new one holds;
    without it, for all days. What waits because the link led nowhere is booked for the new one in any case.
    """
    return _save({link: _Change(campaign) for link, campaign in campaigns.items()}, first_day)


def assign_waiting(campaigns: Mapping[int, int]) -> Saved:
    """Link platforms' campaigns whose spend waits. What has been booked stays, also for another campaign.

    The new campaign has the days from the first one that waits on. A link that leads to a campaign, and of which
    nothing waits any more, stays: somebody else has saved it meanwhile.
    """
    return _save({link: _Change(campaign) for link, campaign in campaigns.items()}, None, only_waiting=True)


def ignore_waiting(links: Iterable[int], note: str) -> Saved:
    """Ignore platforms' campaigns whose spend waits, as assign_waiting assigns them."""
    return _save(dict.fromkeys(links, _Change(None, ignored=True, note=note)), None, only_waiting=True)


def ignore(links: Iterable[int], note: str, *, first_day: date | None = None) -> Saved:
    """Book nothing for these links, nor show it as unassigned; what is booked from the day on is taken back."""
    return _save(dict.fromkeys(links, _Change(None, ignored=True, note=note)), first_day)


def unassign(links: Iterable[int], *, first_day: date | None = None) -> Saved:
    """Let these links lead nowhere: their spend from the day on is unassigned."""
    return _save(dict.fromkeys(links, _Change(None)), first_day)


@transaction.atomic
def save_account(account: PlatformAccount) -> None:
    """Save an account, and set free what waits for its time zone or currency."""
    account.save()
    free_accounts([(account.source, account.external_id)])


@dataclass(frozen=True)
class _Change:
    campaign: int | None
    ignored: bool = False
    note: str = ""


@transaction.atomic
def _save(changes: Mapping[int, _Change], first_day: date | None, *, only_waiting: bool = False) -> Saved:
    _lock_brands(changes)
    _lock_links()
    in_order = CampaignLink.objects.order_by("account__source", "account__external_id", "external_id")
    links = in_order.filter(pk__in=changes).select_related("account")
    saved, moved, freed = 0, 0, 0
    for link in links.select_for_update(of=("self",)) if is_postgresql() else links:
        change = changes[link.pk]
        if only_waiting:
            first_day = _first_waiting(link)
            if first_day is None and link.campaign_id is not None:
                continue
        # Without a day, a link that leads where it led moves nothing: its note may be all that changes.
        moves = first_day is not None or (link.campaign_id, link.ignored) != (change.campaign, change.ignored)
        if moves and not (only_waiting and first_day is None):
            _keep_earlier(link, change.campaign, first_day)
        link.campaign_id, link.ignored, link.note = change.campaign, change.ignored, change.note[:200]
        link.save(update_fields=["campaign", "ignored", "note"])
        moved += _move(link, first_day, only_waiting=only_waiting) if moves else 0
        freed += free_campaigns([(link.account.source, link.account.external_id, link.external_id)])
        saved += 1
    return Saved(saved, moved, freed)


def _keep_earlier(link: CampaignLink, campaign: int | None, first_day: date | None) -> None:
    """Keep the campaign that the link has for days before the first one of its new campaign; forget the later ones."""
    if first_day is None:
        link.earlier.all().delete()
        return
    later = link.earlier.filter(until__gte=first_day).order_by("until")
    campaigns = [*later.values_list("campaign_id", flat=True), link.campaign_id]
    later.delete()
    if campaigns[0] not in (None, campaign):
        EarlierLink.objects.create(link=link, until=first_day, campaign_id=campaigns[0])


def _lock_brands(changes: Mapping[int, _Change]) -> None:
    """Lock the brands that spend goes to or comes from."""
    links = CampaignLink.objects.filter(pk__in=changes)
    keys = links.values_list("account__source", "account__external_id", "external_id")
    campaigns = [change.campaign for change in changes.values() if change.campaign is not None]
    to = Campaign.objects.filter(pk__in=campaigns).values_list("brand_id", flat=True)
    lock_brands({*to, *brands_of_spend(keys)})


def brands_of_spend(keys: Iterable[tuple[str, str, str]]) -> set[int]:
    """Return the brands that these totals, given by source, account and campaign, are booked for or linked to."""
    campaigns = set[int | None]()
    for source, account, external_id in keys:
        totals = SpendTotal.objects.filter(source=source, account=account, campaign=external_id)
        campaigns.update(totals.order_by().values_list("booked_campaign_id", flat=True).distinct())
        links = CampaignLink.objects.filter(
            account__source=source, account__external_id=account, external_id=external_id
        )
        campaigns.update(links.values_list("campaign_id", flat=True))
    found = Campaign.objects.filter(pk__in=[campaign for campaign in campaigns if campaign is not None])
    return set(found.values_list("brand_id", flat=True))


def _lock_links() -> None:
    """Wait until nobody books totals for the first time, and hold it off: who read a link before would book by it."""
    if is_postgresql():
        fetch_all("SELECT pg_advisory_xact_lock(%s)", [LINKS_LOCK])


def _totals(link: CampaignLink) -> Any:
    account = link.account
    return SpendTotal.objects.filter(source=account.source, account=account.external_id, campaign=link.external_id)


def _first_waiting(link: CampaignLink) -> date | None:
    """Return the first day of which spend is unassigned or can't be booked."""
    first: date | None = _totals(link).filter(UNASSIGNED).aggregate(first=Min("day"))["first"]
    return first


def _move(link: CampaignLink, first_day: date | None, *, only_waiting: bool) -> int:
    """Take back what is booked for another campaign than the link's, from a day on."""
    totals = _totals(link).filter(booked_campaign__isnull=False)
    if only_waiting:
        totals = totals.filter(UNASSIGNED)
    if link.campaign_id is not None:
        totals = totals.exclude(booked_campaign=link.campaign_id)
    if first_day is not None:
        totals = totals.filter(day__gte=first_day)
    if is_postgresql():
        totals = totals.select_for_update(no_key=True)
    leaving = list(totals.order_by("day").values_list("pk", "day"))
    zone = link.account.timezone if find_zone(link.account.timezone) else "UTC"
    in_batch = in_list("total.id", param="%(ids)s")
    parts = script(
        "totals/move",
        days=rows_sql(DAY_COLUMNS, "%(days)s"),
        leaving=statement("totals/leaving", in_batch=in_batch),
    )
    for piece in in_pieces(leaving):
        days = rows_param(DAY_COLUMNS, day_rows({(zone, day) for _, day in piece}, timezone.now()))
        params = {"ids": list_param([pk for pk, _ in piece]), "days": days, "campaign": link.campaign_id}
        for part in parts:
            execute(part, params)
    return len(leaving)
