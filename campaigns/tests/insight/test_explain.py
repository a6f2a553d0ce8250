"""The explanation of a status and of its changes: since when, why, on which spend, and what comes next."""

from __future__ import annotations

from datetime import date, time
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.test import SimpleTestCase

from campaigns.models import Brand, Campaign, DaypartingSchedule, StatusChange
from campaigns.rules.periods import NEVER, minute_of
from campaigns.rules.reasons import ALL_REASONS
from campaigns.rules.reasons import PauseReason as Reason
from campaigns.services.insight.explain import Explanation, Facts, explain_status
from campaigns.services.insight.explain_change import ChangeExplanation, explain_change, find_start
from campaigns.services.insight.forecast import next_closing
from campaigns.tests.support.factories import utc

NO_REASON = Reason(0)
# A Friday in Paris.
NOON = "2026-11-20 12:00+01:00"

WEEKDAYS, FRIDAY, EVERY_DAY = 31, 16, 127
BRAND = ("timezone", "currency", "daily_budget", "monthly_budget")


def window(days: int, start: str, end: str) -> DaypartingSchedule:
    return DaypartingSchedule(days_of_week=days, start_time=time.fromisoformat(start), end_time=time.fromisoformat(end))


def line(at: str, before: int, after: int, actor: str = "check_budgets", **decided_on: Any) -> StatusChange:
    spends = {"campaign_spend": Decimal(0), "brand_day_spend": Decimal(0), "brand_month_spend": Decimal(0)}
    amounts = {name: None if value is None else Decimal(value) for name, value in decided_on.items()}
    return StatusChange(
        at=utc(at), reasons_before=int(before), reasons_after=int(after), actor=actor, **(spends | amounts)
    )


def explain(reasons: int, *lines: StatusChange, **of: Any) -> str:
    """Return the explanation of a campaign's status in one text."""
    return explained(reasons, *lines, **of).text


def explained(
    reasons: int,
    *lines: StatusChange,
    now: str = NOON,
    windows: Any = (),
    spent: tuple[Any, Any, Any] = (0, 0, 0),
    **of: Any,
) -> Explanation:
    """Return the explanation of a campaign's status; the lines of history are in the order of writing."""
    brand = Brand(
        **{"timezone": "Europe/Paris", "currency": "EUR"} | {name: of.pop(name) for name in BRAND if name in of}
    )
    fields = {"next_change_minute": NEVER, "created_at": utc("2026-10-01 07:00")} | of
    campaign = Campaign(brand=brand, pause_reasons=int(reasons), **fields)
    spends = [Decimal(amount) for amount in spent]
    return explain_status(Facts(campaign, list(windows), lines[::-1], *spends), utc(now))


class RemedyTests(SimpleTestCase):
    """What a person can do to let a paused campaign run now."""

    def assert_remedy(self, remedy: str, reasons: int, **of: Any) -> None:
        self.assertEqual(explained(reasons, **of).remedy, remedy)

    def test_each_reason_has_its_own(self) -> None:
        for reason, remedy in (
            (Reason.CAMPAIGN_DISABLED, "turn it on"),
            (Reason.BRAND_DISABLED, "resume the brand"),
            (Reason.NOT_STARTED, "move its start date to today"),
            (Reason.ENDED, "move its end date to today or later"),
            (Reason.OUTSIDE_SCHEDULE, "add this time to its schedule"),
        ):
            self.assert_remedy(f"To let it run now: {remedy}.", reason)
        archived = utc("2026-11-01")
        self.assert_remedy(
            "To let it run now: restore it and turn it on.", Reason.CAMPAIGN_DISABLED, archived_at=archived
        )

    def test_a_limit_is_raised_above_the_spend_that_counts(self) -> None:
        limits = {"daily_spend_limit": Decimal(10), "daily_budget": Decimal(50), "monthly_budget": Decimal(90)}
        spent = ("12.50", "51", "99")
        for reason, remedy in (
            (Reason.CAMPAIGN_DAILY_LIMIT, "raise the daily spend limit above 12.50 EUR"),
            (Reason.BRAND_DAILY_BUDGET, "raise the brand's daily budget above 51.00 EUR"),
            (Reason.BRAND_MONTHLY_BUDGET, "raise the brand's monthly budget above 99.00 EUR"),
        ):
            self.assert_remedy(f"To let it run now: {remedy}.", reason, spent=spent, **limits)

    def test_all_reasons_are_to_be_lifted(self) -> None:
        reasons = Reason.CAMPAIGN_DISABLED | Reason.OUTSIDE_SCHEDULE | Reason.CAMPAIGN_DAILY_LIMIT
        self.assert_remedy(
            "To let it run now: turn it on, add this time to its schedule and raise the daily spend limit above"
            " 0.00 EUR.",
            reasons,
            daily_spend_limit=Decimal(0),
            spent=(-5, 0, 0),
        )

    def test_there_is_none_where_it_runs_or_the_next_check_resumes_it(self) -> None:
        self.assert_remedy("", 0)
        self.assert_remedy("", Reason.CAMPAIGN_DAILY_LIMIT, daily_spend_limit=Decimal(10), spent=(5, 0, 0))
        self.assert_remedy("", Reason.OUTSIDE_SCHEDULE, next_change_minute=minute_of(utc(NOON)))
        self.assert_remedy("", Reason.BRAND_DISABLED, timezone="Mars/Olympus")


