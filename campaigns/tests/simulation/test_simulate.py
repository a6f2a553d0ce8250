"""simulate: what budgets would have done to a history, in figures that can be checked by hand."""

from __future__ import annotations

import csv
import io
import tempfile
from collections import defaultdict
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import SimpleTestCase, TestCase, override_settings
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase as HypothesisTestCase

from campaigns.management.commands.simulate import check_output, read_options
from campaigns.rules.reasons import PauseReason
from campaigns.services.simulation import SimulationError
from campaigns.services.simulation.options import Window, parse_quick_step, parse_spread, parse_step, parse_window
from campaigns.services.simulation.table import report_text
from campaigns.tests.support.processes import manage
from campaigns.tests.support.simulating import CHECK_ALONE, HEAD, clock, money, simulate, simulate_file

DAILY_BUDGET, SCHEDULE = PauseReason.BRAND_DAILY_BUDGET, PauseReason.OUTSIDE_SCHEDULE
MONTHLY_BUDGET, LIMIT = PauseReason.BRAND_MONTHLY_BUDGET, PauseReason.CAMPAIGN_DAILY_LIMIT


class DailyBudget(TestCase):
    ROWS = """
        2026-03-02T09:00 Acme/Search 60
        2026-03-02T09:07 Acme/Search 40
        2026-03-02T09:09 Acme/Video   5
        2026-03-02T09:10 Acme/Video   7
        2026-03-02T23:59 Acme/Search  3
        2026-03-03T00:00 Acme/Search 10
    """

    def test_it_spends_until_the_check_that_sees_the_budget_reached_and_avoids_the_rest_of_the_day(
        self,
    ) -> None:
        first, second = simulate(self.ROWS, daily_budget=["100"]).days
        self.assertEqual(money(first), ("105", "5", "10"))
        self.assertEqual(clock(first.first_pause), "09:10")
        self.assertEqual(first.paused, {DAILY_BUDGET: timedelta(hours=14, minutes=50)})
        self.assertEqual(money(second), ("10", "0", "0"))
        self.assertEqual((second.first_pause, second.paused), (None, {}))

    def test_it_goes_on_a_millionth_below_the_budget(self) -> None:
        rows = "2026-03-02T09:00 Acme/Search 99.999999\n2026-03-02T10:00 Acme/Search 1"
        (line,) = simulate(rows, daily_budget=["100"]).days
        self.assertEqual(money(line), ("100.999999", "0.999999", "0"))
        self.assertEqual(clock(line.first_pause), "10:05")

    def test_a_budget_of_zero_pauses_from_midnight_on(self) -> None:
        (line,) = simulate("2026-03-02T00:00 Acme/Search 4", daily_budget=["Acme=0"]).days
        self.assertEqual(money(line), ("0", "0", "4"))
        self.assertEqual((clock(line.first_pause), line.paused), ("00:00", {DAILY_BUDGET: timedelta(days=1)}))

    def test_a_brand_without_a_budget_spends_everything(self) -> None:
        rows = "2026-03-02T09:00 Acme/A 60\n2026-03-02T09:00 Bolt/B 60\n2026-03-02T10:00 Bolt/B 60"
        acme, bolt = simulate(rows, daily_budget=["Acme=50"]).days
        self.assertEqual(money(acme), ("60", "10", "0"))
        self.assertEqual((money(bolt), bolt.budget), (("120", "None", "0"), None))

    def test_a_credit_lowers_the_spend_and_the_campaigns_go_on(self) -> None:
        rows = """
            2026-03-02T09:00 Acme/A  60
            2026-03-02T09:30 Acme/A -20
            2026-03-02T10:00 Acme/A  30
            2026-03-02T11:00 Acme/A  30
        """
        (line,) = simulate(rows, daily_budget=["100"]).days
        self.assertEqual((money(line), line.first_pause is None), (("100", "0", "0"), False))
        self.assertEqual(clock(line.first_pause), "11:05")

    def test_a_credit_of_a_paused_campaign_is_left_out_like_its_other_rows(self) -> None:
        rows = "2026-03-02T09:00 Acme/A 60\n2026-03-02T10:00 Acme/A -20\n2026-03-02T11:00 Acme/A 30"
        (line,) = simulate(rows, daily_budget=["50"]).days
        self.assertEqual(money(line), ("60", "10", "10"))

    def test_the_factor_takes_the_median_of_the_days_with_rows_and_rounds_to_cents(self) -> None:
        rows = """
            2026-03-02T09:00 Acme/A 10
            2026-03-03T09:00 Acme/A 20.05
            2026-03-05T09:00 Acme/A 60
            2026-03-05T09:00 Bolt/B 60
        """
        report = simulate(rows, daily_budget_factor="0.7", daily_budget=["Bolt=5"], check_every="1440")
        acme, bolt = (brand.plan for brand in report.brands)
        self.assertEqual((acme.median_day, acme.daily_budget), (Decimal("20.05"), Decimal("14.04")))
        self.assertEqual((bolt.median_day, bolt.daily_budget), (None, Decimal(5)))

    def test_the_bound_is_the_most_between_two_checks_spent_or_not(self) -> None:
        report = simulate(self.ROWS + "2026-03-02T12:04 Acme/A 50", daily_budget=["100"])
        (brand,) = report.brands
        self.assertEqual((brand.peak.amount, clock(brand.peak.span[0])), (Decimal(60), "09:00"))


