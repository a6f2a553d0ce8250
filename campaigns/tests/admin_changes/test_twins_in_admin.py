"""Names in the forms, lists and searches of the admin."""

from __future__ import annotations

from django.contrib.auth.models import Permission, User
from django.db import connection
from django.urls import reverse

from campaigns.models import Brand, BrandAssignment, Campaign
from campaigns.services.exchange.columns import Kind
from campaigns.tests.support.browser import FormTestCase, open_form
from campaigns.tests.support.exchanging import ExchangeTestCase
from campaigns.tests.support.factories import make_brand, make_campaign
from campaigns.tests.support.pages import page

NAME, DECOMPOSED = "M\u00fcller GmbH", "Mu\u0308ller\u00a0GmbH"


def write_name(row: Brand | Campaign, name: str) -> None:
    """Give a row a name as SQL does."""
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {row._meta.db_table} SET name = %s WHERE id = %s", [name, row.pk])


class NamesInForms(FormTestCase):
    def add(self, model: type[Brand] | type[Campaign], **fields: str) -> str:
        response = self.client.post(page(model, "add"), self.new_form(model) | fields)
        return "" if response.status_code == 302 else response.content.decode()

    def test_a_name_is_stored_in_its_normal_form(self) -> None:
        self.assertEqual(self.add(Brand, name=f" {DECOMPOSED} "), "")
        brand = Brand.objects.get()
        self.assertEqual((brand.name, brand.name_key), (NAME, "müller gmbh"))
        self.save(brand, self.form(brand) | {"name": "U\u0308bersicht"})
        brand.refresh_from_db()
        self.assertEqual((brand.name, brand.name_key), ("Übersicht", "übersicht"))

    def test_a_twin_is_refused_by_the_name_that_is_there(self) -> None:
        brand = make_brand(name=NAME)
        campaign = make_campaign(brand, name="Übersicht")
        self.assertIn(f"There is already a brand “{NAME}”. Choose another name.", self.add(Brand, name="MÜLLER GMBH"))
        told = self.add(Campaign, brand=str(brand.pk), name="U\u0308BERSICHT")
        self.assertIn("There is already a campaign “Übersicht”. Choose another name.", told)
        self.assertEqual(self.add(Campaign, brand=str(make_brand().pk), name="übersicht"), "")
        other = make_campaign(brand)
        self.refused(other, self.form(other) | {"name": "übersicht"}, "There is already a campaign “Übersicht”")
        self.save(campaign, self.form(campaign) | {"name": "übersicht"})

    def test_a_twin_of_a_name_by_sql_is_refused_too(self) -> None:
        write_name(make_brand(), NAME)
        self.assertIn(f"There is already a brand “{NAME}”", self.add(Brand, name="müller gmbh"))

    def test_a_campaign_does_not_move_to_a_brand_that_has_its_twin(self) -> None:
        campaign, there = make_campaign(name="Search"), make_campaign(name="SEARCH")
        form = self.form(campaign) | {"brand": str(there.brand_id)}
        self.refused(campaign, form, "There is already a campaign “SEARCH”. Choose another name.")

    def test_what_can_not_be_seen_is_refused_by_its_code(self) -> None:
        told = self.add(Brand, name="Ac\u200bme")
        self.assertIn("“Ac[U+200B]me” contains the character U+200B (zero width space)", told)
        self.assertNotIn("“Ac\u200bme”:", told)

    def test_a_name_that_is_left_alone_is_saved_with_whatever_is_in_it(self) -> None:
        twin, campaign = make_brand(), make_campaign(make_brand(name="Acme"))
        write_name(twin, "AC\u200bME")
        write_name(campaign, "\u202eSearch  x")
        for row, field in ((twin, "daily_budget"), (campaign, "daily_spend_limit")):
            self.save(row, self.form(row) | {field: "5"})
            row.refresh_from_db()
            self.assertEqual(getattr(row, field), 5)
        self.assertEqual((twin.name, campaign.name), ("AC\u200bME", "\u202eSearch  x"))

    def test_a_search_finds_a_name_in_any_form(self) -> None:
        make_campaign(make_brand(name=NAME), name="\u00dcbersicht")
        for model in (Brand, Campaign):
            shown = self.client.get(page(model, "changelist"), {"q": "mu\u0308ller\u200b\u00a0gmbh"})
            self.assertContains(shown, NAME)


class SomebodyWhoSeesOnlySomeBrands(FormTestCase):
    """Whether another client's name exists is told to nobody who may not see that brand."""

    def setUp(self) -> None:
        super().setUp()
        self.ours, self.theirs = make_brand(name="Ours"), make_brand(name="Theirs")
        nadia = User.objects.create(username="nadia", is_staff=True)
        codes = ("only_assigned_brands", "view_brand", "change_brand", "add_brand", "view_campaign")
        nadia.user_permissions.set(Permission.objects.filter(codename__in=codes))
        BrandAssignment.objects.create(user=nadia, brand=self.ours)
        self.client.force_login(nadia)

    def test_a_form_has_no_field_for_the_name_and_takes_none(self) -> None:
        form = self.form(self.ours)
        self.assertNotIn("name", form)
        for name in ("Theirs", "theirs", "Nobody's"):
            self.save(self.ours, form | {"name": name, "initial-name": "Ours"})
            self.ours.refresh_from_db()
            self.assertEqual(self.ours.name, "Ours")

    def test_settings_are_saved_as_before(self) -> None:
        self.save(self.ours, self.form(self.ours) | {"daily_budget": "5"})
        self.ours.refresh_from_db()
        self.assertEqual((self.ours.name, self.ours.daily_budget), ("Ours", 5))

    def test_no_brand_is_added(self) -> None:
        for name in ("Theirs", "Nobody's"):
            self.assertEqual(self.client.post(page(Brand, "add"), {"name": name}).status_code, 403)
        self.assertNotContains(self.client.get(page(Brand, "changelist")), page(Brand, "add"))

    def test_others_rename_and_add(self) -> None:
        self.client.force_login(User.objects.create(username="root", is_staff=True, is_superuser=True))
        self.assertIn("name", open_form(self.client, self.address(self.ours), "brand_form"))
        self.assertEqual(self.client.get(reverse("admin:campaigns_brand_add")).status_code, 200)


