"""Writers, checks, an importer and people at once, while others watch: none fails, and nothing is lost."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.utils import timezone

from campaigns.database.connection import execute, fetch_all
from campaigns.models import Campaign, SpendRecord, StatusChange
from campaigns.services.jobs.full_check import CHECK_BUDGETS, run_full_check
from campaigns.services.jobs.quick_check import run_quick_check
from campaigns.tests.support.outside import POSTGRESQL, SQLITE
from campaigns.tests.support.services_running import Process, check_every_second, running_services
from campaigns.tests.torture.crowd.by_hand import ByHand
from campaigns.tests.torture.crowd.case import PASSWORD, CrowdTestCase
from campaigns.tests.torture.crowd.importer import Importer
from campaigns.tests.torture.crowd.people import Amara, Bo, Person
from campaigns.tests.torture.crowd.reporters import Cleo, Reporter, assert_all_booked, grant_totals, watch_balance
from campaigns.tests.torture.crowd.threads import Crowd, hesitation, named_connections, report
from campaigns.tests.torture.crowd.watchers import (
    WaitWatcher,
    watch_spend,
    watch_totals_in_python,
    watch_totals_in_sql,
    watch_verify,
)
from campaigns.tests.torture.crowd.web_browser import WebBrowser
from campaigns.tests.torture.crowd.writers import EIGHT, Writer

AT_LEAST = {"person amara": 10, "person bo": 10, "enforcer 1": 5, "enforcer 2": 5, "importer": 1}


def taking_turns(*works: Callable[[], object]) -> Callable[[], object]:
    next_one = itertools.cycle(works)
    return lambda: next(next_one)()


if POSTGRESQL:

    class CrowdOnPostgreSQL(CrowdTestCase):
        def setUp(self) -> None:
            super().setUp()
            self.role = f"budget_test_crowd_{os.getpid()}"
            execute(f"CREATE ROLE {self.role}")
            self.addCleanup(self.drop_role)
            columns = "brand_id, campaign_id, amount, timestamp, external_id"
            execute(f"GRANT INSERT ({columns}) ON campaigns_spendrecord TO {self.role}")
            grant_totals(self.role)
            self.by_hand = ByHand()
            self.addCleanup(self.by_hand.client.close)
            self.places.append(self.by_hand.place)
            self.office.brands = [*self.office.brands, self.by_hand.brand.pk]
            self.deadlocks = deadlocks()

        def drop_role(self) -> None:
            execute(f"DROP OWNED BY {self.role}")
            execute(f"DROP ROLE {self.role}")

        def test_it_keeps_its_promises_in_a_crowd(self) -> None:
            directory = Path(self.enterContext(tempfile.TemporaryDirectory()))
            importer = Importer(directory, self.brands[0].name, [row.name for row in self.campaigns[:3]])
            writers = [
                Writer(name, self.role, self.places, way, seed) for seed, (name, way) in enumerate(EIGHT.items())
            ]
            for writer in writers:
                self.addCleanup(writer.client.close)
            reporters = self.reporters(self.role)
            at_work: list[Person] = [Amara(signed_in("amara"), self.office), Bo(signed_in("bo"), self.office)]
            people = [*at_work, Cleo(signed_in("cleo"), self.office)]
            waits = WaitWatcher()

            with named_connections(), hesitation(long=1.5):
                crowd = Crowd()
                for writer in writers:
                    crowd.add(writer.name, writer.turn, rest=0.05)
                for person in people:
                    crowd.add(f"person {person.name}", person.turn)
                for number in (1, 2):
                    crowd.add(f"enforcer {number}", lambda: run_full_check(CHECK_BUDGETS, clock=timezone.now), 0.02)
                crowd.add("enforcer 3", lambda: run_quick_check(clock=timezone.now), 0.02)
                for reporter in reporters:
                    crowd.add(reporter.name, reporter.turn, rest=0.05)
                crowd.add("importer", importer.turn)
                crowd.add("hand", self.by_hand.turn, rest=0.05)
                crowd.add("watcher of waits", waits.turn)
                crowd.add("watcher of switches", self.switches.turn, rest=0.005)
                looks = (watch_totals_in_sql, watch_verify, watch_spend, watch_balance)
                crowd.add("watcher of totals", taking_turns(*looks), 0.1)
                crowd.go_on_for(self.seconds, AT_LEAST)

            self.assert_everybody_was_there(crowd)
            self.assert_nothing_lost(people)
            written = self.by_hand.written()
            for writer in writers:
                written.update(writer.written)
            for name, millionths in importer.written.items():
                written[Campaign.objects.get(name=name).pk] += millionths
            rows = sum(writer.rows for writer in writers) + len(self.by_hand.rows)
            self.assert_written(rows + sum_of_imported(), written)
            self.assert_settled()
            assert_all_booked(reporters)
            self.assertEqual(deadlocks(), self.deadlocks)
            self.report(crowd, waits, reporters)

        def report(self, crowd: Crowd, waits: WaitWatcher, reporters: Sequence[Reporter]) -> None:
            turns, saves = crowd.turns, self.office.saves
            report(
                f"Crowd of {self.seconds} s",
                rows=SpendRecord.objects.count(),
                writers_turns=sum(turns[name] for name in EIGHT),
                checks=turns["enforcer 1"] + turns["enforcer 2"],
                quick_checks=turns["enforcer 3"],
                saves=saves["amara"] + saves["bo"],
                reported_totals=sum(each.reports for each in reporters),
                records_of_totals=SpendRecord.objects.filter(total__isnull=False).count(),
                saves_about_totals=saves["cleo"],
                switched_off=saves["switched off"],
                conflicts=saves["conflicts"],
                imports=turns["importer"],
                lines_of_history=StatusChange.objects.count(),
                samples_of_totals=turns["watcher of totals"],
                samples_of_switches=turns["watcher of switches"],
                samples_of_locks=waits.samples,
            )
            report("Samples in which somebody waited", **dict(sorted(waits.waits.items())))

    def signed_in(name: str) -> Client:
        client = Client()
        client.force_login(User.objects.get(username=name))
        return client

    def deadlocks() -> int:
        ((count,),) = fetch_all("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        return int(count)

    def sum_of_imported() -> int:
        return SpendRecord.objects.filter(external_id__startswith="file ").count()


if SQLITE:
    WRITER = Path(__file__).with_name("sqlite_writer.py")

    class CrowdOnSQLite(CrowdTestCase):
        """Two writers, worker, beat and web: as many processes on one file, and two people at their browsers."""

        def test_it_keeps_its_promises_in_a_crowd(self) -> None:
            check_every_second()
            services = self.enterContext(running_services())
            crowd = Crowd()
            with ExitStack() as stack:
                address = stack.enter_context(services.web())
                stack.enter_context(services.worker())
                stack.enter_context(services.beat())
                at_work: list[Person] = [Amara(at(address, "amara"), self.office), Bo(at(address, "bo"), self.office)]
                people = [*at_work, Cleo(at(address, "cleo"), self.office)]
                reporters = self.reporters()
                writers = [stack.enter_context(self.writer(seed)) for seed in (1, 2)]
                for person in people:
                    crowd.add(f"person {person.name}", person.turn, rest=0.05)
                for reporter in reporters:
                    crowd.add(reporter.name, reporter.turn, rest=0.1)
                crowd.add("watcher of switches", self.switches.turn, rest=0.01)
                looks = (watch_totals_in_python, watch_verify, watch_balance)
                crowd.add("watcher of totals", taking_turns(*looks), rest=0.1)
                crowd.go_on_for(self.seconds, {"person amara": 10, "person bo": 10})
                ends = [end_of(writer) for writer in writers]
                self.assert_everybody_was_there(crowd)
                self.assert_nothing_lost(people)
            self.assert_logs_are_clean(services.said())
            checks = services.log("worker").count("check_budgets: ")
            self.assertGreater(checks, 0)
            written = Counter[int]()
            for each in ends:
                written.update({int(campaign): millionths for campaign, millionths in each["written"].items()})
            self.assert_written(sum(each["rows"] for each in ends), written)
            self.assert_settled()
            assert_all_booked(reporters)
            self.report(crowd, checks, max(each["longest"] for each in ends), reporters)

        @contextmanager
        def writer(self, seed: int) -> Iterator[Process]:
            places = [f"{brand}:{campaign}" for brand, campaign in self.places]
            command = [sys.executable, str(WRITER), database_file(), str(self.seconds), str(seed), *places]
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            try:
                yield process
            finally:
                process.kill()
                process.communicate()

        def assert_logs_are_clean(self, said: str) -> None:
            for word in ("database is locked", "Traceback", "ERROR"):
                self.assertNotIn(word, said)

        def report(self, crowd: Crowd, checks: int, longest: float, reporters: Sequence[Reporter]) -> None:
            turns, saves = crowd.turns, self.office.saves
            report(
                f"Crowd of {self.seconds} s",
                rows=SpendRecord.objects.count(),
                checks=checks,
                saves=saves["amara"] + saves["bo"],
                reported_totals=sum(each.reports for each in reporters),
                records_of_totals=SpendRecord.objects.filter(total__isnull=False).count(),
                saves_about_totals=saves["cleo"],
                switched_off=saves["switched off"],
                conflicts=saves["conflicts"],
                lines_of_history=StatusChange.objects.count(),
                samples_of_totals=turns["watcher of totals"],
                samples_of_switches=turns["watcher of switches"],
                milliseconds_was_the_longest_write=round(longest * 1000),
            )

    def database_file() -> str:
        return str(connection.settings_dict["NAME"])

    def at(address: str, name: str) -> WebBrowser:
        browser = WebBrowser(address)
        browser.sign_in(name, PASSWORD)
        return browser

    def end_of(writer: Process) -> dict[str, Any]:
        """Return what a writer prints at its end; one that met a locked database fails."""
        output, complained = writer.communicate(timeout=60)
        if writer.returncode:
            raise AssertionError(f"a writer ended with {writer.returncode}: {complained.decode()}")
        answer: dict[str, Any] = json.loads(output)
        return answer
