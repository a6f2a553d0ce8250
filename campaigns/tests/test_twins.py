"""One name is one brand, and one campaign of its brand, however it is written and through whichever door it comes."""

from __future__ import annotations

from campaigns.models import Brand, Campaign
from campaigns.services.find_names import find_brands, find_campaigns
from campaigns.services.name_keys import fill_name_keys
from campaigns.tests.factories import make_brand, make_campaign
from campaigns.tests.outside import OutsideTestCase

NAME = "M\u00fcller GmbH"
SPELLINGS = ("Mu\u0308ller GmbH", "M\u00fcller\u00a0GmbH", "m\u00fcller gmbh", " MÜLLER  GMBH ")


class StoredKeys(OutsideTestCase):
    """The key of a name is stored with it; a name that SQL writes has none."""

    def key(self, brand: Brand) -> str | None:
        brand.refresh_from_db()
        return brand.name_key

    def test_a_new_row_has_the_key_of_its_name(self) -> None:
        self.assertEqual(self.key(make_brand(name=NAME)), "müller gmbh")
        Brand.objects.bulk_create([Brand(name="Acme")])
        self.assertEqual(Brand.objects.get(name="Acme").name_key, "acme")

    def test_the_database_refuses_a_twin(self) -> None:
        brand = make_brand(name=NAME)
        make_campaign(brand, name="Übersicht")
        make_campaign(make_brand(), name="Übersicht")
        for make in (lambda: make_brand(name="müller gmbh"), lambda: make_campaign(brand, name="übersicht")):
            self.assert_integrity_error(make)

    def test_a_renaming_by_sql_leaves_no_key(self) -> None:
        brand = make_brand(name="Acme")
        campaign = make_campaign(brand, name="Display")
        self.run_sql("UPDATE campaigns_brand SET name = 'Zeta'")
        self.run_sql("UPDATE campaigns_campaign SET name = 'Zeta'")
        self.assertIsNone(self.key(brand))
        campaign.refresh_from_db()
        self.assertIsNone(campaign.name_key)

    def test_a_statement_that_leaves_the_name_leaves_the_key(self) -> None:
        brand = make_brand(name="Acme")
        self.run_sql("UPDATE campaigns_brand SET name = 'Acme', enabled = %s", False)
        self.assertEqual(self.key(brand), "acme")

    def test_a_renaming_that_names_the_column_writes_the_key(self) -> None:
        brand = make_brand(name="Acme")
        for name, key in (("ACME", "acme"), ("Zeta", "zeta")):
            brand.name = name
            brand.save(update_fields=["name"])
            self.assertEqual(self.key(brand), key)

    def test_a_plain_save_of_a_twin_is_possible(self) -> None:
        make_brand(name=NAME)
        make_campaign(name="Display")
        self.run_sql("INSERT INTO campaigns_brand (name) VALUES ('müller gmbh')")
        twin = Brand.objects.get(name="müller gmbh")
        self.run_sql("INSERT INTO campaigns_campaign (brand_id, name) SELECT brand_id, 'display' FROM campaigns_campaign")
        for row in (twin, Campaign.objects.get(name="display")):
            row.enabled = False
            row.save()
            row.refresh_from_db()
            self.assertEqual((row.enabled, row.name_key), (False, None))