class OtherLimits(TestCase):
    def test_a_monthly_budget_holds_to_the_end_of_the_month(self) -> None:
        rows = """
            2026-03-30T09:00 Acme/A 90
            2026-03-30T10:00 Acme/A 70
            2026-03-31T10:00 Acme/A  5
            2026-04-01T00:00 Acme/A  8
        """
        report = simulate(rows, monthly_budget=["Acme=150"])
        self.assertEqual([str(line.spent) for line in report.days], ["160", "0", "8"])
        self.assertEqual([clock(line.first_pause) for line in report.days], ["10:05", "00:00", "never"])
        self.assertEqual(report.days[1].paused, {MONTHLY_BUDGET: timedelta(days=1)})
        march, april = report.limits
        self.assertEqual((march.period, march.spent, march.overspend), ("2026-03", Decimal(160), Decimal(10)))
        self.assertEqual((april.period, april.spent, april.first_pause), ("2026-04", Decimal(8), None))

    def test_a_campaign_limit_pauses_that_campaign_only(self) -> None:
        rows = """
            2026-03-02T09:00 Acme/A 30
            2026-03-02T09:00 Acme/B 30
            2026-03-02T10:00 Acme/A 1
            2026-03-02T10:00 Acme/B 2
        """
        report = simulate(rows, campaign_limit=["A=20", "Acme/B=40"])
        (line,) = report.days
        self.assertEqual((str(line.spent), str(line.avoided), clock(line.first_pause)), ("62", "1", "09:05"))
        self.assertEqual(line.paused, {LIMIT: timedelta(hours=14, minutes=55)})
        (of_a,) = report.limits
        self.assertEqual((str(of_a.whose), of_a.overspend, clock(of_a.first_pause)), ("Acme/A", 10, "09:05"))

    def test_it_says_so_where_no_campaign_reached_its_limit(self) -> None:
        report = simulate("2026-03-02T09:00 Acme/A 30", campaign_limit=["31"], check_every="60")
        self.assertEqual(report.limits, [])
        self.assertIn("No campaign reached its daily spend limit.", report_text(report))

    def test_rows_outside_the_windows_are_avoided_and_are_no_pause_by_money(self) -> None:
        rows = """
            2026-03-06T07:59 Acme/A 1
            2026-03-06T08:00 Acme/A 2
            2026-03-06T19:59 Acme/A 4
            2026-03-06T20:00 Acme/A 8
            2026-03-07T12:00 Acme/A 16
            2026-03-07T12:00 Bolt/B 32
        """
        report = simulate(rows, window=["Acme=Mon-Fri,08:00,20:00"])
        friday, saturday, _, bolt = report.days
        self.assertEqual((str(friday.spent), str(friday.avoided)), ("6", "9"))
        self.assertEqual((friday.first_pause, friday.paused), (None, {SCHEDULE: timedelta(hours=12)}))
        self.assertEqual((saturday.spent, saturday.paused), (0, {SCHEDULE: timedelta(hours=24)}))
        self.assertEqual((bolt.spent, bolt.paused), (32, {}))


