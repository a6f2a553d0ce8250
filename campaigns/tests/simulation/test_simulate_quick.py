"""simulate with the quick check between checks, with rows that are spread, and the bound that it measures."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from unittest import skipUnless

from django.db import transaction
from django.test import TestCase
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase as HypothesisTestCase

from campaigns.models import BrandPeriod, CampaignDay, SpendRecord, StatusChange
from campaigns.rules.reasons import PauseReason
from campaigns.services.simulation import SimulationError
from campaigns.services.simulation.plan import make_plan
from campaigns.services.simulation.play import Play
from campaigns.services.simulation.report import Report, make_report
from campaigns.services.simulation.table import report_csv, report_text
from campaigns.tests.support.outside import SQLITE
from campaigns.tests.support.simulating import as_csv, clock, money, read, simulate, simulate_file

SECONDS = "%H:%M:%S"
PLAYED_ON = "a simulation is played on SQLite, wherever the application keeps its data"


@skipUnless(SQLITE, PLAYED_ON)
class QuickCheck(TestCase):
    ROWS = """
        2026-03-02T09:00:00 Acme/Search 60
        2026-03-02T09:07:03 Acme/Search 40
        2026-03-02T09:07:09 Acme/Video   5
        2026-03-02T09:07:10 Acme/Video   7
        2026-03-02T09:10:00 Acme/Video   9
        2026-03-03T00:00:00 Acme/Search 10
    """

    def test_it_spends_until_the_pass_that_sees_the_budget_reached(self) -> None:
        first, second = simulate(self.ROWS, daily_budget=["100"], quick_every="10s").days
        self.assertEqual(money(first), ("105", "5", "16"))
        self.assertEqual(clock(first.first_pause, form=SECONDS), "09:07:10")
        self.assertEqual(first.paused[PauseReason.BRAND_DAILY_BUDGET], timedelta(hours=14, minutes=52, seconds=50))
        self.assertEqual((money(second), second.first_pause), (("10", "0", "0"), None))

    def test_it_reports_the_same_with_full_checks_only(self) -> None:
        report = simulate(self.ROWS, daily_budget=["100"], quick_every="10s")
        alone = simulate(self.ROWS.replace("Acme", "Bolt"), daily_budget=["100"])
        assert report.alone is not None
        self.assertEqual([money(line) for line in report.alone.days], [money(line) for line in alone.days])
        self.assertEqual(money(alone.days[0]), ("112", "12", "9"))
        self.assertEqual([str(each.brands[0].peak.amount) for each in (report, report.alone)], ["60", "60"])
        self.assertIsNone(alone.alone)
        text = report_text(report)
        self.assertIn(
            "Worst overspend: 5.00, 5.00 % of the budget, Acme on 2026-03-02; with full checks only, every 5 minutes: "
            "12.00, 12.00 % of the budget, Acme on 2026-03-02.",
            text,
        )
        self.assertIn("With a quick check every 10 seconds, overspend is limited to the largest spend", text)

    def test_a_window_opens_and_closes_at_the_pass_that_reaches_its_minute(self) -> None:
        rows = "".join(f"2026-03-02T09:{at} Acme/A 1\n" for at in ("00:59", "01:00", "02:59", "03:00"))
        options: dict[str, object] = {"window": ["daily,09:01,09:03"], "quick_every": "30s"}
        (line,) = simulate(rows, **options).days
        self.assertEqual((line.spent, line.avoided), (2, 2))
        open_for = timedelta(days=1) - line.paused[PauseReason.OUTSIDE_SCHEDULE]
        self.assertEqual(open_for, timedelta(minutes=2))

    def test_the_full_check_comes_at_its_own_interval_and_at_midnight(self) -> None:
        rows = "2026-03-02T09:06:59 Acme/A 1\n2026-03-02T23:59:59 Acme/A 1"
        report = simulate(rows, check_every="7", quick_every="45s")
        self.assertEqual(clock(report.brands[0].peak.span.start, form=SECONDS), "09:06:45")
        spans = report.checks.check_spans(report.history)
        self.assertEqual([clock(at, form=SECONDS) for at in spans[0]], ["00:00:00", "00:07:00"])
        ends = [clock(span.end, form=SECONDS) for span in report.checks.within(spans[0])]
        self.assertEqual((len(ends), ends[-2:]), (10, ["00:06:45", "00:07:00"]))
        self.assertEqual([clock(at, form=SECONDS) for at in spans[-1]], ["23:55:00", "00:00:00"])


@skipUnless(SQLITE, PLAYED_ON)
class Spread(TestCase):
    def test_a_row_is_spent_evenly_up_to_the_pass_that_sees_the_budget_reached(self) -> None:
        report = simulate("2026-03-02T09:00 Acme/A 300", daily_budget=["45"], quick_every="10s", spread="5")
        (line,) = report.days
        self.assertEqual(money(line), ("50.000000", "5.000000", "250.000000"))
        self.assertEqual(clock(line.first_pause, form=SECONDS), "09:00:50")
        self.assertEqual(report.brands[0].peak.amount, 10)
        assert report.alone is not None
        self.assertEqual(report.alone.days[0].overspend, 255)
        self.assertEqual(report.alone.brands[0].peak.amount, 300)
        self.assertIn("The rows are spread into 30 pieces; amounts are rounded.", report_text(report))

    def test_pieces_add_up_to_their_row_to_the_millionth(self) -> None:
        text = as_csv("2026-03-02T09:00 Acme/A 0.000100\n2026-03-02T09:00 Acme/A -1\n2026-03-02T09:00 Acme/A 0.000002")
        history, _ = read(text, spread="60s", quick_every="7s")
        by_line = {line: [row for row in history.rows if row.line == line] for line in (2, 3, 4)}
        sums = [sum(row.amount for row in rows) for rows in by_line.values()]
        self.assertEqual([str(total) for total in sums], ["0.000100", "-1.000000", "0.000002"])
        self.assertEqual([len(rows) for rows in by_line.values()], [9, 9, 2])
        micros = [int(row.amount * 10**6) for row in by_line[2]]
        self.assertEqual(micros, [11, 12, 12, 11, 12, 12, 11, 12, 7])
        self.assertEqual(clock(by_line[2][-1].timestamp, form=SECONDS), "09:00:56")

    def test_pieces_after_midnight_are_of_the_next_day_and_have_no_external_id(self) -> None:
        text = "timestamp,brand,campaign,amount,external_id\n2026-03-02T23:58,Acme,A,10,id-1\n"
        report = simulate_file(text, spread="5", quick_every="10s", daily_budget=["100"])
        self.assertEqual([str(line.in_file) for line in report.days], ["4.000000", "6.000000"])
        self.assertEqual(SpendRecord.objects.filter(external_id=None).count(), 30)

    def test_the_days_as_csv_hold_no_formula(self) -> None:
        text = "timestamp,brand,campaign,amount\n2026-03-02T12:00,x;=1+1;y,A,10\n"
        self.assertIn("\nx;'=1+1;y,2026-03-02,", report_csv(simulate_file(text)))

    def test_without_a_quick_check_the_pieces_are_of_ten_seconds(self) -> None:
        text = as_csv("2026-03-02T09:00 Acme/A 300")
        self.assertEqual(len(read(text, spread="5")[0].rows), 30)
        self.assertEqual(len(read(text, spread="5", quick_every="1")[0].rows), 5)
        self.assertEqual([row.amount for row in read(text, spread="0")[0].rows], [300])

    def test_it_refuses_more_pieces_than_anyone_waits_for_and_years_that_cannot_be(self) -> None:
        rows = "".join(f"2026-03-02T09:{minute:02} Acme/A 1\n" for minute in range(24))
        with self.assertRaisesRegex(SimulationError, "24 rows into 2,073,600 pieces, more than 2,000,000: spread over"):
            read(as_csv(rows), spread="1440", quick_every="1s")
        with self.assertRaisesRegex(SimulationError, "--spread goes past 2100-01-01: correct a wrong year"):
            read(as_csv("2099-12-31T23:59 Acme/A 1"), spread="5")


class EveryPass(Play):
    """Leaves no pass out."""

    def record_if_quiet(self, last: object, spent: object) -> bool:
        return False


Found = tuple[Report, str, list[object]]


@transaction.atomic
def played(text: str, how: type[Play], **options: object) -> Found:
    """The report, its days as CSV, and what stands in the database; which is empty again afterwards."""
    history, chosen = read(text, **options)
    plan = make_plan(chosen, history)
    report = make_report(history, plan, list(how(history, plan, chosen.checks).steps(list)), chosen.checks)
    history_lines = StatusChange.objects.order_by("at", "campaign__name")
    stored: list[object] = [
        *history_lines.values_list("campaign__name", "at", "reasons_before", "reasons_after", "brand_day_spend"),
        *BrandPeriod.objects.order_by("brand__name", "kind", "starts_on").values_list(
            "brand__name", "kind", "starts_on", "spend", "spend_at_close", "closed_at"
        ),
        *CampaignDay.objects.order_by("campaign__name", "day").values_list("campaign__name", "day", "spend"),
    ]
    transaction.set_rollback(True)
    return report, report_csv(report), stored


spends = st.lists(
    st.tuples(
        st.integers(0, 3 * 3600),
        st.sampled_from(["Acme/A", "Acme/B", "Bolt/C"]),
        st.integers(-3000, 9999).filter(bool),
    ),
    min_size=1,
    max_size=25,
)


@skipUnless(SQLITE, PLAYED_ON)
class PassesLeftOut(HypothesisTestCase):
    @settings(max_examples=8)
    @given(
        spends=spends,
        budget=st.integers(0, 150),
        limit=st.integers(1, 100),
        spread=st.sampled_from(["0", "5"]),
        window=st.sampled_from(["daily,00:00,00:00", "daily,22:07,00:03", "Mon,23:01,23:59"]),
    )
    def test_nothing_differs_from_a_play_of_every_pass(
        self, spends: list[tuple[int, str, int]], budget: int, limit: int, spread: str, window: str
    ) -> None:
        rows = "\n".join(
            f"2026-03-{'02' if at < 2 * 3600 else '03'}T{(at // 3600 + 22) % 24:02}:{at // 60 % 60:02}:{at % 60:02} "
            f"{who} {Decimal(cents) / 100}"
            for at, who, cents in spends
            if at < 3 * 3600
        )
        if not rows:
            return
        options: dict[str, object] = {
            "daily_budget": [str(budget)],
            "monthly_budget": [f"{budget * 2}"],
            "campaign_limit": [str(limit)],
            "window": [window],
            "spread": spread,
            "quick_every": "30s",
        }
        skipped, every = (played(as_csv(rows), how, **options) for how in (Play, EveryPass))
        self.assertEqual(skipped, every)
