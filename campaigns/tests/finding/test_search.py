"""Brands and campaigns are found by parts of their names, in any case and without accents, and by their ids."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

from django.db import connection
from django.test import TestCase

from campaigns.admin.shared.search import brands_named, campaigns_named
from campaigns.database.connection import execute, fetch_all
from campaigns.models import Brand, Campaign
from campaigns.services.naming import search
from campaigns.sql.search import TABLES, ensure_trigrams
from campaigns.tests.admin.test_admin_lists import address
from campaigns.tests.support.browser import AdminTestCase
from campaigns.tests.support.factories import make_brand, make_campaign
from campaigns.tests.support.outside import POSTGRESQL, OutsideTestCase


def brands(text: str) -> list[str]:
    return sorted(brands_named(text).values_list("name", flat=True))


def campaigns(text: str) -> list[str]:
    return sorted(campaigns_named(text).values_list("name", flat=True))


class NameTests(TestCase):
    def test_a_brand_is_found_without_accents_and_in_any_case(self) -> None:
        for name in ("Sabiá", "Straße", "İstanbul", "Łódź", "Plain"):
            make_brand(name=name)
        for text, name in (
            ("Sabia", "Sabiá"),
            ("SABIÁ", "Sabiá"),
            ("sabia\u0301", "Sabiá"),
            ("strasse", "Straße"),
            ("STRASSE", "Straße"),
            ("ISTANBUL", "İstanbul"),
            ("tanbul", "İstanbul"),
            ("lodz", "Łódź"),
            ("pLÁin", "Plain"),
        ):
            with self.subTest(text):
                self.assertEqual(brands(text), [name])

    def test_all_words_must_be_there_in_any_order(self) -> None:
        brand = make_brand(name="Nordlicht Optik")
        for name in ("Frühling Suche", "Frühling Video", "Herbst"):
            make_campaign(brand, name=name)
        make_campaign(make_brand(name="Südwind"), name="Herbst Suche")
        self.assertEqual(campaigns("suche fruhling"), ["Frühling Suche"])
        self.assertEqual(campaigns("suche"), ["Frühling Suche", "Herbst Suche"])
        self.assertEqual(campaigns("optik"), ["Frühling Suche", "Frühling Video", "Herbst"])
        self.assertEqual(campaigns("OPTIK herbst"), ["Herbst"])
        self.assertEqual(campaigns("herbst optik sudwind"), [])
        self.assertEqual(campaigns('"suche fruhling"'), [])
        self.assertEqual(campaigns('"fruhling suche"'), ["Frühling Suche"])
        self.assertEqual(brands("optik NORD"), ["Nordlicht Optik"])

    def test_a_word_that_many_brands_have_finds_the_same(self) -> None:
        for number in range(4):
            brand = Brand.objects.create(id=700 + 10 * number, name=f"Brand {number}")
            Campaign.objects.create(id=900 + 10 * number, brand=brand, name=f"Suche {number}")
        expected = [(text, campaigns(text)) for text in ("brand", "brand suche", "brand 2", "suche 3", "bra 1 su")]
        self.assertEqual([len(found) for _, found in expected], [4, 4, 1, 1, 1])
        with patch.object(search, "FEW_BRANDS", 2):
            self.assertEqual([(text, campaigns(text)) for text, _ in expected], expected)

    def test_signs_are_themselves(self) -> None:
        for name in ("100 % cotton", "100 x cotton", "a_b", "axb", "c\\d", "it's"):
            make_brand(name=name)
        for text, name in (("%", "100 % cotton"), ("a_b", "a_b"), ("c\\d", "c\\d"), ("it's", "it's")):
            with self.subTest(text):
                self.assertEqual(brands(text), [name])

    def test_nothing_to_search_for_finds_everything(self) -> None:
        make_brand(name="One")
        self.assertEqual(brands("  \u200b "), ["One"])


class IdTests(TestCase):
    def setUp(self) -> None:
        self.brand = Brand.objects.create(id=7_001, name="One")
        self.campaign = Campaign.objects.create(id=8_002, brand=self.brand, name="Suche")
        Campaign.objects.create(id=8_003, brand=Brand.objects.create(id=7_002, name="Two"), name="Video 8002")

    def test_digits_are_ids_or_parts_of_names(self) -> None:
        self.assertEqual(brands("7001"), ["One"])
        self.assertEqual(brands("700"), [])
        self.assertEqual(campaigns("8002"), ["Suche", "Video 8002"])
        self.assertEqual(campaigns("#8002"), ["Suche"])
        self.assertEqual(campaigns("suche 8002"), ["Suche"])
        # Or each campaign of brand 1 would be found by "Suche 1".
        self.assertEqual(campaigns("7001"), [])

    def test_numbers_that_are_no_id_find_nothing(self) -> None:
        for text in ("9" * 19, "9" * 400, "٣", "-1", "#"):
            with self.subTest(text):
                self.assertEqual((brands(text), campaigns(text)), ([], []))


class FreshNameTests(OutsideTestCase):
    """Whatever writes a name, it is found."""

    def setUp(self) -> None:
        super().setUp()
        self.brand = make_brand(name="Ältere")
        self.campaign = make_campaign(self.brand, name="Früh")

    def test_names_that_sql_inserts(self) -> None:
        self.run_sql("INSERT INTO campaigns_brand (name) VALUES ('Sabiá')")
        brand = Brand.objects.get(name="Sabiá")
        self.run_sql(
            f"INSERT INTO campaigns_campaign (brand_id, name) VALUES ({brand.pk}, 'São João'), ({brand.pk}, 'B')"
        )
        self.assertEqual(brands("sabia"), ["Sabiá"])
        self.assertEqual(campaigns("SAO joao"), ["São João"])

    def test_names_that_are_changed(self) -> None:
        self.run_sql("UPDATE campaigns_brand SET name = 'Jüngere'")
        Campaign.objects.update(name="Spät")
        self.assertEqual((brands("altere"), brands("jungere")), ([], ["Jüngere"]))
        self.assertEqual((campaigns("fruh"), campaigns("spat"), campaigns("jungere")), ([], ["Spät"], ["Spät"]))
        self.campaign.name = "Später"
        self.campaign.save(update_fields=["name"])
        self.assertEqual(campaigns("spater"), ["Später"])

    def test_campaigns_that_move_and_ids_that_change(self) -> None:
        other = make_brand(name="Zürich")
        Campaign.objects.update(brand=other)
        self.assertEqual((campaigns("altere"), campaigns("zurich")), ([], ["Früh"]))
        self.run_sql("UPDATE campaigns_campaign SET id = 4711")
        self.assertEqual(campaigns("fruh"), ["Früh"])

    def test_names_that_come_in_bulk(self) -> None:
        Campaign.objects.bulk_create(Campaign(brand=self.brand, name=f"Größe {number}") for number in range(3))
        self.assertEqual(campaigns("grosse"), ["Größe 0", "Größe 1", "Größe 2"])

    def test_names_that_are_gone(self) -> None:
        self.campaign.delete()
        self.brand.delete()
        make_campaign(make_brand(name="New"), name="New")
        self.assertEqual((brands("altere"), campaigns("fruh")), ([], []))
        if POSTGRESQL:
            self.assertEqual(self.kept(), [1, 1])

    def kept(self) -> list[Any]:
        return [self.value(f"SELECT COUNT(*) FROM {table}") for table in TABLES]

    if POSTGRESQL:

        def test_tables_that_are_truncated(self) -> None:
            self.run_sql("TRUNCATE campaigns_brand, campaigns_campaign CASCADE")
            self.assertEqual(self.kept(), [0, 0])

        def test_a_change_of_status_writes_no_name(self) -> None:
            where = "SELECT ctid::text, xmin::text FROM campaigns_campaignsearch"
            before = fetch_all(where)
            Campaign.objects.update(pause_reasons=1, enabled=False, name="Früh")
            self.assertEqual(fetch_all(where), before)

        def test_a_role_that_may_only_insert_brands_needs_no_more(self) -> None:
            for sql in (
                "CREATE ROLE search_inserter",
                "GRANT USAGE ON SCHEMA public TO search_inserter",
                "GRANT INSERT, SELECT ON campaigns_brand TO search_inserter",
                "GRANT USAGE ON SEQUENCE campaigns_brand_id_seq TO search_inserter",
                "SET ROLE search_inserter",
                "INSERT INTO campaigns_brand (name) VALUES ('Théâtre')",
                "RESET ROLE",
                "DROP OWNED BY search_inserter",
                "DROP ROLE search_inserter",
            ):
                self.run_sql(sql)
            self.assertEqual(brands("theatre"), ["Théâtre"])


class ListTests(AdminTestCase):
    def test_lists_and_choices_search_so(self) -> None:
        brand = Brand.objects.create(id=9_001, name="Sabiá")
        make_brand(name="Other")
        campaign = make_campaign(brand, name="Café")
        make_campaign(brand, name="Tee")
        for name, text, found in (
            ("brand", "sabia", [brand.pk]),
            ("brand", str(brand.pk), [brand.pk]),
            ("campaign", "cafe SABIA", [campaign.pk]),
            ("campaign", f"#{campaign.pk}", [campaign.pk]),
        ):
            with self.subTest(name=name, text=text):
                page = self.client.get(address(name, q=text))
                self.assertEqual([row.pk for row in page.context["cl"].result_list], found)
        query = {"app_label": "campaigns", "model_name": "campaign", "field_name": "brand", "term": "sabia"}
        choices = self.client.get("/admin/autocomplete/", query).json()["results"]
        self.assertEqual([choice["text"] for choice in choices], ["Sabiá"])


if POSTGRESQL:

    class IndexTests(TestCase):
        @classmethod
        def setUpTestData(cls) -> None:
            brand = make_brand(name="Sabiá")
            execute(
                "INSERT INTO campaigns_campaign (brand_id, name)"
                " SELECT %s, md5(n::text) FROM generate_series(1, 20000) AS n",
                [brand.pk],
            )
            make_campaign(brand, name="Frühling São João")
            # As VACUUM does, and an insert once there is much.
            fetch_all("SELECT gin_clean_pending_list('campaigns_campaignsearch_trigrams')")
            for table in (*TABLES, "campaigns_campaign"):
                execute(f"ANALYZE {table}")

        def test_a_part_of_a_name_is_found_by_trigrams(self) -> None:
            plan = campaigns_named("joao").explain()
            self.assertIn("campaigns_campaignsearch_trigrams", plan)
            self.assertNotIn("Seq Scan on campaigns_campaign", plan)

        def test_without_the_extension_it_finds_the_same(self) -> None:
            expected = campaigns("joao 9f")
            self.assertEqual(campaigns("joao"), ["Frühling São João"])
            execute("DROP EXTENSION pg_trgm CASCADE")
            self.assertNotIn("trigrams", campaigns_named("joao").explain())
            self.assertEqual((campaigns("joao"), campaigns("joao 9f")), (["Frühling São João"], expected))
            self.assertEqual(ensure_trigrams(connection), "")
            execute("ANALYZE campaigns_campaignsearch")
            self.assertIn("campaigns_campaignsearch_trigrams", campaigns_named("joao").explain())