class Clocks(TestCase):
    def test_days_are_those_of_the_zone_and_so_are_timestamps_without_an_offset(self) -> None:
        rows = """
            2026-03-01T15:59+00:00 Acme/A 1
            2026-03-01T16:00+00:00 Acme/A 2
            2026-03-02T23:59 Acme/A 4
        """
        report = simulate(rows, time_zone="Asia/Shanghai")
        spent = {line.day: line.spent for line in report.days}
        self.assertEqual(spent, {date(2026, 3, 1): 1, date(2026, 3, 2): 6})

    def test_the_day_on_which_clocks_go_forward_has_23_hours(self) -> None:
        report = simulate("2026-03-29T09:00 Acme/A 1", time_zone="Europe/Paris", daily_budget=["0"])
        self.assertEqual(report.days[0].paused, {DAILY_BUDGET: timedelta(hours=23)})

    def test_a_longer_interval_overspends_more(self) -> None:
        rows = "".join(f"2026-03-02T09:{minute:02} Acme/A 10\n" for minute in range(60))
        options: dict[str, object] = {"daily_budget": ["95"]}
        (five,) = simulate(rows, check_every="5", **options).days
        (thirty,) = simulate(rows.replace("Acme", "Bolt"), check_every="30", **options).days
        self.assertEqual((five.spent, thirty.spent), (100, 300))

    def test_there_is_a_check_at_midnight_whatever_the_interval(self) -> None:
        rows = "2026-03-02T09:00 Acme/A 10\n2026-03-03T00:00 Acme/A 10\n2026-03-03T00:01 Acme/A 10"
        first, second = simulate(rows, check_every="7", daily_budget=["10"]).days
        self.assertEqual((first.spent, second.spent), (10, 20))
        self.assertEqual(clock(second.first_pause), "00:07")


class Files(TestCase):
    def test_a_repeated_line_counts_once_and_a_line_of_zero_is_left_out(self) -> None:
        line = "2026-03-02T09:00,Acme,A,10,id-1\n"
        report = simulate_file(HEAD + line + line + "2026-03-02T09:05,Acme,A,0.00,id-2\n")
        self.assertEqual((report.days[0].spent, report.history.repeated, report.history.zeros), (10, 1, 1))
        text = report_text(report)
        self.assertIn("Repeated lines, counted once: 1.", text)
        self.assertIn("Lines without spend, skipped: 1.", text)

    def test_the_same_external_id_with_another_amount_is_refused(self) -> None:
        text = HEAD + "2026-03-02T09:00,Acme,A,10,id-1\n2026-03-02T09:00,Acme,A,11,id-1\n"
        with self.assertRaisesRegex(SimulationError, r"lines 2 and 3: A has the external id id-1 twice"):
            simulate_file(text)

    def test_broken_lines_are_refused_by_their_numbers(self) -> None:
        text = HEAD + "2026-03-02T09:00,Acme,A,10,\n2026-03-02T09:00,Acme,A,ten,\nnever,Acme,A,1,\n"
        with self.assertRaisesRegex(SimulationError, r"invalid lines: .* Line 3: .*ten.* Line 4: .*never"):
            simulate_file(text)

    def test_a_history_of_more_checks_than_anyone_waits_for_is_refused(self) -> None:
        with self.assertRaisesRegex(SimulationError, "2012-03-02 to 2026-03-02 need 44,184,960 checks"):
            simulate("2012-03-02T09:00 Acme/A 1\n2026-03-02T09:00 Acme/A 1", check_every="10s")

    def test_a_file_without_rows_is_refused(self) -> None:
        with self.assertRaisesRegex(SimulationError, "has no rows with spend"):
            simulate_file(HEAD)