class PausedByALimitTests(SimpleTestCase):
    limit = Decimal(110)

    def reached(self, at: str = "2026-11-20 11:05+01:00") -> StatusChange:
        return line(at, 0, Reason.CAMPAIGN_DAILY_LIMIT, campaign_spend="110.32", campaign_limit="110")

    def test_it_says_since_when_on_which_spend_and_until_when(self) -> None:
        self.assertEqual(
            explain(Reason.CAMPAIGN_DAILY_LIMIT, self.reached(), daily_spend_limit=self.limit, spent=("110.32", 0, 0)),
            "Paused since 11:05: daily spend limit of 110.00 EUR reached at 110.32."
            " Resumes tonight at 00:00 (Europe/Paris), when the new day begins.",
        )

    def test_it_says_the_spend_by_now_if_more_arrived(self) -> None:
        self.assertIn(
            "reached at 110.32, 111.50 by now.",
            explain(Reason.CAMPAIGN_DAILY_LIMIT, self.reached(), daily_spend_limit=self.limit, spent=("111.5", 0, 0)),
        )

    def test_a_limit_that_was_reached_on_another_day_too_is_compared_with_the_spend_of_today(self) -> None:
        self.assertIn(
            "daily spend limit of 110.00 EUR reached, 120.00 spent today.",
            explain(
                Reason.CAMPAIGN_DAILY_LIMIT,
                self.reached("2026-11-19 11:05+01:00"),
                daily_spend_limit=self.limit,
                spent=("120", 0, 0),
            ),
        )

    def test_a_limit_that_was_changed_since_is_compared_with_the_spend_of_now(self) -> None:
        self.assertIn(
            "daily spend limit of 100.00 EUR reached, 111.50 spent today.",
            explain(Reason.CAMPAIGN_DAILY_LIMIT, self.reached(), daily_spend_limit=Decimal(100), spent=("111.5", 0, 0)),
        )

    def test_a_limit_of_zero_waits_for_people(self) -> None:
        self.assertEqual(
            explain(
                Reason.CAMPAIGN_DAILY_LIMIT,
                line("2026-11-20 09:00+01:00", 0, Reason.CAMPAIGN_DAILY_LIMIT, campaign_limit="0"),
                daily_spend_limit=Decimal(0),
            ),
            "Paused since 09:00: daily spend limit is 0, so nothing can be spent."
            " Resumes when its daily spend limit of 0 is raised.",
        )

    def test_where_midnight_lies_outside_its_schedule_it_names_the_next_window(self) -> None:
        self.assertIn(
            " The limit resets tonight at 00:00, outside the schedule, so it resumes on Mon 23 Nov at 08:00"
            " (Europe/Paris), when its next window opens.",
            explain(
                Reason.CAMPAIGN_DAILY_LIMIT,
                self.reached(),
                daily_spend_limit=self.limit,
                windows=[window(WEEKDAYS, "08:00", "18:00")],
            ),
        )

    def test_where_a_window_is_open_at_midnight_it_resumes_then(self) -> None:
        for start, end in (("00:00", "01:00"), ("22:00", "00:01")):
            self.assertIn(
                " Resumes tonight at 00:00 (Europe/Paris), when the new day begins.",
                explain(
                    Reason.CAMPAIGN_DAILY_LIMIT,
                    self.reached(),
                    daily_spend_limit=self.limit,
                    windows=[window(EVERY_DAY, start, end)],
                ),
            )

    def test_the_brands_budgets(self) -> None:
        both = Reason.BRAND_DAILY_BUDGET | Reason.BRAND_MONTHLY_BUDGET
        reached = line(
            "2026-11-19 23:59+01:00",
            0,
            both,
            brand_day_spend="500",
            brand_daily_budget="500",
            brand_month_spend="9000.01",
            brand_monthly_budget="9000",
        )
        self.assertEqual(
            explain(
                both, reached, daily_budget=Decimal(500), monthly_budget=Decimal(9000), spent=(0, "500", "9000.01")
            ),
            "Paused since yesterday 23:59: the brand's daily budget of 500.00 EUR reached, 500.00 spent today;"
            " the brand's monthly budget of 9,000.00 EUR reached at 9,000.01."
            " Resumes on Tue 1 Dec at 00:00 (Europe/Paris), when the new month begins.",
        )


