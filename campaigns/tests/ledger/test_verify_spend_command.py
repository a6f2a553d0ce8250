"""manage.py verify_spend: what it prints, what it mends, and when it fails."""

from __future__ import annotations

from datetime import date
from io import StringIO

from django.core.management import CommandError, call_command

from campaigns.models import AccountingTimeZone, BrandPeriod, CampaignDay
from campaigns.tests.ledger.test_verify import VerifyTestCase
from campaigns.tests.support.ledger import totals_folded, totals_of_records


def command(*args: str) -> str:
    out = StringIO()
    call_command("verify_spend", *args, stdout=out, no_color=True)
    return out.getvalue()


class TheCommand(VerifyTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.who = {"campaign": f"Winter (campaign {self.campaign.pk})", "brand": f"Acme (brand {self.brand.pk})"}

    def damage(self) -> None:
        CampaignDay.objects.update(spend=0)
        BrandPeriod.objects.filter(kind="month").update(spend=1_234_512)

    def test_it_says_that_all_is_well(self) -> None:
        for args in ([], ["--repair"], ["--since", "2026-11-01"]):
            self.assertEqual(command(*args), "All totals match the spend records.\n")

    def test_it_names_what_differs_and_fails(self) -> None:
        self.damage()
        out = StringIO()
        with self.assertRaisesMessage(CommandError, "2 totals to repair: run verify_spend --repair.") as failure:
            call_command("verify_spend", stdout=out)
        self.assertEqual(failure.exception.returncode, 1)
        self.assertEqual(
            out.getvalue().splitlines(),
            [
                f"campaign day 2026-11-20 of {self.who['campaign']} is 12.50 USD too low",
                f"brand month 2026-11-01 of {self.who['brand']} is 1,234,499.50 USD too high",
            ],
        )
        self.assertEqual(CampaignDay.objects.get().spend, 0)

    def test_it_repairs_what_differs(self) -> None:
        self.damage()
        self.assertEqual(command("--repair").splitlines()[-1], "2 totals repaired.")
        self.assertEqual(totals_folded(), totals_of_records())
        self.assertEqual(command(), "All totals match the spend records.\n")

    def test_it_misses_the_totals_of_a_brand_that_lost_its_books(self) -> None:
        AccountingTimeZone.objects.all().delete()
        BrandPeriod.objects.all().delete()
        CampaignDay.objects.all().delete()
        with self.assertRaisesMessage(
            CommandError,
            "The period records of 1 brand are missing or in the wrong time zone: run verify_spend --repair, or wait"
            " for the next check.",
        ):
            command()
        self.assertEqual(CampaignDay.objects.count(), 0)
        self.assertEqual(command("--repair").splitlines()[0], "1 brand recomputed.")
        self.assertEqual(totals_folded(), totals_of_records())
        self.assertEqual(command(), "All totals match the spend records.\n")

    def test_it_counts_one_total_in_the_singular(self) -> None:
        CampaignDay.objects.update(spend=0)
        with self.assertRaisesMessage(CommandError, "1 total to repair"):
            call_command("verify_spend", stdout=StringIO())
        self.assertEqual(command("--repair").splitlines()[-1], "1 total repaired.")

    def test_it_looks_only_at_what_is_since_a_day(self) -> None:
        BrandPeriod.objects.filter(kind="day").update(spend=0)
        self.assertEqual(command("--since", "2026-11-21"), "All totals match the spend records.\n")
        with self.assertRaises(CommandError):
            command("--since", "2026-11-20")
        self.assertEqual(command("--repair", "--since", "2026-11-20").splitlines()[-1], "1 total repaired.")

    def test_it_shows_the_first_fifty(self) -> None:
        CampaignDay.objects.bulk_create(
            CampaignDay(
                campaign=self.campaign, day=date(2020, 1, 1).replace(month=1 + n // 28, day=1 + n % 28), spend=1
            )
            for n in range(60)
        )
        lines = command("--repair").splitlines()
        self.assertEqual((len(lines), lines[50], lines[51]), (52, "… and 10 more.", "60 totals repaired."))

    def test_it_refuses_what_is_not_a_date(self) -> None:
        for text in ("yesterday", "2026-13-01", "20.11.2026", ""):
            with self.subTest(text), self.assertRaisesMessage(CommandError, f"--since {text!r} isn't a valid date"):
                command("--since", text)
