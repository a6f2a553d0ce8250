"""The state machine of reported totals: reports, links, checks and people's decisions in any order (R16, R17)."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.db import transaction
from django.test import TestCase
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from campaigns.models import Campaign, SpendRecord, SpendTotal, Waiting
from campaigns.services.ledger.close_periods import close_periods
from campaigns.services.ledger.fold import fold
from campaigns.services.ledger.verify import verify
from campaigns.services.totals.holds import reject, release
from campaigns.services.totals.links import assign, assign_waiting, ignore, ignore_waiting, save_account, unassign
from campaigns.services.totals.verify import unbalanced_totals
from campaigns.tests.oracle.oracle_totals import Account, Wait
from campaigns.tests.support.factories import make_brand, make_campaign, utc
from campaigns.tests.support.ledger import change_brand
from campaigns.tests.totals.reports import (
    ACCOUNT,
    DAY,
    NOON,
    SOURCE,
    full_booking,
    make_account,
    make_link,
    quick_booking,
    report,
    unbalanced,
)

CAMPAIGNS = ["1", "2", "3"]
DAYS = [date.fromisoformat(DAY) - timedelta(days=back) for back in range(3)]
ZONES = ["UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago"]
WAITS = {
    Waiting.NO: Wait.NO,
    Waiting.UNLINKED: Wait.UNASSIGNED,
    Waiting.IGNORED: Wait.UNASSIGNED,
    Waiting.CURRENCY: Wait.UNASSIGNED,
    Waiting.HELD: Wait.HELD,
    Waiting.DECREASE: Wait.JUDGE,
}
campaigns, days = st.sampled_from(CAMPAIGNS), st.sampled_from(DAYS)
# Around what a decrease is held by: 80 percent, and 100 in the account's currency.
amounts = st.one_of(
    st.sampled_from(["0", "0.000001", "99.999999", "100", "400", "399.999999", "500", "1000"]).map(Decimal),
    st.decimals(0, 2_000, places=6),
)
instants = st.integers(-3, 3).map(lambda hours: utc(NOON) + timedelta(hours=hours))


class BookerDiedError(Exception):
    """A booker has died before its transaction was committed."""


class Reporting(RuleBasedStateMachine):
    """An account in the database and the same in plain Python; all in a transaction that is taken back."""

    def __init__(self) -> None:
        super().__init__()
        self.same = TestCase()
        self.block = transaction.atomic()
        self.block.__enter__()
        self.stored = make_account()
        self.known = Account(utc(NOON))
        # The third has another brand.
        first, other = (make_brand(created_at=utc(NOON) - timedelta(days=5)) for _ in range(2))
        self.owners = [make_campaign(brand).pk for brand in (first, first, other)]
        self.links = {each: make_link(None, each, account=self.stored).pk for each in CAMPAIGNS}

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.block.__exit__(None, None, None)

    @rule(campaign=campaigns, day=days, total=amounts, as_of=instants)
    def a_report(self, campaign: str, day: date, total: Decimal, as_of: datetime) -> None:
        """Perhaps older than what is known, or the same again."""
        report(total, campaign, day.isoformat(), as_of.replace(tzinfo=None).isoformat(" "))
        self.known.report(campaign, day, total, as_of)

    @rule(day=days, factor=st.sampled_from(["0", "0.5", "0.79", "0.81"]).map(Decimal))
    def all_of_a_day_decreases(self, day: date, factor: Decimal) -> None:
        for total in list(self.known.totals.values()):
            if total.day == day:
                self.a_report(total.campaign, day, round(total.reported * factor, 6), total.as_of)

    @rule(campaign=campaigns, owner=st.integers(0, 2), first_day=st.one_of(st.none(), days))
    def a_link_is_made_or_moved(self, campaign: str, owner: int, first_day: date | None) -> None:
        assign({self.links[campaign]: self.owners[owner]}, first_day=first_day)
        self.known.link(campaign, self.owners[owner], first_day)

    @rule(campaign=campaigns, first_day=st.one_of(st.none(), days))
    def a_link_is_taken_away(self, campaign: str, first_day: date | None) -> None:
        unassign([self.links[campaign]], first_day=first_day)
        self.known.link(campaign, None, first_day)

    @rule(campaign=campaigns, first_day=st.one_of(st.none(), days))
    def a_campaign_is_ignored(self, campaign: str, first_day: date | None) -> None:
        ignore([self.links[campaign]], "not ours", first_day=first_day)
        self.known.link(campaign, None, first_day, ignored=True)

    @rule(campaign=campaigns, owner=st.integers(0, 2))
    def what_waits_is_assigned(self, campaign: str, owner: int) -> None:
        assign_waiting({self.links[campaign]: self.owners[owner]})
        self.known.link_waiting(campaign, self.owners[owner])

    @rule(campaign=campaigns)
    def what_waits_is_ignored(self, campaign: str) -> None:
        ignore_waiting([self.links[campaign]], "not ours")
        self.known.link_waiting(campaign, None, ignored=True)

    @rule(zone=st.sampled_from(ZONES))
    def the_account_has_another_zone(self, zone: str) -> None:
        self.stored.timezone = zone
        save_account(self.stored)
        self.known.save(timezone=zone)

    @rule(currency=st.sampled_from(["USD", "USD", "EUR"]))
    def the_account_has_another_currency(self, currency: str) -> None:
        self.stored.currency = currency
        save_account(self.stored)
        self.known.save(is_in_their_currency=currency == "USD")

    @rule(owner=st.integers(0, 2), zone=st.sampled_from(ZONES))
    def a_brand_has_another_zone(self, owner: int, zone: str) -> None:
        """Its days are recomputed; reported totals are the account's days, so nothing of them changes (R15)."""
        brand = Campaign.objects.select_related("brand").get(pk=self.owners[owner]).brand
        change_brand(brand, self.known.now, timezone=zone)

    @rule()
    def periods_are_closed(self) -> None:
        """What is restated later is a late adjustment, and still is booked (R9, R16)."""
        fold()
        close_periods(now=self.known.now)

    @rule(hours=st.sampled_from([1, 11, 13, 24]))
    def time_passes(self, hours: int) -> None:
        self.known.now += timedelta(hours=hours)

    @rule(times=st.integers(1, 2))
    def quick_check(self, times: int) -> None:
        for _ in range(times):
            quick_booking(self.known.now.isoformat())
            self.known.quick_check()

    @rule(times=st.integers(1, 2))
    def full_check(self, times: int) -> None:
        for _ in range(times):
            self.same.assertFalse(full_booking(self.known.now.isoformat()).booking_error)
            self.known.full_check()

    @rule()
    def a_booking_is_interrupted(self) -> None:
        """What it wrote is gone, so nothing has changed."""
        with self.same.assertRaises(BookerDiedError), transaction.atomic():
            full_booking(self.known.now.isoformat())
            raise BookerDiedError

    @rule(day=days)
    def a_person_releases(self, day: date) -> None:
        release(SOURCE, ACCOUNT, day, clock=lambda: self.known.now)
        self.known.release(day)

    @rule(day=days)
    def a_person_rejects(self, day: date) -> None:
        reject(SOURCE, ACCOUNT, day)
        self.known.reject(day)

    @rule()
    def the_ledger_is_folded(self) -> None:
        fold()

    @invariant()
    def all_is_as_reckoned(self) -> None:
        found = {
            (row.campaign, row.day): (
                *(row.total, row.booked, row.revision, row.booked_campaign_id),
                WAITS[Waiting(row.waiting)],
            )
            for row in SpendTotal.objects.all()
        }
        expected = {
            key: (each.reported, each.booked, len(each.records), each.owner, each.wait)
            for key, each in self.known.totals.items()
        }
        self.same.assertEqual(found, expected)
        spent: dict[int, Decimal] = defaultdict(Decimal)
        for campaign, amount in SpendRecord.objects.values_list("campaign_id", "amount"):
            spent[campaign] += round(amount, 6)
        self.same.assertEqual(dict(spent), self.known.spent())
        self.same.assertEqual((unbalanced(), unbalanced_totals(), verify()), ([], [], []))