class PausedByTimeTests(SimpleTestCase):
    def test_outside_its_schedule(self) -> None:
        closed = line("2026-11-20 11:00+01:00", 0, Reason.OUTSIDE_SCHEDULE)
        for opening, when in (
            (window(EVERY_DAY, "12:01", "12:02"), "today at 12:01"),
            (window(EVERY_DAY, "00:00", "11:00"), "tonight at 00:00"),
            (window(EVERY_DAY, "11:00", "12:00"), "tomorrow at 11:00"),
        ):
            self.assertEqual(
                explain(Reason.OUTSIDE_SCHEDULE, closed, windows=[opening]),
                f"Paused since 11:00: outside its schedule. Resumes {when} (Europe/Paris), when its next window opens.",
            )

    def test_before_its_first_day(self) -> None:
        made = line("2026-11-13 10:00+01:00", 0, Reason.NOT_STARTED, actor="amara")
        for starts, day, at in (
            (date(2026, 11, 21), "tomorrow", "tonight at 00:00"),
            (date(2026, 11, 22), "on Sun 22 Nov", "on Sun 22 Nov at 00:00"),
        ):
            self.assertEqual(
                explain(Reason.NOT_STARTED, made, starts_on=starts),
                f"Paused since Fri 13 Nov 10:00: it starts {day}."
                f" Resumes {at} (Europe/Paris), when its first day begins.",
            )

    def test_after_its_last_day_it_stays_paused(self) -> None:
        self.assertEqual(
            explain(Reason.ENDED, line("2026-11-20 00:00+01:00", 0, Reason.ENDED), ends_on=date(2026, 11, 19)),
            "Paused since 00:00: its last day was yesterday. Stays paused: it ended on 2026-11-19.",
        )

    def test_a_reason_with_a_date_has_no_start(self) -> None:
        ended, closed = Reason.ENDED, Reason.OUTSIDE_SCHEDULE
        self.assertIn(
            "Paused since yesterday 18:00: its last day was yesterday; outside its schedule. ",
            explain(
                closed | ended,
                line("2026-11-19 18:00+01:00", 0, closed),
                line("2026-11-20 00:00+01:00", closed, closed | ended),
                ends_on=date(2026, 11, 19),
                windows=[window(FRIDAY, "18:00", "20:00")],
            ),
        )

    def test_where_its_end_comes_before_it_may_run_again(self) -> None:
        self.assertIn(
            " Stays paused: it ends on 2026-11-20, before it can run again.",
            explain(
                Reason.OUTSIDE_SCHEDULE,
                line("2026-11-20 11:00+01:00", 0, Reason.OUTSIDE_SCHEDULE),
                windows=[window(FRIDAY, "10:00", "11:00")],
                ends_on=date(2026, 11, 20),
            ),
        )


class PausedByPeopleTests(SimpleTestCase):
    def test_it_names_who_switched_it_off(self) -> None:
        self.assertEqual(
            explain(Reason.CAMPAIGN_DISABLED, line("2026-11-20 09:00+01:00", 0, Reason.CAMPAIGN_DISABLED, "amara")),
            "Paused since 09:00: turned off by amara. Resumes when it is turned on.",
        )

    def test_a_job_or_command_is_not_named_as_a_person(self) -> None:
        for actor in ("quick_check", "manage.py enforce", "import_spend"):
            self.assertIn(
                ": the brand is paused. Resumes when the brand is resumed.",
                explain(Reason.BRAND_DISABLED, line("2026-11-20 09:00+01:00", 0, Reason.BRAND_DISABLED, actor)),
            )


