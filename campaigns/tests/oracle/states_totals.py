"""Rules of reported totals, for any state machine: reports, links and people's decisions in any order (R16, R17)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from django.db import transaction
from django.test import TestCase
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from campaigns.models import PlatformAccount, SpendRecord, SpendTotal, Waiting
from campaigns.services.ledger.verify import verify
from campaigns.services.totals.holds import reject, release
from campaigns.services.totals.links import assign, assign_waiting, ignore, ignore_waiting, save_account, unassign
from campaigns.services.totals.verify import unbalanced_totals
from campaigns.tests.oracle.oracle_totals import Account, Wait
from campaigns.tests.oracle.worlds import DAY
from campaigns.tests.totals.reports import ACCOUNT, SOURCE, full_booking, make_account, make_link, report, unbalanced

CAMPAIGNS = ["1", "2", "3"]
ZONES = ["UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago"]
WAITS = {
    Waiting.NO: Wait.NO,
    Waiting.UNLINKED: Wait.UNASSIGNED,
    Waiting.IGNORED: Wait.UNASSIGNED,
    Waiting.CURRENCY: Wait.UNASSIGNED,
    Waiting.HELD: Wait.HELD,
    Waiting.DECREASE: Wait.JUDGE,
}
campaigns = st.sampled_from(CAMPAIGNS)
# Around what a decrease is held by: 80 percent, and 100 in the account's currency.
amounts = st.one_of(
    st.sampled_from(["0", "0.000001", "99.999999", "100", "400", "399.999999", "500", "1000"]).map(Decimal),
    st.decimals(0, 2_000, places=6),
)
# Of days that are known already, how many of the newest ones are reported again.
NEWEST = 4


class BookerDiedError(Exception):
    """A booker has died before its transaction was committed."""


class Reports(RuleBasedStateMachine):
    """An account in the database and the same in plain Python.

    Subclasses say what time it is and which of our campaigns there are, and let checks book.
    """

    same: TestCase
    stored: PlatformAccount
    known: Account
    links: dict[str, int]

    def now(self) -> datetime:
        raise NotImplementedError

    def owners(self) -> Sequence[int]:
        """Return the ids of the campaigns that links may lead to."""
        raise NotImplementedError

    def make_account(self) -> None:
        self.stored = make_account()
        self.known = Account(self.now)
        self.links = {each: make_link(None, each, account=self.stored).pk for each in CAMPAIGNS}

    def owner(self, data: st.DataObject) -> int:
        return data.draw(st.sampled_from(self.owners()))

    def day(self, data: st.DataObject) -> date:
        """Draw today, one of the days before, or one that is known."""
        today = self.now().astimezone(UTC).date()
        known = sorted({day for _, day in self.known.totals})
        return data.draw(st.sampled_from([*(today - back * DAY for back in range(3)), *known[-NEWEST:]]))

    def first_day(self, data: st.DataObject) -> date | None:
        return None if data.draw(st.booleans()) else self.day(data)

    @rule(data=st.data(), campaign=campaigns, total=amounts, hours=st.integers(-3, 3))
    def a_report(self, data: st.DataObject, campaign: str, total: Decimal, hours: int) -> None:
        """Perhaps older than what is known, or the same again."""
        self.restate(campaign, self.day(data), total, self.now() + timedelta(hours=hours))

    @rule(data=st.data(), factor=st.sampled_from(["0", "0.5", "0.79", "0.81"]).map(Decimal))
    def all_of_a_day_decreases(self, data: st.DataObject, factor: Decimal) -> None:
        day = self.day(data)
        for total in list(self.known.totals.values()):
            if total.day == day:
                self.restate(total.campaign, day, round(total.reported * factor, 6), total.as_of)

    def restate(self, campaign: str, day: date, total: Decimal, as_of: datetime) -> None:
        report(total, campaign, day.isoformat(), as_of.isoformat())
        self.known.report(campaign, day, total, as_of)

    @rule(data=st.data(), campaign=campaigns)
    def a_link_is_made_or_moved(self, data: st.DataObject, campaign: str) -> None:
        owner, first_day = self.owner(data), self.first_day(data)
        assign({self.links[campaign]: owner}, first_day=first_day)
        self.known.link(campaign, owner, first_day)

    @rule(data=st.data(), campaign=campaigns, ignored=st.booleans())
    def a_link_is_taken_away(self, data: st.DataObject, campaign: str, ignored: bool) -> None:
        first_day = self.first_day(data)
        if ignored:
            ignore([self.links[campaign]], "not ours", first_day=first_day)
        else:
            unassign([self.links[campaign]], first_day=first_day)
        self.known.link(campaign, None, first_day, ignored=ignored)

    @rule(data=st.data(), campaign=campaigns, ignored=st.booleans())
    def what_waits_is_assigned_or_ignored(self, data: st.DataObject, campaign: str, ignored: bool) -> None:
        owner = None if ignored else self.owner(data)
        if owner is None:
            ignore_waiting([self.links[campaign]], "not ours")
        else:
            assign_waiting({self.links[campaign]: owner})
        self.known.link_waiting(campaign, owner, ignored=ignored)

    @rule(zone=st.none() | st.sampled_from(ZONES), currency=st.sampled_from(["USD", "USD", "EUR"]))
    def the_account_has_another_zone_or_currency(self, zone: str | None, currency: str) -> None:
        self.stored.timezone, self.stored.currency = zone or self.stored.timezone, currency
        save_account(self.stored)
        self.known.save(timezone=self.stored.timezone, is_in_their_currency=currency == "USD")

    @rule()
    def a_booking_is_interrupted(self) -> None:
        """What it wrote is gone, so nothing has changed."""
        with self.same.assertRaises(BookerDiedError), transaction.atomic():
            full_booking(self.now().isoformat())
            raise BookerDiedError

    @rule(data=st.data(), released=st.booleans())
    def a_person_releases_or_rejects(self, data: st.DataObject, released: bool) -> None:
        day = self.day(data)
        if released:
            release(SOURCE, ACCOUNT, day, clock=self.now)
            self.known.release(day)
        else:
            reject(SOURCE, ACCOUNT, day)
            self.known.reject(day)

    @invariant()
    def totals_are_as_reckoned(self) -> None:
        """Totals are the oracle's, and the ledger holds of them what the oracle has booked."""
        if not hasattr(self, "known"):
            return
        found = {
            (row.campaign, row.day): (
                *(row.total, row.booked, row.revision, row.booked_campaign_id),
                WAITS[Waiting(row.waiting)],
            )
            for row in SpendTotal.objects.all()
        }
        expected = {
            key: (each.reported, each.booked, each.revision, each.owner, each.wait)
            for key, each in self.known.totals.items()
        }
        self.same.assertEqual(found, expected)
        spent: dict[int, Decimal] = defaultdict(Decimal)
        records = SpendRecord.objects.filter(total__isnull=False)
        for campaign, amount in records.values_list("campaign_id", "amount"):
            spent[campaign] += round(amount, 6)
        self.same.assertEqual(dict(spent), self.known.spent())
        self.same.assertEqual((unbalanced(), unbalanced_totals(), verify()), ([], [], []))
