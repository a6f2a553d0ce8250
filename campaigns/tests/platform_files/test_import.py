"""Importing a report: accounts, links and totals, what is remembered, and what is asked again."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.test import TestCase

from campaigns.models import Brand, Campaign, CampaignLink, FileFormat, PlatformAccount, SettingChange, SpendTotal
from campaigns.models.platforms.accounts import DEFAULT_INTERVAL
from campaigns.services.history.record import Channel, Source
from campaigns.services.platform_files.answers import Answers, Ask
from campaigns.services.platform_files.download import Download, open_download
from campaigns.services.platform_files.importing import ImportedReport, NotReady, import_download
from campaigns.services.totals.counted_twice import silent_and_counted_twice
from campaigns.services.totals.report import ReportedAccount, report_totals
from campaigns.services.totals.silence import accounts_of_brand, silence_warning, silent_accounts
from campaigns.tests.platform_files import files
from campaigns.tests.support.factories import make_brand, make_campaign, utc

NOW = utc("2026-11-29 04:00")
D26, D27 = date(2026, 11, 26), date(2026, 11, 27)
AMARA = Source("amara", Channel.IMPORT)
GOOGLE = Answers(account="123-456-7890")


class ImportCase(TestCase):
    def setUp(self) -> None:
        self.now = NOW

    def clock(self) -> datetime:
        return self.now

    def open(self, text: str, answers: Answers | None = None, brands: Mapping[str, int] | None = None) -> Download:
        return open_download(text.encode(), answers or Answers(), now=self.now, brands=brands)

    def import_file(
        self,
        text: str,
        answers: Answers | None = None,
        brands: Mapping[str, int] | None = None,
        *,
        link: bool = True,
        create: bool = False,
    ) -> ImportedReport:
        download = self.open(text, answers, brands)
        return import_download(download, link=link, create=create, source=AMARA, clock=self.clock)

    def totals(self) -> list[tuple[str, str, date, Decimal]]:
        rows = SpendTotal.objects.order_by("account", "campaign", "day")
        return list(rows.values_list("account", "campaign", "day", "total"))


class AccountTests(ImportCase):
    def test_a_file_without_an_account_asks_for_it(self) -> None:
        (question,) = self.open(files.GOOGLE_EN).questions
        self.assertEqual(question.ask, Ask.ACCOUNT)

    def test_the_account_of_an_answer_in_any_spelling(self) -> None:
        self.import_file(files.GOOGLE_EN, GOOGLE)
        account = PlatformAccount.objects.get()
        self.assertEqual((account.source, account.external_id, account.currency), ("google_ads", "1234567890", "USD"))
        self.assertEqual(
            self.totals(),
            [
                ("1234567890", "12345678901", D26, Decimal("1234.5")),
                ("1234567890", "12345678902", D26, Decimal(0)),
            ],
        )

    def test_the_account_is_remembered_only_for_its_own_campaigns(self) -> None:
        self.import_file(files.GOOGLE_EN, GOOGLE)
        self.assertEqual(self.open(files.GOOGLE_EN).questions, ())
        other = files.GOOGLE_EN.replace("123456789", "987654321")
        self.assertEqual([question.ask for question in self.open(other).questions], [Ask.ACCOUNT])

    def test_an_account_that_is_only_named_is_found_by_its_name(self) -> None:
        PlatformAccount.objects.create(source="microsoft_ads", external_id="a77", name="Acme", currency="USD")
        self.import_file(files.MICROSOFT)
        self.assertEqual({account for account, *_ in self.totals()}, {"a77"})

    def test_an_unknown_account_that_is_only_named(self) -> None:
        self.import_file(files.MICROSOFT)
        self.assertEqual(
            self.totals(),
            [
                ("name:acme", "name:display", D26, Decimal("35.2")),
                ("name:acme", "name:display", D27, Decimal(80)),
            ],
        )
        account = PlatformAccount.objects.get()
        self.assertEqual((account.name, account.reported_until), ("Acme", utc("2026-11-28 08:00")))
        self.assertEqual(account.timezone, "America/Los_Angeles")

    def test_another_currency_than_the_account_s(self) -> None:
        PlatformAccount.objects.create(source="microsoft_ads", external_id="a77", name="Acme", currency="EUR")
        download = self.open(files.MICROSOFT)
        self.assertIn("The account “Acme” is in EUR, line 12 in USD. Spend is never converted.", download.problems)
        with self.assertRaises(NotReady):
            import_download(download, link=True, create=False, source=AMARA, clock=self.clock)
        self.assertEqual(SpendTotal.objects.count(), 0)

    def test_a_currency_that_nothing_says_is_asked_once(self) -> None:
        download = self.open(files.PINTEREST)
        self.assertEqual([question.ask for question in download.questions], [Ask.CURRENCY])
        self.import_file(files.PINTEREST, Answers(currency="EUR"))
        self.assertEqual(PlatformAccount.objects.get().currency, "EUR")
        self.assertEqual(self.open(files.PINTEREST).questions, ())


class SilenceTests(ImportCase):
    def test_an_account_of_files_is_never_silent_and_fires_no_alert(self) -> None:
        acme = make_brand(name="Acme", currency="USD")
        campaign = make_campaign(acme, name="Display")
        self.import_file(files.MICROSOFT)
        account = PlatformAccount.objects.get()
        self.assertEqual((account.interval_hours, CampaignLink.objects.get().campaign), (0, campaign))
        later = NOW + timedelta(days=9)
        self.assertEqual(silent_accounts(now=later), [])
        self.assertEqual(silent_and_counted_twice(now=later, brands=None)[0], [])
        self.assertFalse(any(each.is_silent for each in accounts_of_brand(acme.pk, now=later)))
        self.assertEqual(silence_warning(now=later), "")
        # People enter an interval once a connector reports it.
        PlatformAccount.objects.update(interval_hours=3)
        self.assertEqual(silent_accounts(now=later), [account])
        self.assertTrue(accounts_of_brand(acme.pk, now=later)[0].is_silent)

    def test_an_account_that_a_connector_reports_keeps_its_interval(self) -> None:
        PlatformAccount.objects.create(source="microsoft_ads", external_id="a77", name="Acme", interval_hours=6)
        self.import_file(files.MICROSOFT)
        self.assertEqual(PlatformAccount.objects.get().interval_hours, 6)

    def test_an_account_that_a_connector_adds_while_the_file_is_open_keeps_its_interval(self) -> None:
        download = self.open(files.MICROSOFT)
        report_totals([], accounts=[ReportedAccount("microsoft_ads", "name:acme")])
        import_download(download, link=True, create=False, source=AMARA, clock=self.clock)
        account = PlatformAccount.objects.get()
        self.assertEqual((account.interval_hours, account.currency), (DEFAULT_INTERVAL, "USD"))


class LinkTests(ImportCase):
    def setUp(self) -> None:
        super().setUp()
        self.acme = make_brand(name="Acme", currency="USD", timezone="America/New_York")
        self.display = make_campaign(self.acme, name="Display")

    def test_a_brand_of_the_account_s_name_and_a_campaign_of_the_same_name(self) -> None:
        done = self.import_file(files.MICROSOFT)
        link = CampaignLink.objects.get()
        self.assertEqual((link.campaign, done.linked, done.unassigned), (self.display, 1, 0))
        account = PlatformAccount.objects.get()
        self.assertEqual((account.brand, account.timezone), (self.acme, "America/Los_Angeles"))
        self.assertEqual(done.brands, {self.acme.pk})

    def test_links_are_left_alone_without_being_asked(self) -> None:
        done = self.import_file(files.MICROSOFT, link=False)
        self.assertEqual((CampaignLink.objects.get().campaign, done.unassigned), (None, 1))

    def test_missing_campaigns_are_created_in_the_chosen_brand(self) -> None:
        done = self.import_file(files.GOOGLE_EN, GOOGLE, {"": self.acme.pk}, create=True)
        names = set(Campaign.objects.filter(brand=self.acme).values_list("name", flat=True))
        self.assertEqual(names, {"Display", "Search | Brand, exact", "PMax - Herbst 2026"})
        self.assertEqual((done.created, done.linked, done.unassigned), (2, 0, 0))
        changed = SettingChange.objects.filter(actor="amara")
        self.assertEqual(changed.values("campaign").distinct().count(), 2)

    def test_a_brand_in_another_currency_gets_nothing(self) -> None:
        euro = make_brand(name="Euro", currency="EUR")
        make_campaign(euro, name="PMax - Herbst 2026")
        done = self.import_file(files.GOOGLE_EN, GOOGLE, {"": euro.pk}, create=True)
        self.assertEqual((done.created, done.linked, done.unassigned), (0, 0, 2))

    def test_a_file_without_ids_uses_the_link_of_the_same_name(self) -> None:
        account = PlatformAccount.objects.create(source="microsoft_ads", external_id="a77", name="Acme", currency="USD")
        CampaignLink.objects.create(account=account, external_id="555", name="Display", campaign=self.display)
        self.import_file(files.MICROSOFT)
        self.assertEqual({campaign for _, campaign, *_ in self.totals()}, {"555"})

    def test_two_links_of_one_name_are_not_guessed_between(self) -> None:
        account = PlatformAccount.objects.create(source="microsoft_ads", external_id="a77", name="Acme", currency="USD")
        for external_id in ("555", "556"):
            CampaignLink.objects.create(account=account, external_id=external_id, name="Display")
        self.assertIn("The account has 2 campaigns “Display”", " ".join(self.open(files.MICROSOFT).problems))

    def test_two_names_that_give_one_id(self) -> None:
        text = files.MICROSOFT.replace('"Display","USD","80.00"', '"Dis-play","USD","80.00"')
        self.assertIn("can’t be told apart by their names", " ".join(self.open(text).problems))

    def test_spend_that_was_imported_by_name_does_not_count_again_by_id(self) -> None:
        self.import_file(files.META_FR.replace("Marque", "Suche"), Answers(account="act_1"))
        self.now += timedelta(hours=1)
        by_id = files.META.replace("Prospecting", "Suche")
        self.assertIn("would count twice by its ID", " ".join(self.open(by_id, Answers(account="act_1")).problems))


class AgainTests(ImportCase):
    def test_the_same_file_again_changes_nothing(self) -> None:
        self.assertEqual(self.import_file(files.MICROSOFT).written, 2)
        before = list(SpendTotal.objects.values_list("pk", "total", "as_of"))
        self.now += timedelta(hours=1)
        done = self.import_file(files.MICROSOFT)
        self.assertEqual((done.written, done.left), (0, 2))
        self.assertEqual(list(SpendTotal.objects.values_list("pk", "total", "as_of")), before)

    def test_a_newer_file_restates_a_day(self) -> None:
        self.import_file(files.DV360)
        newer = files.DV360.replace("2026/11/28 09:00", "2026/11/28 12:00").replace("777,0,0.000000", "777,9,4.000000")
        self.assertEqual(self.open(newer).changes, {"new": 0, "changed": 1, "unchanged": 1, "older": 0})
        self.assertEqual(self.import_file(newer).written, 1)
        older = files.DV360.replace("777,0,0.000000", "777,9,5.000000")
        self.assertEqual(self.open(older).changes["older"], 1)
        self.assertEqual(self.import_file(older).written, 0)

    def test_a_format_is_remembered_by_headings(self) -> None:
        self.import_file(files.MICROSOFT)
        known = FileFormat.objects.get()
        self.assertEqual(
            (known.name, known.source, known.order, known.who),
            ("Microsoft Advertising", "microsoft_ads", "mdy", "amara"),
        )
        ambiguous = files.MICROSOFT.replace("11/26/2026", "11/05/2026").replace("11/27/2026", "11/06/2026")
        self.assertEqual(self.open(ambiguous).report.days, (date(2026, 11, 5), date(2026, 11, 6)))
        self.import_file(files.MICROSOFT_DE)
        self.assertEqual(FileFormat.objects.count(), 2)

    def test_a_brand_that_a_person_may_not_see(self) -> None:
        make_campaign(make_brand(name="Acme", currency="USD"), name="Display")
        self.import_file(files.MICROSOFT)
        download = open_download(files.MICROSOFT.encode(), Answers(), now=self.now, visible=Brand.objects.none())
        self.assertIn("spend of brands that you don’t have access to", " ".join(download.problems))
