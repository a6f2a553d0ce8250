"""How long a person's save, a job and a fold wait for locks; on PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from unittest.mock import patch

from django.db import transaction

from campaigns.database.connection import fetch_all, take_ledger_lock
from campaigns.services.ledger import close_periods as close
from campaigns.services.ledger import fold, locks
from campaigns.services.scope import Scope
from campaigns.tests.support.committed import CommittedTestCase
from campaigns.tests.support.factories import make_brand, make_campaign, spend, utc
from campaigns.tests.support.outside import POSTGRESQL

NOON = utc("2026-11-20 12:00")


def lock_timeout() -> str:
    return str(fetch_all("SHOW lock_timeout")[0][0])


if POSTGRESQL:

    class LockWaitsCase(CommittedTestCase):
        def setUp(self) -> None:
            super().setUp()
            self.brand = make_brand(daily_budget=5, created_at=utc("2026-11-18"))
            self.campaign = make_campaign(self.brand)

    class WaitsForRows(LockWaitsCase):
        def assert_limited_to(self, expected: str, lock: Callable[[], object]) -> None:
            others = lock_timeout()
            with transaction.atomic():
                lock()
                self.assertEqual(lock_timeout(), expected)
            self.assertEqual(lock_timeout(), others)

        def test_a_person_waits_for_five_seconds(self) -> None:
            self.assert_limited_to("5s", lambda: locks.lock_brands([self.brand.pk]))

        def test_a_job_waits_for_a_second(self) -> None:
            self.assert_limited_to("1s", lambda: locks.lock_brands([self.brand.pk], by_job=True))
            self.assert_limited_to("1s", lambda: locks.lock_free_brands([self.brand.pk]))

        def test_a_job_that_locks_free_campaigns_has_its_limit_already(self) -> None:
            def lock() -> None:
                locks.lock_free_brands([self.brand.pk])
                locks.lock_free_campaigns(Scope.of_brands([self.brand.pk]))

            self.assert_limited_to("1s", lock)

    class WaitsForTheLedger(LockWaitsCase):
        def limits_before_the_ledger(self, module: Any, work: Callable[[], object]) -> set[str]:
            seen: set[str] = set()

            def look_and_lock() -> None:
                seen.add(lock_timeout())
                take_ledger_lock()

            with patch.object(module, "take_ledger_lock", look_and_lock):
                work()
            return seen

        def test_a_fold_waits_for_five_seconds(self) -> None:
            spend(self.campaign, 1, NOON)
            self.assertEqual(self.limits_before_the_ledger(fold, fold.fold), {"5s"})

        def test_a_closing_waits_for_five_seconds(self) -> None:
            later = NOON + timedelta(days=1)
            self.assertEqual(self.limits_before_the_ledger(close, lambda: close.close_periods(now=later)), {"5s"})