class OptionsInWords(SimpleTestCase):
    def test_it_reads_windows(self) -> None:
        eight, midnight = time(8), time(0)
        for text, window in {
            "daily,08:00,00:00": Window(None, 127, eight, midnight),
            "mon-fri,08:00,00:00": Window(None, 31, eight, midnight),
            "Acme=Mon+Wed,08:00,00:00": Window("Acme", 5, eight, midnight),
            "Sat-Mon+Wed,08:00,00:00": Window(None, 32 + 64 + 1 + 4, eight, midnight),
            "A=B=Sun,00:00,00:00": Window("A=B", 64, midnight, midnight),
        }.items():
            with self.subTest(text):
                self.assertEqual(parse_window("--window", text), window)

    def test_it_reads_intervals_in_minutes_or_seconds(self) -> None:
        for text, seconds in {"5": 300, "10s": 10, "1440": 86_400}.items():
            self.assertEqual(parse_step("--check-every", text), timedelta(seconds=seconds))
        for text, interval in {
            "10s": timedelta(seconds=10),
            "1s": timedelta(seconds=1),
            "5": timedelta(minutes=5),
            "0": None,
            "Never": None,
        }.items():
            self.assertEqual(parse_quick_step("--quick-every", text, timedelta(minutes=5)), interval)
        for text, seconds in {"0": 0, "5": 300, "90s": 90, "1440": 86_400}.items():
            self.assertEqual(parse_spread("--spread", text), timedelta(seconds=seconds))

    def test_it_refuses_what_it_cannot_read_in_a_sentence_that_names_option_value_and_remedy(self) -> None:
        for option, value, sentence in (
            ("daily_budget", ["Acme=-1"], "--daily-budget Acme=-1: “-1” isn't a valid amount: use"),
            ("daily_budget", ["ten"], "--daily-budget ten: “ten” isn't a valid amount"),
            ("daily_budget", ["NaN"], "“NaN” isn't a valid amount"),
            ("daily_budget", ["1e3"], "“1e3” isn't a valid amount"),
            ("daily_budget", ["1000000000"], "“1000000000” isn't a valid amount"),
            ("daily_budget", ["0.0000001"], "an amount has at most 6 decimals"),
            ("daily_budget", ["1", "2"], "--daily-budget is given twice for all brands"),
            ("monthly_budget", ["Acme=1", "Acme=2"], "--monthly-budget is given twice for Acme"),
            ("campaign_limit", ["A="], "--campaign-limit A=: “” isn't a valid amount"),
            ("daily_budget_factor", "0", "--daily-budget-factor 0 isn't a number above 0"),
            ("daily_budget_factor", "-0.7", "--daily-budget-factor -0.7 isn't a number above 0"),
            ("daily_budget_factor", "inf", "--daily-budget-factor inf isn't a number above 0"),
            ("window", ["Mon-Fri"], "--window Mon-Fri isn't DAYS,START,END"),
            ("window", ["Moonday,08:00,20:00"], "“Moonday” isn't a day"),
            ("window", ["Mon-Wed-Fri,08:00,20:00"], "“Wed-Fri” isn't a day"),
            ("window", [",08:00,20:00"], "“” isn't a day"),
            ("window", ["daily,8:00,20:00"], "“8:00” isn't a valid time"),
            ("window", ["daily,08:00,24:00"], "“24:00” isn't a valid time"),
            ("window", ["daily,08:00,08:00"], "is empty"),
            ("time_zone", "Asia/Peking", "--time-zone “Asia/Peking” isn’t a time zone we know"),
            ("time_zone", "../UTC", "“../UTC” isn’t a time zone we know"),
            ("check_every", "9s", "--check-every 9s isn't an interval from 10 seconds to a day"),
            ("check_every", "1441", "isn't an interval"),
            ("check_every", "often", "isn't an interval"),
            (
                "quick_every",
                "6",
                "--quick-every 6 isn't an interval from a second to that of the full check, 300 seconds",
            ),
            ("quick_every", "301s", "use seconds, like 10s, or whole minutes, like 1, or never"),
            ("quick_every", "0.5s", "isn't an interval from a second"),
            ("quick_every", "soon", "isn't an interval from a second"),
            ("spread", "1441", "--spread 1441 isn't a time of up to a day: use whole minutes, like 5"),
            ("spread", "-5", "isn't a time of up to a day"),
        ):
            with self.subTest(option=option, value=value), self.assertRaises(SimulationError) as caught:
                read_options(CHECK_ALONE | {option: value})
            self.assertIn(sentence, str(caught.exception))

    def test_it_refuses_outputs_that_it_could_not_write_before_it_plays(self) -> None:
        source = Path(__file__)
        for path, sentence in (
            ("plot.jpg", "use a file name that ends in .png or .svg"),
            ("plot", "use a file name that ends in"),
            ("/no/such/place/plot.png", "the directory /no/such/place doesn't exist"),
        ):
            with self.subTest(path), self.assertRaisesRegex(SimulationError, sentence):
                check_output("--plot", Path(path), (".png", ".svg"), source)
        with self.assertRaisesRegex(SimulationError, "is the simulated file"):
            check_output("--csv", source, (".py",), source)


