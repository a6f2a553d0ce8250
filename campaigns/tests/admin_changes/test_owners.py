"""The owner of a brand: in the form, the list, bulk changes, files and on the home page."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Group, User
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from campaigns.models import Brand, BrandAssignment
from campaigns.services.exchange.columns import Kind
from campaigns.services.insight import home
from campaigns.tests.support.browser import AdminTestCase, FormTestCase, ShownForm, confirm
from campaigns.tests.support.exchanging import ExchangeTestCase
from campaigns.tests.support.factories import make_brand, make_campaign, spend

BRANDS = reverse("admin:campaigns_brand_changelist")


def make_staff(name: str, **fields: Any) -> User:
    return User.objects.create(username=name, is_staff=True, **fields)


class OfABrand(FormTestCase):
    def test_a_form_gives_and_takes_the_owner(self) -> None:
        zofia, brand = make_staff("zofia", first_name="Zofia", last_name="Nowak"), make_brand()
        self.assertContains(self.client.get(self.address(brand)), "Zofia Nowak (zofia)")
        self.save(brand, self.form(brand) | {"owner": str(zofia.pk)})
        brand.refresh_from_db()
        self.assertEqual(brand.owner, zofia)
        self.save(brand, self.form(brand) | {"owner": ""})
        brand.refresh_from_db()
        self.assertIsNone(brand.owner)

    def test_only_active_staff_are_offered_beside_the_owner_that_there_is(self) -> None:
        User.objects.create(username="customer")
        make_staff("left", is_active=False)
        brand = make_brand(owner=make_staff("retired", is_active=False))
        page = self.client.get(self.address(brand))
        self.assertContains(page, ">retired<")
        for name in ("customer", "left"):
            self.assertNotContains(page, f">{name}<")
        self.save(brand, self.form(brand) | {"daily_budget": "5"})

    def test_somebody_elses_choice_is_not_overwritten(self) -> None:
        zofia, omar, brand = make_staff("zofia"), make_staff("omar"), make_brand()
        form = self.form(brand)
        Brand.objects.update(owner=omar)
        self.refused(brand, form | {"owner": str(zofia.pk)}, "Someone else changed “owner” to “omar”")

    def test_a_deleted_user_leaves_the_brand(self) -> None:
        zofia = make_staff("zofia")
        brand = make_brand(owner=zofia)
        zofia.delete()
        brand.refresh_from_db()
        self.assertIsNone(brand.owner)

    def test_an_owner_is_a_user_that_exists(self) -> None:
        brand = make_brand()
        with self.assertRaises(IntegrityError), transaction.atomic():
            Brand.objects.filter(pk=brand.pk).update(owner=0)
            connection.check_constraints()


class InTheList(AdminTestCase):
    def listed(self, **query: str) -> list[str]:
        return [str(row) for row in self.client.get(BRANDS, query).context["cl"].result_list]

    def test_it_filters_by_owner(self) -> None:
        zofia = make_staff("zofia")
        make_brand(name="Mine", owner=self.user)
        make_brand(name="Hers", owner=zofia)
        make_brand(name="Free")
        self.assertEqual(self.listed(owner="mine"), ["Mine"])
        self.assertEqual(self.listed(owner="none"), ["Free"])
        self.assertEqual(self.listed(owner=str(zofia.pk)), ["Hers"])

    def test_it_changes_many_with_a_preview(self) -> None:
        zofia, one, two = make_staff("zofia"), make_brand(owner=self.user), make_brand()
        page = self.client.post(BRANDS, {"action": "change_owner", "_selected_action": [one.pk, two.pk]})
        form = ShownForm(page.content.decode(), "bulk_form").values | {"owner": [str(zofia.pk)]}
        preview = self.client.post(reverse("admin:campaigns_brand_bulk"), form)
        self.assertContains(preview, "<del>amara</del>", html=True)
        self.assertContains(confirm(self.client, preview), "Changed the owner of 2 brands.")
        self.assertEqual(set(Brand.objects.values_list("owner", flat=True)), {zofia.pk})


class Files(ExchangeTestCase):
    def test_an_exported_owner_comes_back_as_the_same(self) -> None:
        zofia, brand = make_staff("zofia"), make_brand(name="Alpine")
        brand.owner = zofia
        brand.save()
        columns, (row,) = self.export(Kind.BRANDS)
        self.assertEqual(dict(zip(columns, row, strict=True))["owner"], "zofia")
        self.assertEqual(self.take_in(Kind.BRANDS, columns, row).plan.same, 1)
        self.take_in(Kind.BRANDS, ["name", "owner"], ["Alpine", ""], ["New", "zofia"])
        self.assertEqual(
            list(Brand.objects.values_list("name", "owner__username")), [("Alpine", None), ("New", "zofia")]
        )

    def test_an_unknown_owner_is_refused(self) -> None:
        make_brand(name="Alpine")
        make_staff("gone", is_active=False)
        for name in ("nobody", "gone"):
            self.assertEqual(
                self.problems(Kind.BRANDS, ["name", "owner"], ["Alpine", name]),
                [(2, f"owner: “{name}” isn’t an active user: use a username, or leave it empty.")],
            )

    def test_an_export_asks_for_all_owners_at_once(self) -> None:
        for number in range(5):
            make_brand(owner=make_staff(f"person {number}"))
        with CaptureQueriesContext(connection) as few:
            self.export(Kind.BRANDS)
        for number in range(5, 20):
            make_brand(owner=make_staff(f"person {number}"))
        with CaptureQueriesContext(connection) as many:
            self.export(Kind.BRANDS)
        self.assertEqual(len(many), len(few))


class AtHome(AdminTestCase):
    def test_who_owns_brands_sees_them_first(self) -> None:
        campaign = make_campaign(make_brand(name="Mine", owner=self.user, monthly_budget=10, timezone="Asia/Tokyo"))
        make_brand(name="Calm", owner=self.user)
        make_brand(name="Paused", owner=self.user, enabled=False)
        make_brand(name="Archived", owner=self.user, enabled=False, archived_at=timezone.now())
        make_brand(name="Other")
        spend(campaign, 12)
        found = home.brands_now(self.user, now=timezone.now())
        self.assertEqual([each.brand.name for each in found.own], ["Mine", "Calm", "Paused"])
        self.assertEqual((found.own_count, found.own[0].brand.month_spend), (3, 12))
        page = self.client.get(reverse("admin:index"))
        self.assertContains(page, "My brands")
        self.assertContains(page, f"{BRANDS}?owner=mine")

    def test_it_asks_the_database_nothing_more(self) -> None:
        make_brand(daily_budget=0)  # at risk, so named
        with CaptureQueriesContext(connection) as without:
            self.assertEqual(home.brands_now(self.user, now=timezone.now()).own, [])
        make_brand(owner=self.user)
        with CaptureQueriesContext(connection) as owning:
            self.assertEqual(home.brands_now(self.user, now=timezone.now()).own_count, 1)
        self.assertEqual(len(owning), len(without))

    def test_who_owns_none_has_no_such_part(self) -> None:
        make_brand()
        self.assertNotContains(self.client.get(reverse("admin:index")), "My brands")

    def test_an_owner_sees_no_brand_without_access(self) -> None:
        manager = make_staff("manager")
        manager.groups.add(Group.objects.get(name="Brand managers"))
        given, hidden = make_brand(owner=manager), make_brand(owner=manager)
        BrandAssignment.objects.create(user=manager, brand=given)
        found = home.brands_now(manager, now=timezone.now())
        self.assertEqual(([each.brand.pk for each in found.own], found.own_count), ([given.pk], 1))
        self.client.force_login(manager)
        self.assertNotContains(self.client.get(BRANDS, {"owner": "mine"}), str(hidden))
