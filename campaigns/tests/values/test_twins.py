"""One name is one brand, and one campaign of its brand, however it is written and through whichever door it comes."""

from __future__ import annotations

from decimal import Decimal
from unittest import skipUnless

from django.db import IntegrityError
from django.test import TestCase
from django.utils import timezone

from campaigns.models import Brand, Campaign, SpendRecord
from campaigns.services.intake import placement
from campaigns.services.intake.csv_reader import Row
from campaigns.services.intake.importer import import_spend
from campaigns.services.naming.find_names import find_brands, find_campaigns
from campaigns.tests.intake.test_import_spend import ImportCase
from campaigns.tests.support.factories import make_brand, make_campaign, utc
from campaigns.tests.support.outside import POSTGRESQL, OutsideTestCase
from campaigns.tests.support.together import let_in

NAME = "M\u00fcller GmbH"
SPELLINGS = ("Mu\u0308ller GmbH", "M\u00fcller\u00a0GmbH", "m\u00fcller gmbh", "MÜLLER  GMBH")
NOON = "2026-11-26T12:00:00Z"

BRAND_SQL = "INSERT INTO campaigns_brand (name) VALUES (%s)"
CAMPAIGN_SQL = "INSERT INTO campaigns_campaign (brand_id, name) VALUES (%s, %s)"


class StoredKeys(OutsideTestCase):
    """The key of a name is stored with it; a name that SQL writes has none."""

    def key(self, row: Brand | Campaign) -> str | None:
        row.refresh_from_db()
        key: str | None = row.name_key
        return key

    def test_a_new_row_has_the_key_of_its_name(self) -> None:
        self.assertEqual(self.key(make_brand(name=NAME)), "müller gmbh")
        Brand.objects.bulk_create([Brand(name="Acme")])
        self.assertEqual(Brand.objects.get(name="Acme").name_key, "acme")

    def test_the_database_refuses_a_twin(self) -> None:
        campaign = make_campaign(make_brand(name=NAME), name="Übersicht")
        make_campaign(name="Übersicht")
        with self.assertRaises(IntegrityError):
            make_brand(name="müller gmbh")
        with self.assertRaises(IntegrityError):
            make_campaign(campaign.brand, name="übersicht")

    def test_a_renaming_by_sql_leaves_no_key(self) -> None:
        campaign = make_campaign(make_brand(name="Acme"), name="Display")
        self.run_sql("UPDATE campaigns_brand SET name = 'Zeta'")
        self.run_sql("UPDATE campaigns_campaign SET name = 'Zeta'")
        self.assertEqual([self.key(campaign.brand), self.key(campaign)], [None, None])

    def test_a_statement_that_leaves_the_name_leaves_the_key(self) -> None:
        campaign = make_campaign(make_brand(name="Acme"), name="Display")
        for table in ("brand", "campaign"):
            self.run_sql(f"UPDATE campaigns_{table} SET name = name, enabled = %s", False)
        self.assertEqual([self.key(campaign.brand), self.key(campaign)], ["acme", "display"])

    def test_a_save_of_the_name_writes_the_key(self) -> None:
        campaign = make_campaign(make_brand(name="Acme"), name="Acme")
        for name, key in (("ACME", "acme"), ("Zeta", "zeta")):
            for row in (campaign, campaign.brand):
                row.name = name
                row.save(update_fields=["name"])
                self.assertEqual(self.key(row), key)

    def test_a_twin_by_sql_can_be_saved(self) -> None:
        campaign = make_campaign(make_brand(name=NAME), name="Display")
        self.run_sql(BRAND_SQL, "müller gmbh")
        self.run_sql(CAMPAIGN_SQL, campaign.brand_id, "display")
        for row in (Brand.objects.get(name="müller gmbh"), Campaign.objects.get(name="display")):
            row.enabled = False
            row.save()
            self.assertIsNone(self.key(row))
            self.assertFalse(row.enabled)


