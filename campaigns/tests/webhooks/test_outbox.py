"""Writing to the outbox: with the change or not at all, to whom it concerns, and merged where receivers look again."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from campaigns.models import BrandPeriod, Delivery, EndpointBrand, OutboxMessage
from campaigns.models.outgoing.webhooks import Event
from campaigns.services.feed.publish import last_position, publish
from campaigns.services.jobs.full_check import run_full_check
from campaigns.services.ledger.close_periods import close_periods
from campaigns.services.ledger.fold import fold
from campaigns.services.webhooks.client import Answer
from campaigns.services.webhooks.deliveries import claim, note
from campaigns.services.webhooks.outbox import MAX_BRANDS, MERGE_FOR, periods_closed, status_changed, write
from campaigns.tests.support.committed import CommittedTestCase
from campaigns.tests.support.factories import make_brand, make_campaign, spend, utc
from campaigns.tests.webhooks.receiving import make_endpoint

URL = "https://example.com/"


class OutboxTestCase(CommittedTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.now = timezone.now()

    def data(self, **filters: Any) -> list[Any]:
        """Return the data of the messages, oldest first."""
        return [json.loads(each.data) for each in OutboxMessage.objects.filter(**filters).order_by("pk")]


class Writing(OutboxTestCase):
    def test_a_message_goes_to_the_endpoints_that_want_it_and_to_users(self) -> None:
        brand = make_brand()
        every = make_endpoint(URL, alert_fired=True)
        mine = make_endpoint(URL, alert_fired=True)
        others = make_endpoint(URL, alert_fired=True)
        make_endpoint(URL, alert_fired=True, enabled=False)
        make_endpoint(URL, alert_resolved=True)
        EndpointBrand.objects.create(endpoint=mine, brand=brand)
        EndpointBrand.objects.create(endpoint=mine, brand=make_brand())
        EndpointBrand.objects.create(endpoint=others, brand=make_brand())
        user = User.objects.create(username="amara")
        message = write(Event.ALERT_FIRED, {"alert": 1}, now=self.now, brand=brand.pk, users=[user.pk])
        assert message
        found = Delivery.objects.filter(message=message).order_by("pk")
        self.assertEqual([each.endpoint or each.user for each in found], [every, mine, user])
        general = write(Event.ALERT_FIRED, {"alert": 2}, now=self.now)
        assert general
        self.assertEqual([each.endpoint for each in general.deliveries.all()], [every])

    def test_without_receivers_nothing_is_written(self) -> None:
        make_endpoint(URL)
        self.assertIsNone(write(Event.ALERT_FIRED, {}, now=self.now))
        self.assertEqual(OutboxMessage.objects.count(), 0)

    def test_what_is_rolled_back_is_not_sent(self) -> None:
        make_endpoint(URL, alert_fired=True)
        with self.assertRaises(ZeroDivisionError), transaction.atomic():
            write(Event.ALERT_FIRED, {}, now=self.now)
            status_changed(7, now=self.now)
            raise ZeroDivisionError
        self.assertEqual(Delivery.objects.count(), 0)


class StatusChanges(OutboxTestCase):
    def deliver(self, at: Any, answer: Answer = Answer(200)) -> None:  # noqa: B008  # it's immutable
        (claimed,) = claim(now=at, most=9)
        note(claimed, answer, now=at)

    def test_a_message_has_nothing_but_a_position(self) -> None:
        """So one that arrives hours late can't restart spending: its receiver reads what holds then."""
        make_endpoint(URL)
        status_changed(7, now=self.now)
        self.assertEqual(self.data(), [{"position": 7}])

    def test_many_changes_are_one_message_while_it_waits(self) -> None:
        make_endpoint(URL)
        for position in (7, 9, 8):
            status_changed(position, now=self.now)
        self.assertEqual(self.data(), [{"position": 9}])

    def test_the_next_one_leaves_five_seconds_after_the_last(self) -> None:
        make_endpoint(URL)
        status_changed(7, now=self.now)
        self.deliver(self.now)
        later = self.now + timedelta(seconds=1)
        status_changed(8, now=later)
        self.assertEqual(claim(now=self.now + MERGE_FOR - timedelta(milliseconds=1), most=9), [])
        self.deliver(self.now + MERGE_FOR)
        status_changed(9, now=self.now + timedelta(minutes=1))
        self.deliver(self.now + timedelta(minutes=1))

    def test_a_change_while_one_is_on_its_way_gets_a_message_of_its_own(self) -> None:
        """The receiver may have read the feed just before."""
        make_endpoint(URL)
        status_changed(7, now=self.now)
        (sending,) = claim(now=self.now, most=9)
        status_changed(8, now=self.now)
        self.assertEqual(self.data(), [{"position": 7}, {"position": 8}])
        note(sending, Answer(200), now=self.now)
        self.deliver(self.now + MERGE_FOR)

    def test_none_is_added_while_one_waits_for_its_retry(self) -> None:
        make_endpoint(URL)
        status_changed(7, now=self.now)
        self.deliver(self.now, Answer(500))
        status_changed(8, now=self.now)
        self.assertEqual(self.data(), [{"position": 7}])

    def test_an_endpoint_with_brands_gets_every_position(self) -> None:
        """The position says nothing of any brand."""
        endpoint = make_endpoint(URL)
        EndpointBrand.objects.create(endpoint=endpoint, brand=make_brand())
        status_changed(7, now=self.now)
        self.assertEqual(self.data(), [{"position": 7}])

    def test_publishing_the_feed_reports_its_newest_position(self) -> None:
        make_endpoint(URL)
        publish()
        self.assertEqual(self.data(), [])
        for _ in range(2):
            spend(make_campaign(make_brand(daily_budget=5)), 7)
        run_full_check("check_budgets", clock=lambda: self.now)
        publish()
        self.assertEqual(self.data(), [{"position": last_position()}])