class Names(TestCase):
    ROWS = "2026-03-02T09:00 Acme/A 1\n2026-03-02T09:00 Bolt/A 1\n2026-03-02T09:00 Bolt/B 1"

    def test_it_refuses_names_that_are_not_in_the_file_or_could_mean_two(self) -> None:
        for option, value, sentence in (
            ("daily_budget", ["Acmee=1"], "the brand “Acmee”, which isn't in the file: it has Acme, Bolt."),
            ("monthly_budget", ["Acmé=1"], "the brand “Acmé”, which isn't in the file"),
            ("window", ["C=daily,08:00,20:00"], "--window names the brand “C”"),
            ("campaign_limit", ["C=1"], "the campaign “C”, which isn't in the file"),
            ("campaign_limit", ["A=1"], "could mean Acme/A, Bolt/A: use BRAND/CAMPAIGN=AMOUNT"),
        ):
            with self.subTest(option=option, value=value), self.assertRaises(SimulationError) as caught:
                simulate(self.ROWS, **{option: value})
            self.assertIn(sentence, str(caught.exception))

    def test_spellings_of_one_name_are_one_brand_and_campaign(self) -> None:
        rows = "2026-03-02T09:00 Müller/A 1\n2026-03-02T09:00 mu\u0308ller/a 1"
        report = simulate(rows, daily_budget=["MÜLLER=5"], campaign_limit=["MÜLLER/A=9"])
        (brand,) = report.brands
        self.assertEqual((brand.plan.name, brand.plan.daily_budget), ("Müller", 5))
        self.assertEqual([campaign.daily_limit for campaign in brand.plan.campaigns], [9])

    def test_a_name_with_what_can_not_be_seen_is_refused(self) -> None:
        with self.assertRaisesRegex(SimulationError, r"Line 2: “Ac\[U\+200B\]me” contains"):
            simulate("2026-03-02T09:00 Ac\u200bme/A 1")

    def test_it_refuses_two_budgets_for_every_brand(self) -> None:
        with self.assertRaisesRegex(SimulationError, "both set the budget of all other brands"):
            simulate(self.ROWS, daily_budget=["5"], daily_budget_factor="0.7")

    def test_it_refuses_a_median_day_that_makes_no_budget(self) -> None:
        with self.assertRaisesRegex(SimulationError, "isn't a budget from 0.01"):
            simulate("2026-03-02T09:00 Acme/A 0.001", daily_budget_factor="0.7")


