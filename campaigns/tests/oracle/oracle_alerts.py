"""Alerts reckoned a second time, from the rules alone (R19): which identities hold, which are silenced, and what a look
leaves. Nothing of the product is used here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from campaigns.tests.oracle.oracle import BrandFacts, CampaignFacts, spends

MONTH, DAY, CAMPAIGN = "budget_month", "budget_day", "campaign_limit"


@dataclass(frozen=True)
class RuleFacts:
    """threshold is in percent of the budget; brands are the keys of those that it is for, none for all."""

    pk: int
    kind: str
    threshold: int
    brands: frozenset[int] = frozenset()

    def is_for(self, brand: BrandFacts) -> bool:
        return not self.brands or brand.pk in self.brands


class Identity(NamedTuple):
    rule: int
    subject: str
    period: str
    threshold: int
    budget: Decimal


def holding(brand: BrandFacts, rules: Iterable[RuleFacts], now: datetime) -> dict[Identity, bool]:
    """Return the identities that hold for a brand, each with whether it is silenced.

    The month's budget reached silences the day's and the campaigns'. A budget of 0 pauses, and was meant to.
    """
    found: dict[Identity, bool] = {}
    if not brand.enabled:
        return found
    today = brand.wall(now).date()
    spent = spends(brand, brand.campaigns[0], now)
    is_silenced = _share(spent.brand_this_month, brand.monthly_budget, 100)
    for rule in rules:
        if not rule.is_for(brand):
            continue
        if rule.kind == MONTH and _share(spent.brand_this_month, brand.monthly_budget, rule.threshold):
            found[_identity(rule, f"brand {brand.pk}", f"{today:%Y-%m}", brand.monthly_budget)] = False
        if rule.kind == DAY and _share(spent.brand_today, brand.daily_budget, rule.threshold):
            found[_identity(rule, f"brand {brand.pk}", f"{today:%Y-%m-%d}", brand.daily_budget)] = is_silenced
        for campaign in brand.campaigns if rule.kind == CAMPAIGN else ():
            if _is_at_its_limit(brand, campaign, now):
                subject = f"campaign {campaign.pk}"
                found[_identity(rule, subject, f"{today:%Y-%m-%d}", campaign.daily_spend_limit)] = is_silenced
    return found


def _is_at_its_limit(brand: BrandFacts, campaign: CampaignFacts, now: datetime) -> bool:
    return campaign.enabled and _share(spends(brand, campaign, now).campaign_today, campaign.daily_spend_limit, 100)


def _identity(rule: RuleFacts, subject: str, period: str, budget: Decimal | None) -> Identity:
    assert budget is not None
    return Identity(rule.pk, subject, period, rule.threshold, budget)


def _share(spent: Decimal, budget: Decimal | None, percent: int) -> bool:
    return bool(budget) and budget is not None and spent * 100 >= budget * percent


@dataclass
class Alerts:
    """What has fired: each identity with whether it is open."""

    rules: list[RuleFacts]
    fired: dict[Identity, bool] = field(default_factory=dict)
    # Identities that have resolved at some time: what wasn't sent until then is never sent.
    resolved: set[Identity] = field(default_factory=set)

    def of(self, brand: BrandFacts, fired: Mapping[Identity, bool]) -> dict[Identity, bool]:
        """Return those of the identities that are about the brand or its campaigns."""
        subjects = {f"brand {brand.pk}", *(f"campaign {campaign.pk}" for campaign in brand.campaigns)}
        return {one: is_open for one, is_open in fired.items() if one.subject in subjects}

    def after_look(self, brand: BrandFacts, now: datetime) -> dict[Identity, bool]:
        """Return the brand's identities as a look at it leaves them.

        What holds is open, unless it is silenced: then it stays as it is. What no longer holds is resolved.
        """
        before = self.of(brand, self.fired)
        opened = {
            one: before.get(one, False) or not is_silenced
            for one, is_silenced in holding(brand, self.rules, now).items()
        }
        return dict.fromkeys(before, False) | {one: True for one, is_open in opened.items() if is_open}

    def note(self, fired: Mapping[Identity, bool]) -> None:
        self.resolved |= {one for one, is_open in self.fired.items() if is_open and not fired.get(one)}
        self.fired = dict(fired)

    def to_be_told(self) -> list[Identity]:
        """Return what is open, and always was since it fired: it is told as soon as messages are sent."""
        return [one for one, is_open in self.fired.items() if is_open and one not in self.resolved]