class ClosedPeriods(OutboxTestCase):
    def test_closing_reports_what_it_closes(self) -> None:
        make_endpoint(URL, period_closed=True, status_changed=False)
        brands = [make_brand(daily_budget=5, created_at=utc("2026-10-30 12:00")) for _ in range(2)]
        spend(make_campaign(brands[0]), 3, "2026-10-31 12:00")
        fold()
        closed = close_periods(now=utc("2026-11-01 00:00:01"))
        found = sorted(self.data(), key=lambda data: (data["kind"], data["starts_on"]))
        self.assertEqual(closed, sum(data["count"] for data in found))
        pks = [brand.pk for brand in brands]
        self.assertEqual(
            found,
            [
                {"kind": "day", "starts_on": "2026-10-30", "count": 2, "brands": pks},
                {"kind": "day", "starts_on": "2026-10-31", "count": 2, "brands": pks},
                {"kind": "month", "starts_on": "2026-10-01", "count": 1, "brands": pks[:1]},
            ],
        )
        self.assertEqual(close_periods(now=utc("2026-11-01 00:00:02")), 0)
        self.assertEqual(OutboxMessage.objects.count(), 3)

    def test_a_closing_that_is_rolled_back_reports_nothing(self) -> None:
        make_endpoint(URL, period_closed=True)
        make_brand(daily_budget=5, created_at=utc("2026-10-30 12:00"))
        with self.assertRaises(ZeroDivisionError), transaction.atomic():
            self.assertGreater(close_periods(now=utc("2026-11-01 00:00:01")), 0)
            self.assertGreater(OutboxMessage.objects.count(), 0)
            raise ZeroDivisionError
        self.assertEqual((OutboxMessage.objects.count(), BrandPeriod.objects.exclude(closed_at=None).count()), (0, 0))

    def test_batches_of_one_check_are_one_message_with_a_bounded_list(self) -> None:
        make_endpoint(URL, period_closed=True)
        for first in range(1, 1001, 200):
            periods_closed([(pk, "day", "2026-11-28") for pk in range(first, first + 200)], now=self.now)
        (data,) = self.data()
        self.assertEqual((data["count"], data["brands"]), (1000, list(range(1, MAX_BRANDS + 1))))
        self.assertEqual(Delivery.objects.get().next_attempt_at, self.now + MERGE_FOR)

    def test_an_endpoint_with_brands_hears_of_these_only(self) -> None:
        mine, other = make_brand(), make_brand()
        endpoint = make_endpoint(URL, period_closed=True)
        EndpointBrand.objects.create(endpoint=endpoint, brand=mine)
        closed = [(mine.pk, "day", "2026-11-28"), (other.pk, "day", "2026-11-28"), (other.pk, "month", "2026-11-01")]
        periods_closed(closed, now=self.now)
        self.assertEqual(self.data(), [{"kind": "day", "starts_on": "2026-11-28", "count": 1, "brands": [mine.pk]}])
