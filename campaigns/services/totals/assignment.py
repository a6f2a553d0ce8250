"""Assigning spend that waits to campaigns: to those that are there, or to new ones; with a preview of statuses (R17).

The links are saved in the change; the next quick check books the spend, within ten seconds. Only what waits is
assigned: days that are booked already stay where they are. A preview books at once and takes everything back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from campaigns.models import Brand, Campaign, CampaignLink, PlatformAccount, SpendTotal
from campaigns.rules.clock import Clock
from campaigns.rules.names import name_key, normal_name
from campaigns.services.enforcement.enforce import Enforcement
from campaigns.services.enforcement.saving import Effects, begin_change, effects, finish_change, rolled_back
from campaigns.services.ledger.locks import lock_brands
from campaigns.services.scope import Scope
from campaigns.services.totals.book import book_some
from campaigns.services.totals.links import assign_waiting, brands_of_spend
from campaigns.services.totals.unassigned import UnassignedSpend


class AssignmentRefused(Exception):
    """The spend can't be assigned like this; the message says why."""


@dataclass(frozen=True)
class Assignment:
    """Which spend goes to which campaign: one that is there, or a new one of the brand, by its name."""

    brand: Brand
    campaigns: Mapping[UnassignedSpend, Campaign]
    new: Mapping[UnassignedSpend, str]

    @property
    def spend(self) -> Sequence[UnassignedSpend]:
        return (*self.campaigns, *self.new)


def of_campaign(spend: Iterable[UnassignedSpend], campaign: Campaign) -> Assignment:
    """Assign all of the spend to one campaign."""
    return Assignment(campaign.brand, dict.fromkeys(spend, campaign), {})


def by_name(spend: Sequence[UnassignedSpend], brand: Brand, *, create: bool) -> Assignment:
    """Assign spend to the brand's campaigns of the same names, and with create to new ones where there are none.

    Raises AssignmentRefused where nothing could be assigned.
    """
    there = {name_key(each.name): each for each in Campaign.objects.filter(brand=brand).select_related("brand")}
    campaigns: dict[UnassignedSpend, Campaign] = {}
    new: dict[UnassignedSpend, str] = {}
    for each in spend:
        name = normal_name(each.name or each.campaign)
        found = there.get(name_key(name))
        if found is not None:
            campaigns[each] = found
        elif create:
            new[each] = name
    if not campaigns and not new:
        raise AssignmentRefused(
            f"“{brand}” has no campaigns with these names. Choose another brand, assign them to one campaign, or add"
            " new campaigns."
        )
    return Assignment(brand, campaigns, new)


def preview_assignment(assignment: Assignment, *, clock: Clock) -> tuple[Effects, set[int]]:
    """Return what booking the assigned spend would do to statuses, and the ids of the campaigns that would be new."""
    with rolled_back():
        added = _assign(assignment, clock)
        ids = [pk for each in assignment.spend for pk in _totals(each)]
        book_some(ids, clock=clock)
        return effects(Scope.of_brands([assignment.brand.pk]), [assignment.brand.pk], clock=clock), added


def assign_spend(assignment: Assignment, *, actor: str, clock: Clock) -> Enforcement:
    """Save the links, with the campaigns that are new. The spend is booked by the next quick check."""
    with transaction.atomic():
        _assign(assignment, clock)
        return finish_change(Scope.of_brands([assignment.brand.pk]), clock=clock, actor=actor)


def ensure_links(spend: Iterable[UnassignedSpend]) -> dict[UnassignedSpend, int]:
    """Return the links of the spend, with accounts and links that are missing: SQL may insert a total alone."""
    links = {}
    for each in spend:
        link = each.link_id
        if link is None:
            account, _ = PlatformAccount.objects.get_or_create(source=each.source, external_id=each.account)
            link = CampaignLink.objects.get_or_create(account=account, external_id=each.campaign)[0].pk
        links[each] = link
    return links


def _assign(assignment: Assignment, clock: Clock) -> set[int]:
    """Save the campaigns and links, and return the ids of the new campaigns."""
    keys = [(each.source, each.account, each.campaign) for each in assignment.spend]
    lock_brands({assignment.brand.pk, *brands_of_spend(keys)})  # all at once, in order
    begin_change([assignment.brand.pk], clock=clock)
    added = {each: _campaign_of(assignment.brand, name) for each, name in assignment.new.items()}
    links = ensure_links(assignment.spend)
    campaigns = {each: campaign.pk for each, campaign in assignment.campaigns.items()}
    campaigns |= {each: campaign.pk for each, campaign in added.items()}
    assign_waiting({links[each]: pk for each, pk in campaigns.items()})
    return {campaign.pk for campaign in added.values()}


def _campaign_of(brand: Brand, name: str) -> Campaign:
    """Return the brand's campaign of this name, added if there is none: two of the spend may bear one name."""
    values: dict[str, Any] = {"brand": brand, "name": name}
    campaign = Campaign.objects.filter(**values).first()
    return campaign or Campaign.objects.create(**values)


def _totals(spend: UnassignedSpend) -> Iterable[int]:
    totals = SpendTotal.objects.filter(source=spend.source, account=spend.account, campaign=spend.campaign)
    return totals.order_by("pk").values_list("pk", flat=True)