# A five-minute bucket of two days, a campaign, and an amount in cents.
Spend = tuple[int, str, int]

histories = st.lists(
    st.tuples(st.integers(0, 2 * 288 - 1), st.sampled_from(["Acme/A", "Acme/B", "Bolt/C"]), st.integers(1, 9999)),
    min_size=1,
    max_size=40,
)
MIDNIGHT = datetime(2026, 3, 2, tzinfo=ZoneInfo("UTC"))


def played_by_hand(spends: list[Spend], budget: Decimal) -> dict[tuple[str, date], Decimal]:
    """What each brand spends a day with hourly checks: all up to the check that sees the budget reached."""
    spent: dict[tuple[str, date], Decimal] = defaultdict(Decimal)
    seen: dict[tuple[str, date], Decimal] = defaultdict(Decimal)
    last_hour = -1
    for bucket, campaign, cents in sorted(spends):
        if bucket // 12 != last_hour:
            seen, last_hour = spent.copy(), bucket // 12
        key = campaign.split("/")[0], (MIDNIGHT + timedelta(minutes=5 * bucket)).date()
        if seen[key] < budget:
            spent[key] += Decimal(cents) / 100
    return spent


class AnyHistory(HypothesisTestCase):
    @settings(max_examples=15)
    @given(spends=histories, budget=st.integers(1, 200))
    def test_what_is_spent_and_avoided_is_what_is_in_the_file(self, spends: list[Spend], budget: int) -> None:
        rows = [
            f"{(MIDNIGHT + timedelta(minutes=5 * bucket)).isoformat()} {who} {Decimal(cents) / 100}"
            for bucket, who, cents in spends
        ]
        report = simulate("\n".join(rows), daily_budget=[str(budget)], check_every="60")
        expected = played_by_hand(spends, Decimal(budget))
        for line in report.days:
            self.assertEqual(line.spent, expected[line.brand, line.day])
            self.assertEqual(line.spent + line.avoided, line.in_file)
            self.assertLess(line.overspend or 0, line.peak.amount if line.peak else 1)
        self.assertEqual(sum(line.in_file for line in report.days), Decimal(sum(c for _, _, c in spends)) / 100)


FILE = HEAD + (
    "2026-03-02T09:00:00+08:00,Acme,Search,60,1\n"
    "2026-03-02T09:07:00+08:00,Acme,Search,60.5,2\n"
    "2026-03-02T09:09:00+08:00,Acme,Video,5,3\n"
    "2026-03-02T09:10:00+08:00,Acme,Video,7,4\n"
    "2026-03-03T00:00:00+08:00,Acme,Search,10,5\n"
)
TABLE = """\
5 rows, 1 brand, 2 campaigns; 2026-03-02 09:00 to 2026-03-03 00:00 Asia/Shanghai; \
a check every 5 minutes, a quick check every 10 seconds.

                                                                 first        hours:
brand  day         budget  in file   spent  overspend      %     pause  daily budget  avoided
─────  ──────────  ──────  ───────  ──────  ─────────  ─────  ────────  ────────────  ───────
Acme   2026-03-02  100.00   132.50  120.50      20.50  20.50  09:07:10         14.88    12.00
Acme   2026-03-03  100.00    10.00   10.00       0.00   0.00         –             –     0.00

         days
brand  paused  in file   spent  avoided
─────  ──────  ───────  ──────  ───────
Acme   1 of 2   142.50  130.50    12.00

                          worst                     peak between
brand  a check every  overspend      %          on    two checks                 from
─────  ─────────────  ─────────  ─────  ──────────  ────────────  ───────────────────
Acme   10 seconds         20.50  20.50  2026-03-02         60.50  2026-03-02 09:07:00
Acme   5 minutes          25.50  25.50  2026-03-02         65.50  2026-03-02 09:05:00

Spent 130.50 of 142.50 in the file; avoided 12.00 (8.42 %).
Worst overspend: 20.50, 20.50 % of the budget, Acme on 2026-03-02; \
with full checks only, every 5 minutes: 25.50, 25.50 % of the budget, Acme on 2026-03-02.
With a quick check every 10 seconds, overspend is limited to the largest spend between two checks: \
60.50, Acme from 2026-03-02 09:07:00; with full checks only: 65.50, Acme from 2026-03-02 09:05:00.
"""