class SeveralReasonsTests(SimpleTestCase):
    def test_each_says_since_when_it_holds_if_that_is_later(self) -> None:
        limit, closed = Reason.CAMPAIGN_DAILY_LIMIT, Reason.OUTSIDE_SCHEDULE
        self.assertEqual(
            explain(
                closed | limit | Reason.CAMPAIGN_DISABLED,
                line("2026-11-20 09:00+01:00", 0, limit, campaign_spend="10", campaign_limit="10"),
                line("2026-11-20 10:00+01:00", limit, limit | closed),
                line("2026-11-20 11:00+01:00", limit | closed, limit | closed | Reason.CAMPAIGN_DISABLED, "amara"),
                daily_spend_limit=Decimal(10),
                spent=("10", 0, 0),
                windows=[window(FRIDAY, "08:00", "10:00")],
            ),
            "Paused since 09:00: turned off by amara since 11:00; outside its schedule since 10:00;"
            " daily spend limit of 10.00 EUR reached at 10.00."
            " Resumes when it is turned on, but not before Fri 27 Nov 08:00 (Europe/Paris).",
        )

    def test_it_is_paused_since_the_status_became_so_and_not_since_its_reasons_last_changed(self) -> None:
        limit, closed = Reason.CAMPAIGN_DAILY_LIMIT, Reason.OUTSIDE_SCHEDULE
        lines = [
            line("2026-11-18 08:00+01:00", closed, 0),
            line("2026-11-18 09:00+01:00", 0, limit),
            line("2026-11-18 18:00+01:00", limit, limit | closed),
            line("2026-11-19 00:00+01:00", limit | closed, closed),
        ]
        self.assertIn(
            "Paused since Wed 18 Nov 09:00: outside its schedule since Wed 18 Nov 18:00;"
            " before that: daily spend limit reached. Resumes ",
            explain(closed, *lines, windows=[window(FRIDAY, "18:00", "20:00")]),
        )

    def test_where_the_lines_do_not_reach_back_it_says_so(self) -> None:
        later = line(
            "2026-11-20 09:00+01:00", Reason.OUTSIDE_SCHEDULE, Reason.OUTSIDE_SCHEDULE | Reason.CAMPAIGN_DISABLED
        )
        text = explain(
            Reason.OUTSIDE_SCHEDULE | Reason.CAMPAIGN_DISABLED, later, windows=[window(FRIDAY, "18:00", "20:00")]
        )
        self.assertTrue(text.startswith("Paused since before 09:00: "), text)


class ActiveTests(SimpleTestCase):
    resumed = line("2026-11-20 08:00+01:00", Reason.OUTSIDE_SCHEDULE, 0)

    def test_until_its_window_closes(self) -> None:
        self.assertEqual(
            explain(0, self.resumed, windows=[window(FRIDAY, "08:00", "18:00")]),
            "Active since 08:00. Next pause: today at 18:00 (Europe/Paris), when its window closes.",
        )

    def test_with_a_limit_it_may_pause_sooner(self) -> None:
        for limit in ("daily_spend_limit", "daily_budget", "monthly_budget"):
            limits: dict[str, Any] = {limit: Decimal(5)}
            self.assertIn(
                ", when its window closes, or sooner if a limit is reached.",
                explain(0, self.resumed, windows=[window(FRIDAY, "08:00", "18:00")], **limits),
            )
            self.assertIn(" Runs until a limit is reached.", explain(0, self.resumed, **limits))

    def test_its_last_day_or_its_window_whichever_comes_first(self) -> None:
        last: dict[str, Any] = {"ends_on": date(2026, 11, 20)}
        self.assertIn(" tonight at 00:00 (Europe/Paris), when its last day is over.", explain(0, self.resumed, **last))
        for end, when in (
            ("23:59", "today at 23:59 (Europe/Paris), when its window closes"),
            ("00:00", "tonight at 00:00"),
        ):
            self.assertIn(when, explain(0, self.resumed, windows=[window(FRIDAY, "08:00", end)], **last))

    def test_nothing_will_pause_it(self) -> None:
        for windows in ([], [window(EVERY_DAY, "00:00", "00:00")]):
            self.assertEqual(
                explain(0, windows=windows),
                "Active since it was created on Thu 1 Oct at 09:00."
                " Nothing will pause it: no limit, end date or schedule.",
            )

    def test_a_zone_that_is_unknown(self) -> None:
        self.assertEqual(
            explain(0, self.resumed, timezone="Mars/Olympus"),
            "Active since 07:00. The brand’s time zone, “Mars/Olympus”, is unknown: correct it to apply budgets, dates"
            " and schedules.",
        )


