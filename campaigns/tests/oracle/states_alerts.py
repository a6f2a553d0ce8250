"""Alerts among everything else: looks after checks, checks that die, messages that are sent or rolled back (R19)."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from django.contrib.auth.models import User
from django.db import transaction
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from campaigns.models import (
    Alert,
    AlertEmail,
    AlertMessage,
    AlertPreference,
    AlertRule,
    Brand,
    BrandAssignment,
    Campaign,
    SpendRecord,
    StatusChange,
)
from campaigns.services.alerts.handling import acknowledge
from campaigns.services.alerts.outgoing import send_alerts
from campaigns.services.enforcement.saving import begin_change, finish_change
from campaigns.services.jobs.full_check import full_check, run_full_check
from campaigns.services.jobs.quick_check import run_quick_check
from campaigns.services.scope import Scope
from campaigns.tests.oracle.oracle import BrandFacts, Record, spends
from campaigns.tests.oracle.oracle_alerts import CAMPAIGN, DAY, MONTH, Alerts, Identity, RuleFacts
from campaigns.tests.oracle.states_jobs import BY_HAND, Working
from campaigns.tests.oracle.worlds import HOUR, limits_near
from campaigns.tests.support.stored import spend_row

# What follows in the same step.
AFTERWARDS = st.sampled_from(["nothing", "a quick check", "a quick check", "a full check", "messages"])
IDENTITY = ("rule_id", "subject", "period", "threshold", "budget")
LINE = ("campaign_id", "at", "reasons_before", "reasons_after")
KINDS = (MONTH, DAY, CAMPAIGN)
# Beside the default ones: 80 and 100 % of a month at once, 100 % of a day and campaigns' limits in the digest.
MORE_RULES = ((MONTH, 50), (DAY, 50), (CAMPAIGN, 100))


class Alerting(Working):
    def __init__(self) -> None:
        super().__init__()
        AlertPreference.objects.all().delete()
        # The oracle knows the rules of spend, and none of accounts, sources and jobs.
        others = AlertRule.objects.exclude(kind__in=KINDS).filter(enabled=True)
        self.other_rules = list(others.values_list("pk", flat=True))
        others.update(enabled=False)
        self.more_rules = [AlertRule.objects.create(kind=kind, threshold=percent) for kind, percent in MORE_RULES]
        self.alerts = Alerts([])
        # The e-mail that has told a person of an identity.
        self.told_by: dict[tuple[Identity, int], int] = {}
        # What was acknowledged before it was sent to a person.
        self.acknowledged_first: set[tuple[Identity, int]] = set()
        # What each brand's campaigns had spent at the last check.
        self.records: dict[int, list[Record]] = {}

    def teardown(self) -> None:
        AlertRule.objects.filter(pk__in=[each.pk for each in self.more_rules]).delete()
        AlertRule.objects.filter(pk__in=self.other_rules).update(enabled=True)
        super().teardown()

    def after_beginning(self) -> None:
        """The first brand is given to somebody, the second belongs to somebody who wants digests; of the others
        superusers are told. One of the rules is for the first brand only.
        """
        super().after_beginning()
        first, *others = self.world.brands
        self.more_rules[0].brands.add(first.pk)
        anna, dora = (User.objects.get(username=name) for name in ("anna", "dora"))
        BrandAssignment.objects.create(user=anna, brand_id=first.pk)
        for brand in others[:1]:
            Brand.objects.filter(pk=brand.pk).update(owner=dora)
        AlertPreference.objects.create(user=dora, frequency=AlertPreference.Frequency.DAILY)
        for row in AlertRule.objects.filter(kind__in=KINDS):
            brands = frozenset([first.pk] if row == self.more_rules[0] else [])
            self.alerts.rules.append(RuleFacts(row.pk, row.kind, row.threshold, brands))

    def checked(self, actor: str) -> None:
        """What an operator starts by hand leaves alerts to the next check."""
        super().checked(actor)
        self.note_records()
        if actor != BY_HAND:
            self.expect({brand.pk: self.alerts.after_look(brand, self.world.now) for brand in self.world.brands})

    def checked_quickly(self) -> None:
        """It has looked at all of a brand, or at nothing of it; at each whose spend has changed."""
        found = self.found()
        expected = {}
        for brand in self.world.brands:
            before, after = self.alerts.of(brand, self.alerts.fired), self.alerts.after_look(brand, self.world.now)
            expected[brand.pk] = after if self.has_spent(brand) or self.alerts.of(brand, found) != before else before
        self.expect(expected)
        self.note_records()

    def has_spent(self, brand: BrandFacts) -> bool:
        """Return whether spend of now's day or month has changed since the last check."""
        campaigns = [replace(each, records=self.records.get(each.pk, [])) for each in brand.campaigns]
        before = replace(brand, campaigns=campaigns)
        return any(
            spends(before, old, self.world.now) != spends(brand, new, self.world.now)
            for old, new in zip(campaigns, brand.campaigns, strict=True)
        )

    def note_records(self) -> None:
        self.records = {each.pk: [replace(record) for record in each.records] for _, each in self.world.pairs}

    def expect(self, expected: dict[int, dict[Identity, bool]]) -> None:
        self.alerts.note({one: is_open for of_brand in expected.values() for one, is_open in of_brand.items()})
        self.same.assertEqual(self.found(), self.alerts.fired)

    def found(self) -> dict[Identity, bool]:
        rows = Alert.objects.values_list(*IDENTITY, "resolved_at")
        return {Identity(*identity): resolved_at is None for *identity, resolved_at in rows}

    @rule()
    def a_check_dies_before_its_alerts(self) -> None:
        """Its decisions are committed, and nothing is due any more: the next full check looks at all."""
        full_check("a test", clock=lambda: self.world.now)
        self.totals_are_booked(fully=True)
        self.world.check("a test")
        self.note_records()

    @rule(quickly=st.booleans())
    def a_check_is_rolled_back(self, quickly: bool) -> None:
        with rolled_back():
            (run_quick_check if quickly else self.run_full_check)(clock=lambda: self.world.now)

    @rule(quickly=st.booleans())
    def no_pause_comes_later(self, quickly: bool) -> None:
        """The same world without alert rules has the same history, by a clock that goes on whenever it is read."""
        lines = []
        for with_rules in (False, True):
            with rolled_back():
                if not with_rules:
                    AlertRule.objects.update(enabled=False)
                (run_quick_check if quickly else self.run_full_check)(clock=ticking(self.world.now))
                rows = StatusChange.objects.filter(pk__gt=self.world.seen).order_by("campaign_id", "pk")
                lines.append(list(rows.values_list(*LINE)))
        self.same.assertEqual(*lines)

    def run_full_check(self, clock: Callable[[], datetime]) -> None:
        run_full_check("a test", clock=clock)

    @rule(dies=st.booleans())
    def messages_are_sent(self, dies: bool) -> None:
        if dies:
            with rolled_back():
                send_alerts(clock=lambda: self.world.now)
        send_alerts(clock=lambda: self.world.now)
        self.assert_each_is_told_once()
        self.assert_all_are_told()

    def assert_each_is_told_once(self) -> None:
        """At most one message an identity and person, also among digests; an e-mail names nothing else."""
        emails = {each.pk: each for each in AlertEmail.objects.all()}
        rows = AlertMessage.objects.filter(email__isnull=False).select_related("alert")
        covered: dict[int, set[str]] = {pk: set() for pk in emails}
        for row in rows:
            assert row.email_id is not None
            identity = Identity(*(getattr(row.alert, name) for name in IDENTITY))
            self.same.assertEqual(self.told_by.setdefault((identity, row.person_id), row.email_id), row.email_id)
            covered[row.email_id].add(f"{row.alert.headline}.")
        for pk, email in emails.items():
            lines = email.text.splitlines()
            named = {
                line for line, below in itertools.pairwise(lines) if " has spent " in line or " daily limit" in line
            }
            self.same.assertLessEqual(named, covered[pk])
            # A digest may be about status changes alone.
            self.same.assertTrue(named or (email.digest_day and "Status changes of campaigns" in email.text))

    def assert_all_are_told(self) -> None:
        anna, dora, amara = (User.objects.get(username=name).pk for name in ("anna", "dora", "amara"))
        at_once = set(AlertRule.objects.filter(delivery=AlertRule.Delivery.AT_ONCE).values_list("pk", flat=True))
        people = dict(zip((brand.pk for brand in self.world.brands), (anna, dora, amara), strict=False))
        for brand in self.world.brands:
            person = people[brand.pk]
            for one in self.alerts.of(brand, dict.fromkeys(self.alerts.to_be_told(), True)):
                if one.rule in at_once and person != dora:
                    is_told = (one, person) not in self.acknowledged_first
                    self.same.assertEqual((one, person) in self.told_by, is_told)

    @precondition(lambda self: any(self.alerts.fired.values()))
    @rule()
    def somebody_acknowledges(self) -> None:
        """It changes nothing of what fires and resolves; who hasn't been sent it isn't any more."""
        person = User.objects.get(username="amara")
        acknowledge(Alert.objects.values_list("pk", flat=True), "on it", person=person, now=self.world.now)
        people = User.objects.values_list("pk", flat=True)
        opened = [one for one, is_open in self.alerts.fired.items() if is_open]
        self.acknowledged_first |= {(one, pk) for one in opened for pk in people if (one, pk) not in self.told_by}
        self.same.assertEqual(self.found(), self.alerts.fired)


