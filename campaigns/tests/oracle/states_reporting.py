"""Machines of reported totals: one that reports to a few campaigns, and totals among all that happens to brands."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.test import TestCase
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from campaigns.models import Campaign, SpendRecord
from campaigns.services.ledger.close_periods import close_periods
from campaigns.services.ledger.fold import fold
from campaigns.services.totals.links import assign
from campaigns.tests.oracle.oracle import CampaignFacts, Record
from campaigns.tests.oracle.states_jobs import Working
from campaigns.tests.oracle.states_spend import events_of
from campaigns.tests.oracle.states_totals import CAMPAIGNS, ZONES, Reports
from campaigns.tests.support.factories import make_brand, make_campaign, utc
from campaigns.tests.support.ledger import change_brand
from campaigns.tests.totals.reports import NOON, full_booking, quick_booking


class Reporting(Reports):
    """Reports beside bookings, and hardly anything else; all in a transaction that is taken back."""

    def __init__(self) -> None:
        super().__init__()
        self.same = TestCase()
        self.block = transaction.atomic()
        self.block.__enter__()
        self.instant = utc(NOON)
        # The third has another brand.
        first, other = (make_brand(created_at=self.instant - timedelta(days=5)) for _ in range(2))
        self.campaigns = [make_campaign(brand).pk for brand in (first, first, other)]
        self.make_account()

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.block.__exit__(None, None, None)

    def now(self) -> datetime:
        return self.instant

    def owners(self) -> Sequence[int]:
        return self.campaigns

    @rule(data=st.data(), zone=st.sampled_from(ZONES))
    def a_brand_has_another_zone(self, data: st.DataObject, zone: str) -> None:
        """Its days are recomputed; reported totals are the account's days, so nothing of them changes (R15)."""
        brand = Campaign.objects.select_related("brand").get(pk=self.owner(data)).brand
        change_brand(brand, self.now(), timezone=zone)

    @rule()
    def periods_are_closed(self) -> None:
        """What is restated later is a late adjustment, and still is booked (R9, R16)."""
        fold()
        close_periods(now=self.now())

    @rule(hours=st.sampled_from([1, 11, 13, 24]))
    def time_passes(self, hours: int) -> None:
        self.instant += timedelta(hours=hours)

    @rule(times=st.integers(1, 2))
    def quick_check(self, times: int) -> None:
        for _ in range(times):
            quick_booking(self.now().isoformat())
            self.known.quick_check()

    @rule(times=st.integers(1, 2))
    def full_check(self, times: int) -> None:
        for _ in range(times):
            self.same.assertFalse(full_booking(self.now().isoformat()).booking_error)
            self.known.full_check()

    @rule()
    def the_ledger_is_folded(self) -> None:
        fold()


class Reported(Reports, Working):
    """Totals in a world: what is booked of them is spend like any other, and counts in decisions and statements."""

    def after_beginning(self) -> None:
        """Two of the platform's campaigns are linked already, so that most reports are booked."""
        super().after_beginning()
        self.make_account()
        for external_id, (_, campaign) in zip(CAMPAIGNS, (self.world.pairs[0], self.world.pairs[-1]), strict=False):
            assign({self.links[external_id]: campaign.pk})
            self.known.link(external_id, campaign.pk, None)

    def now(self) -> datetime:
        return self.world.now

    def owners(self) -> Sequence[int]:
        return [campaign.pk for _, campaign in self.world.pairs]

    @invariant()
    def all_is_as_reckoned(self) -> None:
        if hasattr(self, "known"):
            self.take_over_records()
        super().all_is_as_reckoned()

    def totals_are_booked(self, *, fully: bool) -> None:
        """A full check recomputes brands whose zone was changed by SQL before it books."""
        for books in self.world.books.values():
            if fully and books.has_moved:
                books.close(self.world.now)
                books.rebook(self.world.now)
        if fully:
            self.known.full_check()
        else:
            self.known.quick_check()
        self.take_over_records()

    def take_over_records(self) -> None:
        for _, campaign in self.world.pairs:
            booked = [Record(each.amount, each.at) for each in self.known.records_of(campaign.pk)]
            campaign.records = [*events_of(campaign), *booked]

    @property
    def can_go(self) -> list[CampaignFacts]:
        return [campaign for brand, campaign in self.world.pairs if len(brand.campaigns) > 1]

    @precondition(lambda self: self.can_go)
    @rule(data=st.data())
    def delete_a_campaign(self, data: st.DataObject) -> None:
        """By SQL, with its records; what was booked of totals is unassigned then."""
        campaign = data.draw(st.sampled_from(self.can_go))
        brand = self.world.brand_of(campaign)
        with transaction.atomic():
            SpendRecord.objects.filter(campaign=campaign.pk).delete()
            Campaign.objects.filter(pk=campaign.pk).delete()
        self.world.forget_campaign(brand, campaign)
        self.known.delete(campaign.pk)