class FoundNames(OutsideTestCase):
    def test_every_spelling_finds_the_row(self) -> None:
        campaign = make_campaign(make_brand(name=NAME), name=NAME)
        make_campaign(name=NAME)
        self.assertEqual(find_brands(SPELLINGS).ids, dict.fromkeys(SPELLINGS, campaign.brand_id))
        wanted = [(campaign.brand_id, name) for name in SPELLINGS]
        self.assertEqual(find_campaigns(wanted).ids, dict.fromkeys(wanted, campaign.pk))

    def test_names_written_by_sql_are_found_at_once(self) -> None:
        brand = make_brand(name="Acme")
        self.run_sql("UPDATE campaigns_brand SET name = %s", "Mu\u0308ller GmbH")
        self.run_sql(CAMPAIGN_SQL, brand.pk, "Mu\u0308ller GmbH")
        self.assertEqual(find_brands([NAME, "Acme"]).ids, {NAME: brand.pk})
        found = find_campaigns([(brand.pk, NAME), (brand.pk + 1, NAME)])
        self.assertEqual(found.ids, {(brand.pk, NAME): Campaign.objects.get().pk})

    def test_of_twins_each_is_found_by_its_own_name_and_none_by_another(self) -> None:
        for name in ("Acme", "ACME"):
            self.run_sql(BRAND_SQL, name)
        found = find_brands(["Acme", "ACME", "Acme ", "acme"])
        pks = dict(Brand.objects.values_list("name", "pk"))
        self.assertEqual(found.ids, {"Acme": pks["Acme"], "ACME": pks["ACME"], "Acme ": pks["Acme"]})
        self.assertEqual(
            found.problems, {"acme": "The brand “acme” could be “ACME” or “Acme”: write one of them exactly."}
        )

    def test_a_name_with_what_can_not_be_seen_is_refused_unless_a_row_is_named_so(self) -> None:
        make_brand(name="Acme")
        self.run_sql(BRAND_SQL, "Ze\u200bta")
        found = find_brands(["Ac\u200bme", "Ze\u200bta", "Zeta", " "])
        zeta = Brand.objects.get(name="Ze\u200bta").pk
        self.assertEqual(found.ids, {"Ze\u200bta": zeta, "Zeta": zeta})
        self.assertEqual(list(found.problems), ["Ac\u200bme"])
        self.assertIn("“Ac[U+200B]me” contains the character U+200B", found.problems["Ac\u200bme"])


class SpendFiles(ImportCase, TestCase):
    """The rows of one campaign in four spellings, the last with a zero-width space before its name."""

    ROWS = (
        f"{NOON},Mu\u0308ller GmbH,U\u0308bersicht,3.20,1",
        f"{NOON},M\u00fcller\u00a0GmbH,\u00dcbersicht,3.20,2",
        f"{NOON},m\u00fcller gmbh,\u00dcbersicht,3.20,3",
        f"{NOON},M\u00fcller GmbH,\u200b\u00dcbersicht,3.20,4",
    )

    def test_they_are_of_one_brand_and_no_twin_is_created(self) -> None:
        campaign = make_campaign(make_brand(name=NAME, daily_budget=500), name="\u00dcbersicht")
        self.write(*self.ROWS)
        for create in ((), ("--create",)):
            SpendRecord.objects.all().delete()
            said = self.run_it("--skip-errors", *create)
            self.assert_said(said, "3 rows imported", "line 5: “[U+200B]Übersicht” contains the character U+200B")
            self.assertEqual(set(SpendRecord.objects.values_list("campaign", flat=True)), {campaign.pk})
        self.assertEqual((Brand.objects.count(), Campaign.objects.count()), (1, 1))

    def test_what_is_new_is_created_once_in_its_normal_form(self) -> None:
        self.write(*self.ROWS)
        self.assert_said(self.run_it("--skip-errors", "--create"), "3 rows imported")
        self.assertEqual(list(Campaign.objects.values_list("brand__name", "name")), [(NAME, "\u00dcbersicht")])

    def test_no_brand_is_created_for_a_campaign_that_is_refused(self) -> None:
        self.write(f"{NOON},Neu,\u200bX,1,a", f"{NOON},Acme,X,1,b")
        self.run_it("--skip-errors", "--create")
        self.assertEqual(Brand.objects.get().name, "Acme")

    def test_a_row_of_no_brand_is_never_that_of_brand_0(self) -> None:
        make_campaign(make_brand(id=0, name="Zero"), name="X")
        self.write(f"{NOON},Zero,X,1,a", f"{NOON},Unknown,X,1,b")
        self.assert_said(self.run_it("--skip-errors"), "1 row imported", "Unknown brand “Unknown”")

    def test_a_decomposed_name_of_200_letters_is_no_longer_than_its_normal_form(self) -> None:
        campaign = make_campaign(make_brand(name="ü" * 200), name="X")
        name = "u\u0308" * 200
        self.write(f"{NOON},{name},X,1,a")
        self.run_it()
        self.assertEqual(SpendRecord.objects.get().campaign, campaign)


@skipUnless(POSTGRESQL, "On SQLite there is one transaction at a time.")
class AtTheSameMoment(OutsideTestCase):
    def test_two_imports_create_one_brand(self) -> None:
        """Another import creates the same name, in other letters, after this one has looked for it."""

        def other() -> None:
            import_spend(rows("müller gmbh"), clock=timezone.now, create=True)

        with let_in(placement, "normal_name", other):
            import_spend(rows(NAME), clock=timezone.now, create=True)
        self.assertEqual((Brand.objects.count(), Campaign.objects.count(), SpendRecord.objects.count()), (1, 1, 2))


def rows(brand: str) -> list[Row]:
    return [Row(2, utc("2026-11-26T12:00"), brand, "Search", Decimal(1), brand)]