@contextmanager
def rolled_back() -> Iterator[None]:
    """A transaction that its process doesn't live to commit."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def ticking(now: datetime) -> Callable[[], datetime]:
    """Return a clock that is a millisecond later each time it is read."""
    reads = itertools.count()
    return lambda: now + next(reads) * timedelta(milliseconds=1)


class Budgeting(Alerting):
    """A world whose spend is near its budgets all the time, so that alerts fire and resolve at most steps."""

    def after_beginning(self) -> None:
        super().after_beginning()
        for brand in self.world.brands:
            Brand.objects.filter(pk=brand.pk).update(daily_budget=20, monthly_budget=100)
            Campaign.objects.filter(brand=brand.pk).update(daily_spend_limit=10)
            brand.daily_budget, brand.monthly_budget = Decimal(20), Decimal(100)
            for campaign in brand.campaigns:
                campaign.daily_spend_limit = Decimal(10)
            self.world.waiting.add(brand.pk)

    @rule(data=st.data(), then=AFTERWARDS)
    def money_is_spent(self, data: st.DataObject, then: str) -> None:
        """Perhaps late, for yesterday; or a refund."""
        for amount in data.draw(st.lists(st.sampled_from([10, 1, 9, 20, 50, 80, -5, -10]), min_size=1, max_size=4)):
            campaign = self.campaign(data)
            instant = self.world.now - data.draw(st.sampled_from([0, 0, 1, 24])) * HOUR
            record = Record(Decimal(amount), instant, self.world.new_name())
            spend_row(self.world.brand_of(campaign), campaign, record).save()
            campaign.records.append(record)
        self.go_on(then)

    @precondition(lambda self: self.world.events)
    @rule(data=st.data(), amount=st.sampled_from([None, 1, 8, 10, 40]), then=AFTERWARDS)
    def spend_is_restated(self, data: st.DataObject, amount: int | None, then: str) -> None:
        """Of the newest records, which is most often of this day."""
        newest = sorted(self.world.events, key=lambda each: each[1].timestamp)[-3:]
        campaign, record = data.draw(st.sampled_from(newest))
        rows = SpendRecord.objects.filter(campaign=campaign.pk, external_id=record.external_id)
        if amount is None:
            rows.delete()
            campaign.records.remove(record)
        else:
            rows.update(amount=amount)
            record.amount = Decimal(amount)
        self.go_on(then)

    @rule(data=st.data(), then=AFTERWARDS)
    def budgets_are_changed(self, data: st.DataObject, then: str) -> None:
        """Of a brand and of a campaign, near what is spent: exactly that, a millionth beside it, or the half."""
        campaign = self.campaign(data)
        brand = self.world.brand_of(campaign)
        spent = spends(brand, campaign, self.world.now)
        daily, monthly = data.draw(limits_near(spent.brand_today)), data.draw(limits_near(spent.brand_this_month))
        limit = data.draw(limits_near(spent.campaign_today))

        def change() -> None:
            brand.daily_budget, brand.monthly_budget, campaign.daily_spend_limit = daily, monthly, limit

        with transaction.atomic():
            begin_change([brand.pk], clock=lambda: self.world.now)
            Brand.objects.filter(pk=brand.pk).update(daily_budget=daily, monthly_budget=monthly)
            Campaign.objects.filter(pk=campaign.pk).update(daily_spend_limit=limit)
            finish_change(Scope.of_brands([brand.pk]), clock=lambda: self.world.now, actor="amara")
        self.world.save(brand.campaigns, change, brand)
        self.go_on(then)

    def go_on(self, then: str) -> None:
        self.assert_statements()
        if then != "nothing":
            self.quick_check(1)
        if then == "a full check":
            self.full_check_at_a_given_instant(1)
        if then == "messages":
            self.messages_are_sent(dies=False)
