"""Kill -9 of a booker in the middle of a large batch of reported totals: whole batches are booked, each once.

Booking again brings exactly the rest, and totals = ledger at every moment that anybody can see.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from decimal import Decimal

from campaigns.models import CampaignLink, PlatformAccount
from campaigns.rules.money import from_micros
from campaigns.services.totals.verify import unbalanced_totals
from campaigns.tests.support.factories import make_brand, make_campaign
from campaigns.tests.support.outside import by_vendor, utc_text
from campaigns.tests.torture.extent import extent
from campaigns.tests.torture.kills.case import KillsTestCase
from campaigns.tests.torture.kills.processes import Killable
from campaigns.tests.totals.reports import unbalanced

KILLS = extent(short=1, full=4)
CAMPAIGNS = 40
DAYS = extent(short=600, full=1_500)
TOTALS = CAMPAIGNS * DAYS
FIRST = Decimal("1.000001")
DAY = by_vendor(postgresql="DATE '2026-01-01' - n", sqlite="date('2026-01-01', '-' || n || ' days')")
# One total for each of the account's links and day.
REPORTS = f"""
    WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < %s)
    INSERT INTO campaigns_spendtotal (source, account, campaign, day, total, as_of)
    SELECT 'google_ads', '1', link.external_id, {DAY}, %s, %s FROM numbers, campaigns_campaignlink AS link
"""
RESTATE = "UPDATE campaigns_spendtotal SET total = %s, as_of = %s"
TO_BOOK = "SELECT COUNT(*) FROM campaigns_spendtotal WHERE CAST(ROUND(total * 1000000) AS bigint) <> booked"
# Totals of which a part was written: as many records as revisions, numbered from 1 without a gap.
IN_PART = """
    SELECT total.id FROM campaigns_spendtotal AS total
    LEFT JOIN campaigns_spendrecord AS record ON record.total_id = total.id
    GROUP BY total.id, total.revision
    HAVING COUNT(record.id) <> total.revision OR COALESCE(MAX(record.revision), 0) <> total.revision
"""


class Bookers(KillsTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.runs = 0
        account = PlatformAccount.objects.create(source="google_ads", external_id="1", currency="USD", timezone="UTC")
        brands = [make_brand() for _ in range(4)]
        CampaignLink.objects.bulk_create(
            CampaignLink(account=account, external_id=str(n), campaign=make_campaign(brands[n % 4]))
            for n in range(CAMPAIGNS)
        )
        self.run_sql(REPORTS, DAYS, str(FIRST), utc_text("2026-01-02 12:00:00"))

    def test_a_killed_command_books_whole_batches_once(self) -> None:
        self.kill_and_book_again(self.start_command)

    def test_a_killed_worker_books_whole_batches_once(self) -> None:
        self.kill_and_book_again(self.start_worker)

    def kill_and_book_again(self, start: Callable[[], Killable]) -> None:
        for number in range(1, KILLS + 1):
            booker = start()
            self.catch_booking(booker)
            booker.kill()
            left = self.to_book()
            self.assertTrue(0 < left < TOTALS, self.services.said())
            self.assert_sound()
            self.book_the_rest(number)
            total = FIRST + number
            self.run_sql(RESTATE, str(total), utc_text(f"2026-01-02 13:{number:02}:00"))

    def start_command(self) -> Killable:
        self.runs += 1
        return self.services.manage(f"enforce-{self.runs}", "enforce")

    def start_worker(self) -> Killable:
        self.runs += 1
        worker = self.services.start_worker(f"worker-{self.runs}")
        self.send_check()
        return worker

    def catch_booking(self, booker: Killable) -> None:
        """Freeze the booker at a random moment after its first batch, while it writes another one."""
        for _ in range(200):
            self.wait_until("the first batch is booked", lambda: self.to_book() < TOTALS, every=0.001)
            booker.freeze()
            if booker.is_running() and self.to_book() and self.is_writing():
                return
            booker.thaw()
            self.assertTrue(self.to_book(), "All was booked before the booker was caught.")
            time.sleep(random.uniform(0, 0.02))
        self.fail("The booker was never caught in the middle of a batch.")

    def book_the_rest(self, number: int) -> None:
        """Book what is left, by as many full checks as it takes: each goes on with decisions after 20 seconds."""
        for _ in range(5):
            if self.to_book():
                self.book()
        self.assertEqual(self.to_book(), 0, self.services.said())
        self.assert_sound()
        records, revisions = self.run_sql(
            "SELECT (SELECT COUNT(*) FROM campaigns_spendrecord), (SELECT SUM(revision) FROM campaigns_spendtotal)"
        )[0]
        self.assertEqual((int(records), int(revisions)), (number * TOTALS, number * TOTALS))
        spent = self.value("SELECT SUM(spend) FROM campaigns_campaignday")
        self.assertEqual(from_micros(int(spent)), TOTALS * (FIRST + number - 1))

    def book(self) -> None:
        command = self.start_command()
        self.wait_until("the command ends", lambda: not command.is_running())

    def to_book(self) -> int:
        return int(self.value(TO_BOOK))

    def assert_sound(self) -> None:
        """Assert that totals = ledger, by two reckonings, and that the totals of days are what the records say."""
        self.assertEqual(self.run_sql(IN_PART), [])
        self.assertEqual((unbalanced(), unbalanced_totals()), ([], []))
        self.assert_verified()
