"""Quick checks at an instant of the test's choice, and worlds in which nothing else puts anything right."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction
from hypothesis import strategies as st

from campaigns.models import Brand, Campaign, SpendRecord
from campaigns.rules.periods import NEVER
from campaigns.services.enforcement.saving import begin_change, finish_change
from campaigns.services.jobs.quick_check import QuickCheck, is_anything_due, quick_check
from campaigns.services.ledger.fold import fold
from campaigns.services.scope import Scope
from campaigns.tests.oracle.oracle import BrandFacts, CampaignFacts, Record
from campaigns.tests.oracle.worlds import (
    AMOUNTS,
    DAY,
    HOUR,
    MICROSECOND,
    MINUTE,
    ZONES,
    World,
    decisions,
    midnight,
    records_near,
)
from campaigns.tests.support.checking import check_at
from campaigns.tests.support.deciding import DecisionTestCase, Pairs, store, write_decisions
from campaigns.tests.support.factories import utc
from campaigns.tests.support.outside import EPOCH
from campaigns.tests.support.stored import spend_row

LONG = [*(0 * DAY, MICROSECOND, MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR), *(7 * HOUR, DAY, 2 * DAY, 33 * DAY)]
_names = itertools.count(1)


def pass_at(at: str | datetime) -> QuickCheck:
    """Do what the job does: ask what is due, and only then look."""
    instant = utc(at) if isinstance(at, str) else at
    return quick_check("quick_check", clock=lambda: instant) if is_anything_due(now=instant) else QuickCheck()


def next_change(campaign: Campaign) -> datetime | None:
    """Return the instant that the campaign stores; None where it never comes."""
    minute = Campaign.objects.values_list("next_change_minute", flat=True).get(pk=campaign.pk)
    return None if minute == NEVER else EPOCH + minute * timedelta(minutes=1)


def change(brand_id: int, at: str | datetime, write: Callable[[], object]) -> None:
    """Let a person change something of a brand, as the admin does."""
    instant = utc(at) if isinstance(at, str) else at
    with transaction.atomic():
        begin_change([brand_id], clock=lambda: instant)
        write()
        finish_change(Scope.of_brands([brand_id]), clock=lambda: instant, actor="amara")


class PassingTestCase(DecisionTestCase):
    """After one full check there are only spend, people, time and quick checks."""

    def pass_at_every_step(self, world: World, data: st.DataObject) -> None:
        pairs = store(world)
        now = min(world.instants)
        self.spend_anew(pairs)
        check_at(now)
        self.assert_as_the_oracle_says(pairs, now)
        for folded in [*world.folded, True]:
            self.let_something_happen(world, pairs, now, data)
            if folded:
                fold()
            now = data.draw(later(world, now), label="now")
            pass_at(now)
            self.assert_as_the_oracle_says(pairs, now)
            self.assertEqual(pass_at(now).changed, 0)
            self.assert_nothing_left_to_do(now)

    def let_something_happen(self, world: World, pairs: Pairs, now: datetime, data: st.DataObject) -> None:
        if data.draw(st.booleans(), label="people"):
            self.let_people_decide(world, pairs, now, data)
        for brand, campaign in pairs:
            campaign.records += data.draw(st.lists(records_near(brand, now), max_size=2))
        self.spend_anew(pairs)
        brand, campaign = data.draw(st.sampled_from(pairs))
        is_corrected = data.draw(st.booleans(), label="corrected")
        if campaign.records and is_corrected:
            correct(brand, campaign, data)

    def let_people_decide(self, world: World, pairs: Pairs, now: datetime, data: st.DataObject) -> None:
        data.draw(decisions(world, now))
        for brand in world.brands:
            brand.timezone = data.draw(st.sampled_from([brand.timezone] * 4 + [*ZONES]))
            today = brand.wall(now).date()
            campaign = data.draw(st.sampled_from(brand.campaigns))
            campaign.starts_on, campaign.ends_on = data.draw(dates_near(today))
            change(brand.pk, now, lambda brand=brand: self.write(brand))  # type: ignore[misc]

    def write(self, brand: BrandFacts) -> None:
        write_decisions([(brand, campaign) for campaign in brand.campaigns])
        Brand.objects.filter(pk=brand.pk).update(timezone=brand.timezone)
        for campaign in brand.campaigns:
            dates = {"starts_on": campaign.starts_on, "ends_on": campaign.ends_on}
            Campaign.objects.filter(pk=campaign.pk).update(**dates)

    def spend_anew(self, pairs: Pairs) -> None:
        """Insert the records that aren't there yet."""
        for brand, campaign in pairs:
            for record in campaign.records:
                if record.external_id is None:
                    record.external_id = f"n{next(_names)}"
                    spend_row(brand, campaign, record).save()


def correct(brand: BrandFacts, campaign: CampaignFacts, data: st.DataObject) -> None:
    """Change a row by hand, or delete it (R10)."""
    record: Record = data.draw(st.sampled_from(campaign.records))
    rows = SpendRecord.objects.filter(campaign=campaign.pk, external_id=record.external_id)
    if data.draw(st.booleans(), label="deleted"):
        campaign.records.remove(record)
        rows.delete()
    else:
        record.amount = data.draw(st.sampled_from(AMOUNTS))
        rows.update(amount=record.amount)


def dates_near(today: date) -> st.SearchStrategy[tuple[date | None, date | None]]:
    """Give a start and an end, or neither, a few days from today or far away."""
    days: list[Any] = [None, *(today + days * DAY for days in (-2, -1, 0, 1, 2, 3, 40, 400))]
    pairs = [(start, end) for start in days for end in days if start is None or end is None or start <= end]
    return st.sampled_from(pairs)


def later(world: World, now: datetime) -> st.SearchStrategy[datetime]:
    """Give an instant from now on, often a midnight of a brand, a turn of the quarter-hour, or a moment beside it."""
    midnights = [midnight(brand.timezone, brand.wall(now).date() + DAY) for brand in world.brands]
    beside = [instant + step for instant in midnights for step in (-MICROSECOND, 0 * DAY, HOUR)]
    return st.sampled_from([*(now + step for step in LONG), *(instant for instant in beside if instant >= now)])