class ResumedTests(SimpleTestCase):
    """The explanation of an active campaign names the new day or month with which it resumed."""

    def resumed(self, at: str, reason: Reason, since: str = "2026-11-19 20:00+01:00") -> str:
        limits: dict[str, Any] = {"campaign_limit": "10", "brand_monthly_budget": "90"}
        lines = line(since, 0, reason, **limits), line(at, reason, 0, "quick_check", **limits)
        return explain(0, *lines, daily_spend_limit=Decimal(10))

    def test_a_new_day(self) -> None:
        self.assertEqual(
            self.resumed("2026-11-20 00:00+01:00", Reason.CAMPAIGN_DAILY_LIMIT),
            "Active since 00:00: new day. Runs until a limit is reached.",
        )

    def test_a_new_month(self) -> None:
        text = self.resumed("2026-11-01 00:00+01:00", Reason.BRAND_MONTHLY_BUDGET, "2026-10-20 20:00+02:00")
        self.assertEqual(text, "Active since Sun 1 Nov 00:00: new month. Runs until a limit is reached.")

    def test_a_refund_of_the_same_day_or_another_reason_is_none(self) -> None:
        refunded = self.resumed("2026-11-20 09:00+01:00", Reason.CAMPAIGN_DAILY_LIMIT, "2026-11-20 08:00+01:00")
        self.assertEqual(refunded, "Active since 09:00. Runs until a limit is reached.")
        opened = self.resumed("2026-11-20 09:00+01:00", Reason.OUTSIDE_SCHEDULE)
        self.assertEqual(opened, "Active since 09:00. Runs until a limit is reached.")


class NextCheckTests(SimpleTestCase):
    def test_a_change_that_is_due_waits_for_the_next_check(self) -> None:
        due = " Due now; updates at the next check."
        minute = minute_of(utc(NOON))
        self.assertIn(due, explain(0, ActiveTests.resumed, next_change_minute=minute))
        self.assertNotIn(due, explain(0, ActiveTests.resumed, next_change_minute=minute + 1))


class FindStartTests(SimpleTestCase):
    def test_history_that_contradicts_the_status_gives_no_start(self) -> None:
        lines = [line("2026-11-20 09:00", 4, 0), line("2026-11-20 08:00", 0, 4)]
        self.assertIs(find_start(lines, lambda reasons: reasons == 0), lines[0])
        self.assertIsNone(find_start(lines, bool))


def change(before: int, after: int, actor: str = "amara", **decided_on: Any) -> ChangeExplanation:
    amounts = {name: Decimal(value) for name, value in decided_on.items()}
    spends = dict.fromkeys(("campaign_spend", "brand_day_spend", "brand_month_spend"), Decimal(0))
    line = StatusChange(reasons_before=int(before), reasons_after=int(after), actor=actor, **(spends | amounts))
    return explain_change(line, "EUR")


