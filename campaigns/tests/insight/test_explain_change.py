"""What the history on a campaign's page says of a change: what happened, on which facts, by whom."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.test import SimpleTestCase

from campaigns.models import StatusChange
from campaigns.rules.reasons import ALL_REASONS
from campaigns.rules.reasons import PauseReason as Reason
from campaigns.services.insight.explain_change import ChangeExplanation, tell_change

NO_REASON = Reason(0)


def told(before: int, after: int, actor: str = "amara", **decided_on: Any) -> ChangeExplanation:
    amounts = {name: Decimal(value) for name, value in decided_on.items()}
    spends = dict.fromkeys(("campaign_spend", "brand_day_spend", "brand_month_spend"), Decimal(0))
    line = StatusChange(reasons_before=int(before), reasons_after=int(after), actor=actor, **(spends | amounts))
    return tell_change(line, "EUR")


class ChangeStoryTests(SimpleTestCase):
    def test_paused_by_a_limit(self) -> None:
        self.assertEqual(
            told(0, Reason.CAMPAIGN_DAILY_LIMIT, "quick_check", campaign_spend="110.32", campaign_limit="110"),
            ChangeExplanation(
                "Paused", ["daily spend limit reached: 110.32 of 110.00 EUR"], NO_REASON, "Quick check (job)"
            ),
        )

    def test_resumed_on_a_new_day(self) -> None:
        self.assertEqual(
            told(Reason.BRAND_DAILY_BUDGET, 0, "reset_daily_spend", brand_day_spend="0", brand_daily_budget="500"),
            ChangeExplanation(
                "Resumed",
                ["brand's daily budget not reached: 0.00 of 500.00 EUR"],
                NO_REASON,
                "Reset daily spend (job)",
            ),
        )

    def test_a_limit_that_was_taken_away(self) -> None:
        self.assertEqual(told(Reason.BRAND_MONTHLY_BUDGET, 0).why, ["no brand's monthly budget any more"])

    def test_one_reason_goes_another_comes_and_a_third_stays(self) -> None:
        off, closed, early = Reason.CAMPAIGN_DISABLED, Reason.OUTSIDE_SCHEDULE, Reason.NOT_STARTED
        self.assertEqual(
            told(closed | early, off | early),
            ChangeExplanation("Still paused", ["switched off", "inside its schedule"], early, "amara"),
        )

    def test_every_reason_has_words_for_its_beginning_and_its_end(self) -> None:
        for reason in ALL_REASONS:
            self.assertEqual(len(told(0, reason).why), 1)
            self.assertEqual(len(told(reason, 0).why), 1)
