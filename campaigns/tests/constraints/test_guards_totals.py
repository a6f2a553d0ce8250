"""The database guards reported totals against every client (R16): their form, their keys, and what is booked."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from django.test import SimpleTestCase

from campaigns.models import CampaignLink, LinkedCampaign, PlatformAccount, SpendRecord, SpendTotal
from campaigns.rules.platforms import id_by_name, platform_id
from campaigns.services.totals.verify import keep_links
from campaigns.tests.support.factories import make_campaign, spend
from campaigns.tests.support.outside import POSTGRESQL, SQLITE, OutsideTestCase, utc_text
from campaigns.tests.totals.reports import store_ahead

UPSERT = """
    INSERT INTO campaigns_spendtotal (source, account, campaign, day, total, as_of) VALUES (%s, %s, %s, %s, %s, %s)
    ON CONFLICT (source, account, campaign, day) DO UPDATE SET total = EXCLUDED.total, as_of = EXCLUDED.as_of
"""


class PlatformIdTests(SimpleTestCase):
    def test_one_account_has_one_spelling(self) -> None:
        for text in ("123-456-7890", " 123 456 7890\n", "1234567890", "123\u2011456\u00a07890"):
            with self.subTest(text):
                self.assertEqual(platform_id(text), "1234567890")
        self.assertEqual(platform_id("ACT_ab-C"), "act_abc")
        self.assertEqual(id_by_name("Brand – Search"), "name:brandsearch")


class TotalsTestCase(OutsideTestCase):
    def report(self, total: Any = "180.50", *, as_of: str = "2024-11-27 20:00:00", **key: Any) -> None:
        row = {"source": "google_ads", "account": "1234567890", "campaign": "12345678901", "day": "2024-11-27"} | key
        self.run_sql(UPSERT, *row.values(), total, utc_text(as_of))

    def assert_total_refused(self, rule: str, total: Any = "1", **key: Any) -> None:
        as_of = key.pop("as_of", "2024-11-27 20:00:00")
        row = {"source": "google_ads", "account": "1234567890", "campaign": "12345678901", "day": "2024-11-27"} | key
        self.assert_refused(rule, UPSERT, *row.values(), total, as_of)

    def stored(self) -> tuple[str, str]:
        ((total, as_of),) = SpendTotal.objects.values_list("total", "as_of")
        return f"{total:.6f}", f"{as_of:%H:%M}"


class ContractTests(TotalsTestCase):
    def test_the_latest_report_counts(self) -> None:
        self.report("180.50")
        self.report("190", as_of="2024-11-27 21:00:00")
        self.assertEqual(self.stored(), ("190.000000", "21:00"))

    def test_an_older_report_changes_nothing(self) -> None:
        self.report("180.50")
        self.report("170", as_of="2024-11-27 19:59:59")
        self.assertEqual(self.stored(), ("180.500000", "20:00"))

    def test_a_report_of_the_same_moment_is_a_correction(self) -> None:
        self.report("180.50")
        self.report("180.25")
        self.assertEqual(self.stored(), ("180.250000", "20:00"))

    def test_an_unchanged_total_isn_t_written(self) -> None:
        self.report("180.50")
        self.report("180.5", as_of="2024-11-27 22:00:00")
        self.report(180.5000001, as_of="2024-11-27 22:00:00")
        self.assertEqual(self.stored(), ("180.500000", "20:00"))

    def test_several_rows_of_a_statement_each_follow_the_rule(self) -> None:
        self.report("1", campaign="a")
        self.report("1", campaign="b")
        rows = "('google_ads', '1234567890', %s, '2024-11-27', 2, %s)"
        head, tail = UPSERT.split("(%s, %s, %s, %s, %s, %s)")
        older, newer = utc_text("2024-11-27 10:00:00"), utc_text("2024-11-27 21:00:00")
        self.run_sql(f"{head} {rows}, {rows} {tail}", "a", older, "b", newer)
        self.assertEqual(dict(SpendTotal.objects.values_list("campaign", "total")), {"a": 1, "b": 2})

    def test_what_is_left_out_has_defaults(self) -> None:
        self.run_sql(
            "INSERT INTO campaigns_spendtotal (source, account, campaign, day, total)"
            " VALUES ('other', 'a', 'b', '2024-11-27', 1)"
        )
        total = SpendTotal.objects.get()
        self.assertLess(abs(datetime.now(UTC) - total.as_of), timedelta(minutes=5))
        self.assertEqual((total.booked, total.revision, total.waiting, total.rejected), (0, 0, 0, None))

    def test_a_float_is_rounded_to_whole_millionths(self) -> None:
        self.report(0.1 + 0.2)
        self.assertEqual(self.stored()[0], "0.300000")

    def test_a_figure_that_was_held_is_judged_anew_when_it_changes(self) -> None:
        self.report("1")
        for waiting, expected in ((1, 1), (4, 4), (5, 0), (6, 0), (7, 0)):
            with self.subTest(waiting):
                SpendTotal.objects.update(waiting=waiting, problem="why")
                self.report(str(SpendTotal.objects.get().total))
                self.assertEqual(SpendTotal.objects.get().waiting, waiting)
                self.report(str(waiting + 10))
                self.assertEqual(SpendTotal.objects.get().waiting, expected)


class FormTests(TotalsTestCase):
    def test_ids_have_one_form(self) -> None:
        rule = "spend_total_ids_in_lower_case_without_spaces_and_dashes"
        for text in ("", "ABC", "1 2", "1-2", "1\t2", "1\n2", "\r", "é" * 256):
            for column in ("account", "campaign"):
                with self.subTest(column, text=text):
                    self.assert_total_refused(rule if len(text) < 256 or SQLITE else "too long", **{column: text})
        self.report("1", account="é" * 255, campaign="name:x")

    def test_a_source_is_a_platform_of_the_list(self) -> None:
        for source in ("google", "Google_Ads", "fivetran", ""):
            with self.subTest(source):
                self.assert_total_refused("spend_total_source_known", source=source)

    def test_days_are_between_2012_and_2099(self) -> None:
        for day in ("2012-01-01", "2099-12-31"):
            with self.subTest(day):
                self.assert_total_refused("spend_total_day_between_2012_and_2099", day=day)
        self.report("1", day="2012-01-02")
        self.report("1", day="2099-12-30")

    def test_totals_are_below_500_million(self) -> None:
        for total in ("500000000", "-500000000", "NaN" if POSTGRESQL else "many", "1e400" if SQLITE else "Infinity"):
            with self.subTest(total):
                rule = "overflow" if total == "Infinity" else "spend_total_below_500_million"
                self.assert_total_refused(rule, float(total) if total == "1e400" else total)
        self.assert_total_refused("spend_total_below_500_million", 499_999_999.9999999)
        self.report("499999999.999999")
        self.report("-499999999.999999")

    def test_a_report_is_from_now_or_earlier(self) -> None:
        soon = f"{datetime.now(UTC) + timedelta(minutes=50):%Y-%m-%d %H:%M:%S}"
        later = f"{datetime.now(UTC) + timedelta(minutes=70):%Y-%m-%d %H:%M:%S}"
        self.report("1", as_of=soon)
        self.assert_total_refused("more than an hour ahead", "2", as_of=utc_text(later))
        self.assert_total_refused("more than an hour ahead", "2", as_of=utc_text(later), campaign="new")
        self.assert_refused(
            "more than an hour ahead", "UPDATE campaigns_spendtotal SET total = 2, as_of = %s", utc_text(later)
        )
        for as_of in ("2011-12-31 23:00:00", "2100-01-01 00:00:00"):
            rule = "spend_total_as_of_well_formed" if SQLITE or as_of < "2012" else "more than an hour ahead"
            self.assert_total_refused(rule, as_of=utc_text(as_of), campaign="new")

    if SQLITE:

        def test_dates_and_times_have_one_form(self) -> None:
            for day in ("2024-11-7", "27.11.2026", "2024-11-27 00:00:00", 20241127):
                with self.subTest(day):
                    self.assert_total_refused("spend_total_day_between_2012_and_2099", day=day)
            for as_of in ("2024-11-27T20:00:00Z", "2024-11-27", 7):
                with self.subTest(as_of):
                    self.assert_total_refused("spend_total_as_of_well_formed", as_of=as_of, campaign=f"a{as_of}"[:2])

        def test_a_total_is_a_number(self) -> None:
            for total in (b"5", "five", ""):
                with self.subTest(total):
                    self.assert_total_refused("spend_total_below_500_million", total)


class OursTests(TotalsTestCase):
    """Columns that booking writes."""

    def setUp(self) -> None:
        super().setUp()
        self.report("5")
        self.total = SpendTotal.objects.get()

    def book(self) -> SpendRecord:
        campaign = make_campaign()
        record = SpendRecord.objects.create(
            brand=campaign.brand, campaign=campaign, amount=5, total=self.total, revision=1
        )
        SpendTotal.objects.update(booked=5, revision=1, booked_campaign=campaign)
        return record

    def test_nothing_is_booked_without_a_record(self) -> None:
        for ours in ("1, 0", "0, -1"):
            self.assert_refused(
                "spend_total_booked_by_records",
                "INSERT INTO campaigns_spendtotal (source, account, campaign, day, total, booked, revision)"
                f" VALUES ('other', 'a', 'b', '2024-11-27', 1, {ours})",
            )

    def test_what_is_booked_changes_with_its_revision_only(self) -> None:
        self.book()
        for change in ("booked = 0", "booked = 6000000", "revision = 0, booked = 0", "revision = 0"):
            with self.subTest(change):
                self.assert_refused("with its next revision only", f"UPDATE campaigns_spendtotal SET {change}")
        self.run_sql("UPDATE campaigns_spendtotal SET booked = 6000000, revision = 2")

    def test_waiting_has_a_known_reason(self) -> None:
        for waiting in (-1, 8):
            with self.subTest(waiting):
                self.assert_refused("spend_total_waiting_known", f"UPDATE campaigns_spendtotal SET waiting = {waiting}")

    def test_a_total_keeps_its_key(self) -> None:
        for change in ("source = 'other'", "account = 'a'", "campaign = 'a'", "day = '2024-11-26'", "id = 0"):
            with self.subTest(change):
                self.assert_refused("a total keeps its source", f"UPDATE campaigns_spendtotal SET {change}")
        self.run_sql("UPDATE campaigns_spendtotal SET source = 'google_ads', account = account, total = 6")
        self.assertEqual(SpendTotal.objects.get().total, 6)

    def test_a_booked_total_stays(self) -> None:
        self.book()
        self.assert_refused("a booked total cannot be deleted", "DELETE FROM campaigns_spendtotal")

    def test_a_total_that_isn_t_booked_can_be_deleted(self) -> None:
        self.run_sql("DELETE FROM campaigns_spendtotal")
        self.assertFalse(SpendTotal.objects.exists())

    def test_a_revision_is_booked_once(self) -> None:
        record = self.book()
        columns = {"brand_id": record.brand_id, "campaign_id": record.campaign_id, "amount": 5}
        rule = "spend_of_a_total_booked_once" if POSTGRESQL else "campaigns_spendrecord.total_id"
        twice = columns | {"total_id": self.total.pk, "revision": 1}
        self.assert_refused(rule, self.insert_spend_sql(twice), *twice.values())

    def test_a_record_of_a_total_has_a_revision_and_no_external_id(self) -> None:
        campaign = make_campaign()
        columns = {"brand_id": campaign.brand_id, "campaign_id": campaign.pk, "amount": 5}
        for others in (
            {"total_id": self.total.pk},
            {"revision": 1},
            {"total_id": self.total.pk, "revision": 0},
            {"total_id": self.total.pk, "revision": 1, "external_id": "a"},
        ):
            with self.subTest(others):
                row = columns | others
                self.assert_refused("spend_of_a_total_has_a_revision", self.insert_spend_sql(row), *row.values())

    def test_totals_of_a_deleted_campaign_are_unassigned(self) -> None:
        record = self.book()
        account = PlatformAccount.objects.create(
            source=self.total.source, external_id=self.total.account, brand=record.brand
        )
        link = CampaignLink.objects.create(account=account, external_id=self.total.campaign, campaign=record.campaign)
        self.run_sql("DELETE FROM campaigns_spendrecord")
        self.run_sql("DELETE FROM campaigns_campaign")
        self.total.refresh_from_db()
        link.refresh_from_db()
        self.assertEqual((self.total.booked_campaign_id, self.total.booked, self.total.waiting), (None, 0, 1))
        self.assertEqual(self.total.revision, 2)
        self.assertIsNone(link.campaign_id)
        self.assertFalse(LinkedCampaign.objects.exists())
        self.run_sql("DELETE FROM campaigns_brandperiod")
        self.run_sql("DELETE FROM campaigns_brand")
        account.refresh_from_db()
        self.assertIsNone(account.brand_id)

    if POSTGRESQL:

        def test_totals_go_with_the_ledger_only(self) -> None:
            self.book()
            self.assert_refused("a booked total cannot be deleted", "TRUNCATE campaigns_spendtotal")
            self.run_sql("TRUNCATE campaigns_spendrecord")
            self.total.refresh_from_db()
            self.assertEqual((self.total.booked, self.total.revision), (0, 2))
            self.run_sql("TRUNCATE campaigns_spendtotal")


class AccountTests(OutsideTestCase):
    def add(self, table: str, **columns: Any) -> None:
        self.run_sql(*self.statement(table, columns))

    def statement(self, table: str, columns: dict[str, Any]) -> tuple[Any, ...]:
        places = ", ".join(["%s"] * len(columns))
        return f"INSERT INTO campaigns_{table} ({', '.join(columns)}) VALUES ({places})", *columns.values()

    def assert_row_refused(self, rule: str, table: str, **columns: Any) -> None:
        self.assert_refused(rule, *self.statement(table, columns))

    def test_an_account_is_there_once_and_its_id_has_one_form(self) -> None:
        self.add("platformaccount", source="google_ads", external_id="1")
        self.add("platformaccount", source="meta_ads", external_id="1")
        unique = "platform_account_unique" if POSTGRESQL else "UNIQUE constraint failed: campaigns_platformaccount"
        self.assert_row_refused(unique, "platformaccount", source="google_ads", external_id="1")
        rule = "platform_account_id_in_lower_case_without_spaces_and_dashes"
        self.assert_row_refused(rule, "platformaccount", source="google_ads", external_id="1-2")
        self.assert_row_refused("platform_account_source_known", "platformaccount", source="x", external_id="1")
        account = PlatformAccount.objects.first()
        assert account is not None
        self.assertEqual((account.interval_hours, account.currency, account.reported_until), (3, "", None))

    def test_an_account_reports_between_2012_and_2100_and_every_hour_at_most(self) -> None:
        account = {"source": "google_ads", "external_id": "1"}
        for until in ("2011-12-31 23:00:00", "2100-01-01 00:00:00"):
            rule = "platform_account_reported_between_2012_and_2100"
            rule = rule if SQLITE or until < "2012" else "more than an hour ahead"
            self.assert_row_refused(rule, "platformaccount", **account, reported_until=utc_text(until))
        rule = "platform_account_interval_of_0_to_10000_hours"
        self.assert_row_refused(rule, "platformaccount", **account, interval_hours=10_001)
        # A negative one is refused by the type of the column as well.
        self.assert_row_refused("interval", "platformaccount", **account, interval_hours=-1)
        self.add("platformaccount", **account, reported_until=utc_text("2024-11-27 20:00:00"), interval_hours=10_000)
        self.add("platformaccount", source="google_ads", external_id="never", interval_hours=0)

    def test_spend_of_an_account_is_known_up_to_now(self) -> None:
        now = datetime.now(UTC)
        soon, later = (utc_text(f"{now + timedelta(minutes=each):%Y-%m-%d %H:%M:%S}") for each in (50, 70))
        account = {"source": "google_ads", "external_id": "1"}
        self.assert_row_refused("more than an hour ahead", "platformaccount", **account, reported_until=later)
        self.add("platformaccount", **account, reported_until=soon)
        change = "UPDATE campaigns_platformaccount SET name = %s, reported_until = %s"
        self.assert_refused("more than an hour ahead", change, "a", later)
        store_ahead(PlatformAccount.objects.get(), now + timedelta(days=365))
        self.run_sql("UPDATE campaigns_platformaccount SET name = 'a', reported_until = reported_until")
        self.run_sql(change, "b", soon)
        corrected = PlatformAccount.objects.filter(name="b", reported_until__lt=now + timedelta(hours=1))
        self.assertTrue(corrected.exists())

    def test_a_link_is_there_once_and_belongs_to_an_account(self) -> None:
        account = PlatformAccount.objects.create(source="google_ads", external_id="1")
        self.add("campaignlink", account_id=account.pk, external_id="1")
        unique = "campaign_link_unique" if POSTGRESQL else "UNIQUE constraint failed: campaigns_campaignlink"
        self.assert_row_refused(unique, "campaignlink", account_id=account.pk, external_id="1")
        rule = "campaign_link_id_in_lower_case_without_spaces_and_dashes"
        self.assert_row_refused(rule, "campaignlink", account_id=account.pk, external_id="A")
        unknown = "foreign key" if POSTGRESQL else "a link belongs to an account"
        self.assert_row_refused(unknown, "campaignlink", account_id=0, external_id="2")
        self.assert_row_refused(unknown, "campaignlink", account_id=account.pk, external_id="2", campaign_id=0)
        self.assert_refused(unknown, "UPDATE campaigns_campaignlink SET account_id = 0")
        self.assert_refused(unknown, "UPDATE campaigns_campaignlink SET campaign_id = 0")
        self.assertFalse(CampaignLink.objects.get().ignored)

    def test_a_link_has_one_earlier_campaign_until_a_day(self) -> None:
        account = PlatformAccount.objects.create(source="google_ads", external_id="1")
        link = CampaignLink.objects.create(account=account, external_id="1")
        row = {"link_id": link.pk, "until": "2024-11-27", "campaign_id": make_campaign().pk}
        self.add("earlierlink", **row)
        unique = "earlier_link_unique" if POSTGRESQL else "UNIQUE constraint failed: campaigns_earlierlink"
        self.assert_row_refused(unique, "earlierlink", **row)
        if POSTGRESQL:
            self.assert_row_refused("foreign key", "earlierlink", **row | {"link_id": 0})

    def test_each_campaign_that_a_link_has_led_to_is_kept(self) -> None:
        account = PlatformAccount.objects.create(source="google_ads", external_id="1")
        first, second, third = (make_campaign().pk for _ in range(3))
        self.add("campaignlink", account_id=account.pk, external_id="a", campaign_id=first)
        self.add("campaignlink", account_id=account.pk, external_id="b")
        self.assertEqual(self.kept(), {("1", "a", first)})
        for change in (f"campaign_id = {second}", f"campaign_id = {first}", "campaign_id = NULL"):
            self.run_sql(f"UPDATE campaigns_campaignlink SET {change} WHERE external_id = 'a'")
        self.assertEqual(self.kept(), {("1", "a", first), ("1", "a", second)})
        self.run_sql(
            f"UPDATE campaigns_campaignlink SET campaign_id = {third}, external_id = 'c' WHERE external_id = 'b'"
        )
        self.run_sql("DELETE FROM campaigns_campaignlink")
        self.assertEqual(self.kept(), {("1", "a", first), ("1", "a", second), ("1", "c", third)})

    def test_links_of_an_account_with_a_new_key_are_kept_by_it(self) -> None:
        account = PlatformAccount.objects.create(source="google_ads", external_id="1")
        earlier, now = make_campaign().pk, make_campaign().pk
        link = CampaignLink.objects.create(account=account, external_id="a", campaign_id=now)
        self.add("earlierlink", link_id=link.pk, until="2024-11-27", campaign_id=earlier)
        self.run_sql("UPDATE campaigns_platformaccount SET external_id = '2'")
        self.assertEqual(self.kept(), {("1", "a", now), ("2", "a", now), ("2", "a", earlier)})

    def test_what_was_restored_without_triggers_is_kept_by_a_repair(self) -> None:
        account = PlatformAccount.objects.create(source="google_ads", external_id="1")
        earlier, now, booked = (make_campaign().pk for _ in range(3))
        link = CampaignLink.objects.create(account=account, external_id="a", campaign_id=now)
        self.add("earlierlink", link_id=link.pk, until="2024-11-27", campaign_id=earlier)
        total = {"source": "google_ads", "account": "1", "campaign": "b", "day": "2024-11-27", "total": 0}
        SpendTotal.objects.create(**total, booked_campaign_id=booked)
        self.run_sql("DELETE FROM campaigns_linkedcampaign")
        self.assertEqual((keep_links(), keep_links()), (3, 0))
        self.assertEqual(self.kept(), {("1", "a", now), ("1", "a", earlier), ("1", "b", booked)})

    def test_a_campaign_of_a_link_is_kept_once(self) -> None:
        row = {"source": "other", "account": "1", "campaign": "a", "linked_campaign_id": make_campaign().pk}
        self.add("linkedcampaign", **row)
        unique = "linked_campaign_unique" if POSTGRESQL else "UNIQUE constraint failed: campaigns_linkedcampaign"
        self.assert_row_refused(unique, "linkedcampaign", **row)

    def kept(self) -> set[tuple[str, str, int]]:
        return set(LinkedCampaign.objects.values_list("account", "campaign", "linked_campaign_id"))

    def test_a_link_is_assigned_or_ignored(self) -> None:
        campaign = make_campaign()
        account = PlatformAccount.objects.create(source="google_ads", external_id="1")
        row = {"account_id": account.pk, "external_id": "1", "campaign_id": campaign.pk, "ignored": True}
        self.assert_row_refused("campaign_link_ignored_has_no_campaign", "campaignlink", **row)
        self.add("campaignlink", **row | {"ignored": False})

    if SQLITE:

        def test_names_are_texts(self) -> None:
            rule = "platform_account_name_currency_and_timezone_are_text"
            for column in ("name", "currency", "timezone"):
                row: dict[str, Any] = {"source": "other", "external_id": "1", column: b"x"}
                self.assert_row_refused(rule, "platformaccount", **row)
            account = PlatformAccount.objects.create(source="google_ads", external_id="1")
            row = {"account_id": account.pk, "external_id": "1", "name": b"x"}
            self.assert_row_refused("campaign_link_name_is_text", "campaignlink", **row)


class BrandsWithAccountsTests(OutsideTestCase):
    def test_an_account_suggests_a_brand_that_is_there(self) -> None:
        spend(make_campaign(), 1)
        account = PlatformAccount.objects.create(source="google_ads", external_id="1")
        if POSTGRESQL:
            self.assert_refused("foreign key", "UPDATE campaigns_platformaccount SET brand_id = 0")
        self.assertIsNone(account.brand_id)