class ChangeTests(SimpleTestCase):
    def test_paused_by_a_limit(self) -> None:
        self.assertEqual(
            change(0, Reason.CAMPAIGN_DAILY_LIMIT, "quick_check", campaign_spend="110.32", campaign_limit="110"),
            ChangeExplanation(
                "Paused", ["daily spend limit reached: 110.32 of 110.00 EUR"], NO_REASON, "Quick check (job)"
            ),
        )

    def test_resumed_on_a_new_day(self) -> None:
        self.assertEqual(
            change(Reason.BRAND_DAILY_BUDGET, 0, "reset_daily_spend", brand_day_spend="0", brand_daily_budget="500"),
            ChangeExplanation(
                "Resumed",
                ["brand's daily budget no longer reached: 0.00 of 500.00 EUR"],
                NO_REASON,
                "Reset daily spend (job)",
            ),
        )

    def test_a_new_day_or_month_is_the_reason_of_a_resume(self) -> None:
        day, month = Reason.CAMPAIGN_DAILY_LIMIT, Reason.BRAND_MONTHLY_BUDGET
        begun = line("2026-11-30 22:00+01:00", 0, day | month, campaign_limit="10", brand_monthly_budget="90")

        def resumed(at: str, actor: str = "check_budgets", limit: str = "10") -> list[str]:
            ended = line(at, day | month, 0, actor, campaign_limit=limit, brand_monthly_budget="90")
            return explain_change(ended, "EUR", earlier=[begun], zone=ZoneInfo("Europe/Paris")).reasons

        new_month = "new month, brand's monthly budget: 0.00 of 90.00 EUR"
        self.assertEqual(
            resumed("2026-12-01 00:00+01:00"), ["new day, daily spend limit: 0.00 of 10.00 EUR", new_month]
        )
        self.assertEqual(
            resumed("2026-12-01 09:00+01:00", "amara", "20"),
            ["daily spend limit raised: 0.00 of 20.00 EUR", new_month],
        )
        # The same day in the brand's zone.
        self.assertIn("daily spend limit no longer reached: 0.00 of 10.00 EUR", resumed("2026-11-30 23:59+01:00"))
        begun.campaign_limit = Decimal(0)
        self.assertIn("daily spend limit raised: 0.00 of 10.00 EUR", resumed("2026-12-01 09:00+01:00"))

    def test_a_limit_that_was_taken_away(self) -> None:
        self.assertEqual(change(Reason.BRAND_MONTHLY_BUDGET, 0).reasons, ["brand's monthly budget removed"])

    def test_one_reason_goes_another_comes_and_a_third_stays(self) -> None:
        off, closed, early = Reason.CAMPAIGN_DISABLED, Reason.OUTSIDE_SCHEDULE, Reason.NOT_STARTED
        self.assertEqual(
            change(closed | early, off | early),
            ChangeExplanation("Still paused", ["turned off", "inside its schedule"], early, "amara"),
        )

    def test_every_reason_has_a_text_for_its_start_and_its_end(self) -> None:
        for reason in ALL_REASONS:
            self.assertEqual(len(change(0, reason).reasons), 1)
            self.assertEqual(len(change(reason, 0).reasons), 1)


class NextClosingTests(SimpleTestCase):
    paris = ZoneInfo("Europe/Paris")

    def closes(self, now: str, *windows: DaypartingSchedule) -> Any:
        return next_closing(windows, self.paris, utc(now))

    def test_the_end_is_excluded(self) -> None:
        hours = window(FRIDAY, "08:00", "18:00")
        self.assertEqual(self.closes("2026-11-20 17:59:59+01:00", hours), utc("2026-11-20 18:00+01:00"))
        self.assertEqual(self.closes("2026-11-20 18:00+01:00", hours), utc("2026-11-20 18:00+01:00"))

    def test_windows_that_touch_are_one(self) -> None:
        night, morning = window(FRIDAY, "22:00", "02:00"), window(32, "02:00", "03:00")
        self.assertEqual(self.closes("2026-11-20 23:00+01:00", night, morning), utc("2026-11-21 03:00+01:00"))
        self.assertEqual(self.closes("2026-11-21 01:00+01:00", night), utc("2026-11-21 02:00+01:00"))
        self.assertEqual(
            self.closes("2026-11-20 23:00+01:00", window(FRIDAY, "20:00", "00:00")), utc("2026-11-21 00:00+01:00")
        )

    def test_an_hour_that_comes_twice_is_open_twice(self) -> None:
        night = window(EVERY_DAY, "01:00", "02:30")
        self.assertEqual(self.closes("2026-10-25 01:30+02:00", night), utc("2026-10-25 02:30+02:00"))
        self.assertEqual(self.closes("2026-10-25 02:15+01:00", night), utc("2026-10-25 02:30+01:00"))

    def test_an_end_in_the_hour_that_is_skipped(self) -> None:
        self.assertEqual(
            self.closes("2026-03-29 01:30+01:00", window(EVERY_DAY, "01:00", "02:30")), utc("2026-03-29 01:00")
        )

    def test_never(self) -> None:
        self.assertIsNone(self.closes("2026-11-20 17:00"))
        self.assertIsNone(
            self.closes("2026-11-20 17:00", window(EVERY_DAY, "00:00", "12:00"), window(EVERY_DAY, "12:00", "00:00"))
        )