class NamesInLists(ExchangeTestCase):
    def test_a_line_finds_its_row_in_any_spelling_and_makes_no_twin(self) -> None:
        """Decomposed, in small letters, with a no-break space; with a Cyrillic с it is another name."""
        for name in (NAME, "Acme"):
            make_brand(name=name, daily_budget=500)
        rows = ("name", "daily_budget"), ("Mu\u0308ller GmbH", 1), ("acme", 1), ("Acme\u00a0", 1), ("A\u0441me", 1)
        self.assertEqual(
            self.problems(Kind.BRANDS, *rows), [(4, "“Acme” is already in line 3: keep one of the lines.")]
        )
        imported = self.take_in(Kind.BRANDS, *(row for row in rows if row[0] != "Acme\u00a0"))
        self.assertEqual([line.name for line in imported.plan.new], ["A\u0441me"])
        budgets = dict(Brand.objects.values_list("name", "daily_budget"))
        self.assertEqual(budgets, {NAME: 1, "Acme": 1, "A\u0441me": 1})

    def test_campaigns_and_schedules_are_found_in_any_spelling(self) -> None:
        campaign = make_campaign(make_brand(name=NAME), name="\u00dcbersicht")
        names = (DECOMPOSED, "U\u0308BERSICHT")
        self.take_in(Kind.CAMPAIGNS, ("brand", "name", "daily_spend_limit"), (*names, 5))
        self.take_in(Kind.CAMPAIGNS, ("brand", "campaign", "days", "from", "until"), (*names, "Mon", "08:00", "09:00"))
        campaign.refresh_from_db()
        self.assertEqual((campaign.name, campaign.daily_spend_limit), ("\u00dcbersicht", 5))
        self.assertEqual((campaign.windows.count(), Campaign.objects.count()), (1, 1))
        self.assertEqual(
            self.problems(Kind.CAMPAIGNS, ("id", "brand", "enabled"), (campaign.pk, DECOMPOSED, "off")), []
        )

    def test_a_new_name_is_stored_in_its_normal_form_and_once(self) -> None:
        self.take_in(Kind.BRANDS, ("name",), (DECOMPOSED,))
        self.assertEqual(Brand.objects.get().name, NAME)
        told = self.problems(Kind.BRANDS, ("name",), ("Neu",), ("NEU",))
        self.assertEqual(told, [(3, "“NEU” is already in line 2: keep one of the lines.")])
        ((_, told_of_invisible),) = self.problems(Kind.BRANDS, ("name",), ("Ac\u200bme",))
        self.assertIn("name: “Ac[U+200B]me” contains the character U+200B", told_of_invisible)

    def test_a_line_with_an_id_renames_its_row_and_its_key(self) -> None:
        brand, other = make_brand(name="Acme"), make_brand(name="Zeta")
        for name, key in (("ACME", "acme"), ("U\u0308ber", "über")):
            self.take_in(Kind.BRANDS, ("id", "name"), (brand.pk, name))
            brand.refresh_from_db()
            self.assertEqual(brand.name_key, key)
        self.assertEqual(brand.name, "\u00dcber")
        told = self.problems(Kind.BRANDS, ("id", "name"), (other.pk, "ÜBER"))
        self.assertEqual(told, [(2, "name: another brand is named “Über”: choose another name.")])

    def test_a_name_with_what_can_not_be_seen_is_found_as_it_was_exported(self) -> None:
        write_name(make_brand(), "Ac\u200bme")
        header, rows = self.export(Kind.BRANDS)
        column = header.index("daily_budget")
        changed = [[*row[:column], "7", *row[column + 1 :]] for row in rows]
        for without_id in (False, True):
            Brand.objects.update(daily_budget=None)
            lines = [["", *row[1:]] if without_id else row for row in changed]
            self.take_in(Kind.BRANDS, header, *lines)
            brand = Brand.objects.get()
            self.assertEqual((brand.name, brand.daily_budget), ("Ac\u200bme", 7))

    def test_a_person_with_assigned_brands_gets_the_same_answer_for_any_name(self) -> None:
        ours = make_brand(name="Ours")
        make_brand(name="Theirs")
        self.person = User.objects.create(username="nadia")
        codes = ("only_assigned_brands", "change_brand", "add_brand")
        self.person.user_permissions.set(Permission.objects.filter(codename__in=codes))
        BrandAssignment.objects.create(user=self.person, brand=ours)
        for name in ("Theirs", "THEIRS", "Nobody's"):
            with self.subTest(name):
                told = self.problems(Kind.BRANDS, ("id", "name"), (ours.pk, name))
                sentence = "name: you can't rename “Ours”: ask an administrator, or leave its name as it is."
                self.assertEqual(told, [(2, sentence)])
                told = self.problems(Kind.BRANDS, ("name",), (name,))
                self.assertEqual(told, [(2, f"Unknown brand “{name}”: correct the name.")])
        self.take_in(Kind.BRANDS, ("id", "name", "daily_budget"), (ours.pk, "Ours", "5"))
        ours.refresh_from_db()
        self.assertEqual(ours.daily_budget, 5)