class ThroughManage(SimpleTestCase):
    """Whole runs of `manage.py simulate`, as processes."""

    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.place = Path(directory.name)
        self.file = self.place / "spend.csv"
        self.file.write_text(FILE)

    def test_it_prints_the_table_and_writes_the_picture_and_touches_no_other_database(self) -> None:
        live = self.place / "live.sqlite3"
        arguments = ["--daily-budget", "Acme=100", "--time-zone", "Asia/Shanghai"]
        arguments += ["--plot", str(self.place / "plot.png"), "--csv", str(self.place / "table.csv")]
        done = manage("simulate", str(self.file), *arguments, DATABASE_URL=f"sqlite:///{live}")
        self.assertEqual((done.stderr, done.returncode), ("", 0))
        self.assertTrue(done.stdout.startswith(TABLE), done.stdout)
        self.assertFalse(live.exists())
        self.assertTrue((self.place / "plot.png").read_bytes().startswith(b"\x89PNG"))
        first, _ = csv.DictReader(io.StringIO((self.place / "table.csv").read_text()))
        self.assertEqual((first["spent"], first["minutes_brand_daily_budget"]), ("120.5", "892.833"))

    def test_a_brand_like_a_formula_is_none_in_the_table(self) -> None:
        self.file.write_text(FILE.replace("Acme", "x;=1+1"))
        table = self.place / "table.csv"
        done = manage("simulate", str(self.file), "--daily-budget", "100", "--csv", str(table))
        self.assertEqual((done.stderr, done.returncode), ("", 0))
        self.assertIn("\nx;'=1+1,", table.read_text())

    def test_the_same_simulation_draws_the_same_svg(self) -> None:
        pictures = []
        for name in ("one.svg", "two.svg"):
            done = manage("simulate", str(self.file), "--daily-budget", "100", "--plot", str(self.place / name))
            self.assertEqual((done.stderr, done.returncode), ("", 0))
            pictures.append((self.place / name).read_bytes())
        self.assertIn(b"<svg", pictures[0])
        self.assertEqual(*pictures)

    def test_a_mistake_is_one_sentence_and_exit_status_1_and_nothing_is_written(self) -> None:
        broken = self.place / "broken.csv"
        broken.write_text(FILE + "oops\n")
        plot = self.place / "plot.png"
        for arguments, sentence in (
            (["spend.csv", "--daily-budget", "Bolt=5"], "names the brand “Bolt”, which isn't in the file"),
            (
                ["spend.csv", "--daily-budget-factor", "-1"],
                "--daily-budget-factor -1 isn't a number above 0",
            ),
            (["nowhere.csv"], "nowhere.csv can't be read (No such file or directory)"),
            (["broken.csv"], "broken.csv has invalid lines: correct or remove them. Line 7: "),
        ):
            with self.subTest(arguments):
                path = str(self.place / arguments[0])
                done = manage("simulate", path, *arguments[1:], "--plot", str(plot))
                self.assertEqual((done.returncode, done.stdout), (1, ""))
                self.assertIn(sentence, done.stderr)
                self.assertEqual(len(done.stderr.splitlines()), 1)
                self.assertFalse(plot.exists())


class LiveDatabase(SimpleTestCase):
    def test_it_refuses_to_run_outside_the_temporary_database(self) -> None:
        for claimed in (False, True):
            with (
                override_settings(SIMULATION=claimed),
                self.assertRaisesRegex(CommandError, "needs the temporary database"),
            ):
                call_command("simulate", "spend.csv")
