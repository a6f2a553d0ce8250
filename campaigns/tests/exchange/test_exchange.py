"""Import and export of brands, campaigns and schedules: what a file changes, and what it must not."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from campaigns.models import Brand, BrandAssignment, Campaign, DaypartingSchedule, ImportDraft, StatusChange
from campaigns.services.enforcement.enforce import enforce
from campaigns.services.exchange.columns import Kind
from campaigns.services.exchange.csv_files import write_csv
from campaigns.services.exchange.imports import ImportConflict, find_draft, format_value
from campaigns.services.scope import Scope
from campaigns.tests.support.exchanging import FORMATS, NOON, ExchangeTestCase, at_noon, csv_of
from campaigns.tests.support.factories import make_brand, make_campaign, make_window, recorded_changes, spend
from campaigns.tests.support.outside import POSTGRESQL

ODD_NAMES = (
    "Plain",
    "=1+1",
    "+49 30",
    "-5%",
    "@SUM(A1)",
    "'=quoted",
    "''",
    "'Tis the season",
    "＝wide",
    '"quoted", with comma; and semicolon',
    "two\nlines",
    "tab\tin",
    " space around ",
    "Ünïcödé 日本 🎯",
    "_x0041_",
    "007",
    "1e5",
    "true",
    "2026-01-01",
    "x;=1+1;y",
    "a,\t'-b|+c",
    "#REF!",
    "'#N/A",
)


class RoundTrip(ExchangeTestCase):
    """What is exported and imported again changes nothing, whatever the names are made of."""

    def setUp(self) -> None:
        super().setUp()
        for number, name in enumerate(ODD_NAMES):
            limit = Decimal(number).scaleb(-6) if number % 3 else None
            brand = make_brand(name=name, daily_budget=limit, monthly_budget="999999999.999999", currency="EUR")
            campaign = make_campaign(brand, name=name, daily_spend_limit=limit, starts_on=date(2026, 1, 1))
            if number % 2:
                make_window(campaign, 1 << number % 7, "22:00", "02:00")
                make_window(campaign, 127)

    def test_it_changes_nothing(self) -> None:
        for kind in Kind:
            columns, rows = self.export(kind)
            for name, write in FORMATS.items():
                with self.subTest(f"{kind} in {name}"):
                    plan = self.preview(self.keep(kind, write(columns, rows), name)).plan
                    self.assertEqual((plan.problems, plan.lines), ([], []))
                    self.assertEqual(plan.same, len(ODD_NAMES))

    def test_it_finds_rows_by_their_names_too(self) -> None:
        for kind in Kind:
            columns, rows = self.export(kind)
            for name, write in FORMATS.items():
                with self.subTest(f"{kind} in {name}"):
                    plan = self.preview(self.keep(kind, write(columns[1:], [row[1:] for row in rows]), name)).plan
                    self.assertEqual((plan.problems, plan.lines), ([], []))

    def test_a_brand_in_a_zone_that_nobody_knows_is_exported_as_it_is(self) -> None:
        Brand.objects.all().update(timezone="Mars/Olympus")
        columns, rows = self.export(Kind.BRANDS)
        self.assertEqual(self.preview(self.keep(Kind.BRANDS, write_csv(columns, rows))).plan.lines, [])

    def test_amounts_are_plain_digits_and_computed_columns_come_last(self) -> None:
        columns, rows = self.export(Kind.BRANDS)
        self.assertEqual(columns[-2:], ["spent_today", "spent_this_month"])
        plain = next(row for row in rows if row[1] == "+49 30")
        self.assertEqual(
            plain[2:], ["on", "EUR", "UTC", Decimal("0.000002"), Decimal("999999999.999999"), "", "", 0, 0]
        )


class WhatAFileChanges(ExchangeTestCase):
    def test_it_writes_the_columns_that_differ_and_takes_effect_at_once(self) -> None:
        campaign = make_campaign(name="Search", daily_spend_limit=100)
        spend(campaign, 60, NOON)
        draft = self.keep(Kind.CAMPAIGNS, csv_of(("id", "name", "daily_spend_limit"), (campaign.pk, "Search", "60")))
        preview = self.preview(draft)
        self.assertEqual((preview.effects.paused, len(preview.plan.changed)), (1, 1))
        campaign.refresh_from_db()
        self.assertEqual((campaign.daily_spend_limit, campaign.status), (100, "active"))
        Campaign.objects.update(name="Renamed by a colleague", starts_on="2026-01-01")
        with self.assertRaises(ImportConflict) as caught:
            self.apply(draft)
        self.assertIn("changed after the preview", caught.exception.sentences[0])
        self.preview(draft)
        self.assertEqual(self.apply(draft).enforced.paused, 1)
        campaign.refresh_from_db()
        self.assertEqual((campaign.name, str(campaign.starts_on), campaign.status), ("Search", "2026-01-01", "paused"))
        self.assertEqual({change.actor for change in StatusChange.objects.all()}, {"amara"})
        self.assertFalse(ImportDraft.objects.exists())

    def test_it_leaves_columns_alone_that_the_file_does_not_have(self) -> None:
        campaign = make_campaign(daily_spend_limit=100)
        draft = self.keep(Kind.CAMPAIGNS, csv_of(("id", "enabled"), (campaign.pk, "off")))
        self.preview(draft)
        Campaign.objects.update(daily_spend_limit=70)
        self.apply(draft)
        campaign.refresh_from_db()
        self.assertEqual((campaign.enabled, campaign.daily_spend_limit), (False, 70))

    def test_it_adds_what_is_not_there(self) -> None:
        make_brand(name="Alpine")
        rows = (("name", "currency", "timezone", "daily_budget"), ("Boreal", "EUR", "Europe/Paris", "0"))
        self.take_in(Kind.BRANDS, *rows)
        boreal = Brand.objects.get(name="Boreal")
        self.assertEqual((boreal.currency, boreal.timezone, boreal.daily_budget), ("EUR", "Europe/Paris", 0))
        header = ("brand", "name", "enabled", "starts_on", "status")
        done = self.take_in(
            Kind.CAMPAIGNS,
            header,
            ("Boreal", " Search ", "", "", "active"),
            ("Alpine", "Video", "off", "2026-12-01", ""),
        )
        self.assertEqual(len(done.plan.new), 2)
        self.assertEqual(done.plan.ignored, ["status"])
        search, video = Campaign.objects.order_by("name")
        self.assertEqual((search.name, search.enabled, search.status), ("Search", True, "paused"))
        self.assertEqual((video.enabled, str(video.starts_on)), (False, "2026-12-01"))

    def test_it_leaves_an_entry_in_the_log_for_each_row(self) -> None:
        campaign = make_campaign(name="Search", daily_spend_limit=None)
        header = ("brand", "name", "daily_spend_limit")
        self.take_in(
            Kind.CAMPAIGNS, header, (campaign.brand.name, "Search", "12.5"), (campaign.brand.name, "Video", "")
        )
        self.assertEqual(
            recorded_changes(actor=self.person.get_username(), channel="import"),
            [
                "Search: daily spend limit, no limit → 12.50 USD",
                "Video: created, – → Video",
                "Video: on or off, – → on",
            ],
        )

    def test_it_renames_by_id(self) -> None:
        campaign = make_campaign(name="Search")
        self.take_in(Kind.CAMPAIGNS, ("id", "name"), (campaign.pk, "Find"))
        campaign.refresh_from_db()
        self.assertEqual(campaign.name, "Find")

    def test_a_new_zone_re_books_the_brand(self) -> None:
        campaign = make_campaign(make_brand(name="Alpine", daily_budget=10, timezone="UTC"))
        spend(campaign, 10, "2026-11-20 00:30")
        enforce(Scope.everything(), clock=at_noon, actor="test")
        rows = (("name", "timezone"), ("Alpine", "America/New_York"))
        preview = self.preview(self.keep(Kind.BRANDS, csv_of(*rows)))
        self.assertEqual(preview.effects.resumed, 1)
        self.assertEqual(self.take_in(Kind.BRANDS, *rows).enforced.resumed, 1)

    def test_a_schedule_becomes_what_the_file_says_of_its_campaign(self) -> None:
        one, other = make_campaign(name="One"), make_campaign(name="Other")
        make_window(one, 1, "09:00", "10:00")
        kept = make_window(other, 1, "09:00", "10:00")
        header = ("campaign_id", "days", "from", "until")
        self.take_in(
            Kind.CAMPAIGNS, header, (one.pk, "Mon-Fri", "9:00", "18:00"), (one.pk, "Sat, Sun", "22:00", "02:00:00")
        )
        self.assertEqual(
            sorted(str(window) for window in one.windows.all()), ["Mon–Fri 09:00–18:00", "Sat, Sun 22:00–02:00"]
        )
        self.assertEqual(list(other.windows.all()), [kept])
        self.take_in(Kind.CAMPAIGNS, header, (one.pk, "always", "", ""))
        self.assertFalse(one.windows.exists())
        changes = recorded_changes(campaign=one.pk)
        self.assertIn("One: schedule, Mon–Fri 09:00–18:00, Sat, Sun 22:00–02:00 → always", changes)

    def test_somebody_elses_change_of_a_schedule_refuses_the_file(self) -> None:
        campaign = make_campaign(name="Search")
        draft = self.keep(
            Kind.CAMPAIGNS, csv_of(("campaign_id", "days", "from", "until"), (campaign.pk, "Mon", "09:00", "18:00"))
        )
        self.preview(draft)
        make_window(campaign, 2, "10:00", "11:00")
        with self.assertRaises(ImportConflict):
            self.apply(draft)
        self.assertEqual(DaypartingSchedule.objects.count(), 1)

    def test_confirming_twice_imports_once(self) -> None:
        make_brand(name="Alpine")
        draft = self.keep(Kind.CAMPAIGNS, csv_of(("brand", "name"), ("Alpine", "Search")))
        self.preview(draft)
        twin = ImportDraft.objects.get()
        self.apply(draft)
        with self.assertRaises(ImportConflict) as caught:
            self.apply(twin)
        self.assertEqual(
            caught.exception.sentences, ["1 of the rows already match the file: someone else edited them."]
        )

    def test_values_are_told_in_words(self) -> None:
        message = [
            format_value("x", value, "EUR") for value in (None, True, Decimal("0.000001"), date(2026, 1, 2), "EUR")
        ]
        self.assertEqual(message, ["empty", "on", "0.000001 EUR", "2026-01-02", "EUR"])


class WhoMayImport(ExchangeTestCase):
    def person_with(self, *permissions: str) -> User:
        person = User.objects.create(username="nadia")
        person.user_permissions.set(Permission.objects.filter(codename__in=permissions))
        return person

    def test_a_limited_person_gets_for_others_the_answer_for_what_is_not_there(self) -> None:
        theirs = make_campaign(make_brand(name="Theirs"), name="Search")
        ours = make_campaign(make_brand(name="Ours"))
        self.person = self.person_with("only_assigned_brands", "change_campaign", "add_campaign", "change_brand")
        BrandAssignment.objects.create(user=self.person, brand=ours.brand)
        absent = self.problems(Kind.CAMPAIGNS, ("brand", "name"), ("Nobody", "Search"))
        hidden = self.problems(Kind.CAMPAIGNS, ("brand", "name"), ("Theirs", "Search"))
        self.assertEqual(
            [message.replace("Theirs", "Nobody") for _, message in hidden], [message for _, message in absent]
        )
        hidden = self.problems(Kind.CAMPAIGNS, ("id", "enabled"), (theirs.pk, "off"))
        self.assertIn(f"unknown campaign {theirs.pk}", hidden[0][1])
        hidden = self.problems(Kind.BRANDS, ("id", "enabled"), (theirs.brand_id, "off"))
        self.assertIn(f"unknown brand {theirs.brand_id}", hidden[0][1])
        hidden = self.problems(Kind.CAMPAIGNS, ("campaign_id", "days"), (theirs.pk, "always"))
        self.assertIn(f"unknown campaign {theirs.pk}", hidden[0][1])

    def test_changing_and_adding_are_permissions_of_their_own(self) -> None:
        make_brand(name="Alpine")
        self.person = self.person_with("change_brand")
        sentence = "Unknown brand “Boreal”: correct the name."
        self.assertEqual(self.problems(Kind.BRANDS, ("name",), ("Boreal",)), [(2, sentence)])
        self.person = User.objects.create(username="omar")
        self.person.user_permissions.set(Permission.objects.filter(codename="add_brand"))
        sentence = "“Alpine” exists, and you don’t have permission to change brands: remove the line."
        self.assertEqual(self.problems(Kind.BRANDS, ("name", "enabled"), ("Alpine", "off")), [(2, sentence)])

    def test_a_file_is_kept_for_the_person_alone_and_for_a_day(self) -> None:
        draft = self.keep(Kind.BRANDS, csv_of(("name",), ("Alpine",)))
        other = User.objects.create(username="bo", is_superuser=True)
        self.assertIsNone(find_draft(draft.pk, person=other))
        self.assertEqual(find_draft(draft.pk, person=self.person), draft)
        again = self.keep(Kind.BRANDS, csv_of(("name",), ("Boreal",)))
        self.assertEqual(list(ImportDraft.objects.all()), [again])
        ImportDraft.objects.update(created_at="2026-11-19T11:59:59Z")
        self.person = other
        self.keep(Kind.BRANDS, csv_of(("name",), ("Boreal",)))
        self.assertEqual(ImportDraft.objects.get().user, other)


class AThousandLines(ExchangeTestCase):
    def statements(self, count: int) -> int:
        brand = make_brand(name=f"Brand of {Brand.objects.count()}")
        Campaign.objects.bulk_create(Campaign(brand=brand, name=str(n)) for n in range(count))
        rows = [(brand.name, str(n), "off", n + 1) for n in range(count + count // 2)]
        header = ("brand", "name", "enabled", "daily_spend_limit")
        with CaptureQueriesContext(connection) as captured:
            self.take_in(Kind.CAMPAIGNS, header, *rows)
        return len(captured)

    def test_it_takes_as_many_statements_as_ten(self) -> None:
        self.statements(10)  # what is looked up once and remembered
        few, many = self.statements(10), self.statements(1_000)
        # SQLite takes fewer parameters in a statement, so it gets new rows and the log in several.
        self.assertLessEqual(many - few, 4 if POSTGRESQL else 40)
