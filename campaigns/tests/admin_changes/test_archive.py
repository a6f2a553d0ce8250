"""Archiving brands and campaigns: paused for good, out of sight, and nothing of their spend is lost."""

from __future__ import annotations

import io
from typing import Any

from django.contrib.auth.models import Group, User
from django.db.models import Model
from django.urls import reverse
from django.utils import timezone

from campaigns.admin.exchange.table import import_preview
from campaigns.models import Brand, BrandAssignment, BrandPeriod, Campaign, SettingChange
from campaigns.services.enforcement.enforce import enforce
from campaigns.services.exchange.columns import Kind
from campaigns.services.insight import home
from campaigns.services.intake.csv_reader import read_spend_csv
from campaigns.services.intake.messages import describe_archived
from campaigns.services.intake.preview import Preview, preview_spend
from campaigns.services.jobs.full_check import CHECK_BUDGETS, run_full_check
from campaigns.services.scope import Scope
from campaigns.tests.support.browser import AdminTestCase, FormTestCase, confirm
from campaigns.tests.support.exchanging import ExchangeTestCase, csv_of
from campaigns.tests.support.factories import make_brand, make_campaign, recorded_changes, spend

BRANDS, CAMPAIGNS = (reverse(f"admin:campaigns_{name}_changelist") for name in ("brand", "campaign"))


def archive(row: Brand | Campaign) -> None:
    type(row)._base_manager.filter(pk=row.pk).update(enabled=False, archived_at=timezone.now())
    row.refresh_from_db()


class ArchiveTestCase(AdminTestCase):
    def press(self, row: Brand | Campaign, action: str) -> Any:
        """Open the page that archives or restores a row, and press its button."""
        address = reverse(f"admin:campaigns_{row._meta.model_name}_{action}", args=[row.pk])
        done = confirm(self.client, self.client.get(address))
        row.refresh_from_db()
        return done

    def listed(self, address: str, **query: str) -> list[str]:
        answer = self.client.get(address, query)
        self.assertEqual(answer.status_code, 200, address)
        return [str(row) for row in answer.context["cl"].result_list]

    def picked(self, field: str, model: str = "campaign") -> list[str]:
        query = {"app_label": "campaigns", "model_name": model, "field_name": field, "term": ""}
        return [row["text"] for row in self.client.get(reverse("admin:autocomplete"), query).json()["results"]]


class OneRow(ArchiveTestCase):
    def test_it_archives_a_brand_and_pauses_its_campaigns(self) -> None:
        campaign = make_campaign()
        enforce(Scope.everything(), clock=timezone.now, actor="test")
        done = self.press(campaign.brand, "archive")
        self.assertContains(done, f"Archived 1 brand: “{campaign.brand.name}”. 1 campaign paused: ")
        campaign.refresh_from_db()
        self.assertEqual((campaign.brand.enabled, campaign.enabled, campaign.status), (False, True, "paused"))
        self.assertEqual(list(campaign.reasons.codes), ["brand_disabled"])
        self.assertEqual(campaign.status_changes.latest("id").actor, "amara")
        name = campaign.brand.name
        self.assertEqual(
            recorded_changes(actor="amara", campaign=None),
            [f"{name}: archive, not archived → archived", f"{name}: on or off, on → paused"],
        )

    def test_it_archives_a_campaign_and_leaves_the_others_running(self) -> None:
        campaign = make_campaign()
        other = make_campaign(campaign.brand)
        self.press(campaign, "archive")
        other.refresh_from_db()
        self.assertEqual((campaign.status, campaign.enabled, other.status), ("paused", False, "active"))

    def test_restoring_resumes_nothing(self) -> None:
        campaign = make_campaign()
        self.press(campaign.brand, "archive")
        done = self.press(campaign.brand, "restore")
        self.assertContains(done, f"Restored 1 brand: “{campaign.brand.name}”. No campaign changed status.")
        self.assertEqual((campaign.brand.archived_at, campaign.brand.enabled), (None, False))
        campaign.refresh_from_db()
        self.assertEqual(campaign.status, "paused")

    def test_it_says_so_on_the_page_and_offers_to_restore(self) -> None:
        campaign = make_campaign()
        for row in (campaign, campaign.brand):
            address = reverse(f"admin:campaigns_{row._meta.model_name}_change", args=[row.pk])
            self.assertContains(self.client.get(address), f"Archive {row._meta.verbose_name}")
            archive(row)
            answer = self.client.get(address)
            self.assertContains(answer, f"Restore {row._meta.verbose_name}")
            self.assertNotContains(answer, "Resume brand")

    def test_a_campaign_of_an_archived_brand_says_why_it_is_hidden(self) -> None:
        campaign = make_campaign()
        archive(campaign.brand)
        answer = self.client.get(reverse("admin:campaigns_campaign_change", args=[campaign.pk]))
        self.assertContains(answer, "The brand is archived")
        enforce(Scope.everything(), clock=timezone.now, actor="test")
        page = self.client.get(reverse("admin:campaigns_campaign_change", args=[campaign.pk]))
        self.assertContains(page, "the brand is archived")
        self.assertContains(page, "Resumes when the brand is restored and resumed.")
        self.assertNotContains(page, "the brand is paused")

    def test_an_archived_campaign_says_who_archived_it(self) -> None:
        campaign = make_campaign()
        self.press(campaign, "archive")
        page = self.client.get(reverse("admin:campaigns_campaign_change", args=[campaign.pk]))
        self.assertContains(page, "archived by amara")
        self.assertContains(page, "Resumes when it is restored and turned on.")

    def test_who_may_only_look_is_refused(self) -> None:
        campaign = make_campaign()
        viewer = User.objects.create(username="viewer", is_staff=True)
        viewer.groups.add(Group.objects.get(name="Viewers"))
        self.client.force_login(viewer)
        for action in ("archive", "restore"):
            address = reverse(f"admin:campaigns_brand_{action}", args=[campaign.brand_id])
            self.assertEqual(self.client.get(address).status_code, 403)
        page = self.client.get(reverse("admin:campaigns_brand_change", args=[campaign.brand_id]))
        self.assertNotContains(page, "Archive brand")

    def test_a_brand_that_the_person_does_not_see_is_not_found(self) -> None:
        manager = User.objects.create(username="manager", is_staff=True)
        manager.groups.add(Group.objects.get(name="Brand managers"))
        BrandAssignment.objects.create(user=manager, brand=make_brand())
        hidden = make_brand()
        self.client.force_login(manager)
        answer = self.client.get(reverse("admin:campaigns_brand_archive", args=[hidden.pk]), follow=True)
        self.assertContains(answer, "This brand no longer exists.")


class ManyRows(ArchiveTestCase):
    def choose(self, model: type[Model], action: str, *rows: Model) -> Any:
        address = reverse(f"admin:campaigns_{model._meta.model_name}_changelist", query={"archived": "all"})
        chosen = {"action": action, "_selected_action": [row.pk for row in rows]}
        return confirm(self.client, self.client.post(address, chosen))

    def test_it_archives_and_restores_in_bulk(self) -> None:
        brands = [make_brand(), make_brand(enabled=False)]
        self.assertContains(self.choose(Brand, "archive", *brands), "Archived 2 brands")
        self.assertEqual(Brand.objects.archived().count(), 2)
        self.assertContains(self.choose(Brand, "restore", *brands), "Restored 2 brands")
        self.assertEqual([brand.enabled for brand in Brand.objects.not_archived()], [False, False])

    def test_resuming_skips_what_is_archived_and_says_why(self) -> None:
        campaign, archived = make_campaign(enabled=False), make_campaign()
        archive(archived)
        address = reverse("admin:campaigns_campaign_changelist", query={"archived": "all"})
        chosen = {"action": "switch_on", "_selected_action": [campaign.pk, archived.pk]}
        preview = self.client.post(address, chosen)
        self.assertContains(preview, "Archived: restore it first.")
        confirm(self.client, preview)
        archived.refresh_from_db()
        campaign.refresh_from_db()
        self.assertEqual((campaign.enabled, archived.enabled), (True, False))

    def test_pausing_what_is_archived_changes_nothing(self) -> None:
        brand = make_brand()
        archive(brand)
        self.choose(Brand, "switch_off", brand)
        self.assertEqual(Brand.objects.archived().get(), brand)
        self.assertFalse(SettingChange.objects.exists())

    def test_a_brand_that_was_resumed_after_the_preview_stays(self) -> None:
        brand = make_brand(enabled=False)
        page = self.client.get(reverse("admin:campaigns_brand_archive", args=[brand.pk]))
        Brand.objects.update(enabled=True)
        self.assertContains(confirm(self.client, page), "someone changed its switch to “on” after the preview")
        brand.refresh_from_db()
        self.assertEqual((brand.enabled, brand.archived_at), (True, None))


class OutOfSight(ArchiveTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.shown = make_campaign(make_brand(name="Shown"), name="Running")
        self.old = make_campaign(self.shown.brand, name="Old")
        self.of_gone = make_campaign(make_brand(name="Gone"), name="Of gone")
        archive(self.old)
        archive(self.of_gone.brand)

    def test_lists_hide_it_unless_the_filter_asks(self) -> None:
        self.assertEqual(self.listed(BRANDS), ["Shown"])
        self.assertEqual(self.listed(BRANDS, archived="only"), ["Gone"])
        self.assertEqual(self.listed(BRANDS, archived="all"), ["Gone", "Shown"])
        self.assertEqual(self.listed(CAMPAIGNS), ["Running"])
        self.assertEqual(self.listed(CAMPAIGNS, archived="only"), ["Of gone", "Old"])
        self.assertEqual(self.listed(CAMPAIGNS, archived="all"), ["Of gone", "Old", "Running"])

    def test_search_hides_it_too(self) -> None:
        self.assertEqual(self.listed(BRANDS, q="Gone"), [])
        self.assertEqual(self.listed(CAMPAIGNS, q="gone"), [])
        self.assertEqual(self.listed(CAMPAIGNS, q="old", archived="only"), ["Old"])

    def test_a_list_that_finds_nothing_offers_to_search_the_archive(self) -> None:
        page = self.client.get(BRANDS, {"q": "Gone", "p": "1"})
        self.assertContains(page, '<a class="text-link" href="?q=Gone&amp;archived=all">1 archived brand matches</a>')

    def test_a_list_of_which_all_are_archived_says_so(self) -> None:
        Brand.objects.update(enabled=False, archived_at=timezone.now())
        page = self.client.get(BRANDS)
        self.assertContains(page, f'<a class="text-link" href="?archived=all">{Brand.objects.count()} archived brand')
        self.assertNotContains(page, "No brands yet")
        self.assertNotContains(page, "Show all")
        page = self.client.get(BRANDS, {"q": "Gone1", "archived": "all"})
        self.assertNotContains(page, "archived brand")

    def test_pickers_do_not_offer_it(self) -> None:
        self.assertEqual(self.picked("brand"), ["Shown"])
        self.assertEqual(self.picked("campaign", "daypartingschedule"), ["Running"])
        schedules = self.client.get(reverse("admin:campaigns_campaign_schedules")).json()["campaigns"]
        self.assertEqual([each["name"] for each in schedules], ["Shown / Running"])

    def test_home_does_not_count_it(self) -> None:
        spend(self.of_gone, 5)
        brands, campaigns = home.brands_now(self.user, now=timezone.now()), home.campaigns_now(self.user)
        self.assertEqual((brands.count, brands.switched_off, campaigns.count), (1, 0, 1))
        self.assertEqual(brands.currencies["USD"].this_month.other_spend, 0)

    def test_a_brand_does_not_count_its_archived_campaigns(self) -> None:
        (brand,) = self.client.get(BRANDS).context["cl"].result_list
        self.assertEqual(brand.campaign_count, 1)
        page = self.client.get(reverse("admin:campaigns_brand_change", args=[brand.pk]))
        self.assertContains(page, "Running")
        self.assertNotContains(page, ">Old<")

    def test_the_page_of_an_archived_brand_still_shows_its_campaigns(self) -> None:
        page = self.client.get(reverse("admin:campaigns_brand_change", args=[self.of_gone.brand_id]))
        self.assertContains(page, "Of gone")
        self.assertContains(page, f"brand__id__exact={self.of_gone.brand_id}&amp;archived=all")


class WhatStays(ArchiveTestCase):
    def test_spend_is_counted_and_periods_close_as_always(self) -> None:
        campaign = make_campaign(make_brand(monthly_budget=100))
        archive(campaign.brand)
        spend(campaign, 7, "2026-01-10")
        spend(campaign, 3)
        run_full_check(CHECK_BUDGETS, clock=timezone.now)
        (found,) = Brand.objects.with_spend(timezone.now())
        self.assertEqual(found.spend_this_month, 3)
        january = BrandPeriod.objects.get(brand=campaign.brand, kind="month", starts_on="2026-01-01")
        self.assertEqual((january.spend, january.closed_at is not None), (7, True))
        statements = self.client.get(reverse("admin:campaigns_brandperiod_changelist"))
        self.assertContains(statements, str(campaign.brand))

    def test_no_check_resumes_it(self) -> None:
        campaign = make_campaign()
        archive(campaign)
        run_full_check(CHECK_BUDGETS, clock=timezone.now)
        campaign.refresh_from_db()
        self.assertEqual((campaign.status, list(campaign.reasons.codes)), ("paused", ["campaign_disabled"]))


class Forms(FormTestCase):
    def test_a_name_that_something_archived_has_is_refused_with_the_remedy(self) -> None:
        brand, rival = make_brand(name="Acme"), make_brand()
        campaign, other = make_campaign(brand, name="Search"), make_campaign(brand)
        for row, of_other, names in ((campaign, other, ("Search", "search")), (brand, rival, ("Acme", "ACME"))):
            archive(row)
            what = row._meta.verbose_name
            for name in names:
                sentence = f"There is already a {what} “{row.name}” (archived). Restore it, or choose another name."
                self.refused(of_other, self.form(of_other) | {"name": name}, sentence)

    def test_a_form_does_not_turn_on_what_is_archived(self) -> None:
        campaign = make_campaign()
        for row in (campaign, campaign.brand):
            archive(row)
            what = row._meta.verbose_name
            self.refused(row, self.form(row) | {"enabled": "on"}, f"This {what} is archived. Restore it first.")

    def test_a_form_that_was_open_meanwhile_keeps_it_archived(self) -> None:
        brand = make_brand()
        form = self.form(brand)
        archive(brand)
        self.save(brand, form | {"daily_budget": "5"})
        brand.refresh_from_db()
        self.assertEqual((brand.enabled, brand.daily_budget), (False, 5))

    def test_no_campaign_joins_an_archived_brand(self) -> None:
        brand, campaign = make_brand(name="Gone"), make_campaign()
        archive(brand)
        sentence = "The brand “Gone” is archived. Restore it or choose another brand."
        self.refused(campaign, self.form(campaign) | {"brand": str(brand.pk)}, sentence)
        new = self.new_form(Campaign) | {"name": "New", "brand": str(brand.pk)}
        self.assertContains(self.client.post(reverse("admin:campaigns_campaign_add"), new), sentence)

    def test_the_button_that_resumes_a_brand_refuses(self) -> None:
        brand = make_brand()
        archive(brand)
        for request in (self.client.get, self.client.post):
            answer = request(reverse("admin:campaigns_brand_resume", args=[brand.pk]), follow=True)
            self.assertContains(answer, "is archived. Restore it before resuming it.")


class Files(ExchangeTestCase):
    def test_a_file_does_not_turn_on_what_is_archived(self) -> None:
        campaign = make_campaign(name="Old")
        archive(campaign)
        self.assertEqual(
            self.problems(Kind.CAMPAIGNS, ["id", "enabled"], [campaign.pk, "on"]),
            [(2, "enabled: “Old” is archived: restore it first, or leave it off.")],
        )
        self.take_in(Kind.CAMPAIGNS, ["id", "enabled", "daily_spend_limit"], [campaign.pk, "off", "5"])
        campaign.refresh_from_db()
        self.assertEqual(campaign.daily_spend_limit, 5)

    def test_a_file_adds_no_campaign_to_an_archived_brand(self) -> None:
        archive(make_brand(name="Gone"))
        self.assertEqual(
            self.problems(Kind.CAMPAIGNS, ["brand", "name"], ["Gone", "New"]),
            [(2, "brand: “Gone” is archived: restore it first, or name another brand.")],
        )

    def test_files_name_what_is_archived(self) -> None:
        brand, campaign = make_brand(name="Gone"), make_campaign(make_brand(name="Acme"), name="Old")
        other = make_campaign(campaign.brand, name="New")
        for row in (brand, campaign):
            archive(row)
        for kind, archived in ((Kind.BRANDS, {"Gone"}), (Kind.CAMPAIGNS, {"Old"})):
            columns, rows = self.export(kind)
            name, place = columns.index("name"), columns.index("archived")
            self.assertEqual({row[name] for row in rows if row[place] == "yes"}, archived)
        taken = self.problems(Kind.CAMPAIGNS, ["id", "name"], [other.pk, "OLD"])
        self.assertEqual(taken, [(2, "name: another campaign is named “Old” (archived): choose another name.")])
        draft = self.keep(Kind.CAMPAIGNS, csv_of(["id", "daily_spend_limit"], [campaign.pk, "5"]))
        _, shown = import_preview(self.preview(draft)).tables[0]
        self.assertIn("Old</a> (archived)", shown)

    def test_the_preview_of_a_spend_file_names_what_is_archived(self) -> None:
        gone = make_campaign(make_brand(name="Gone"), name="One")
        old = make_campaign(make_brand(name="Acme"), name="Old")
        make_campaign(old.brand, name="New")
        for row in (gone.brand, old):
            archive(row)
        rows = [("timestamp", "brand", "campaign", "amount")]
        rows += [("2026-11-20", *names, "1") for names in (("Gone", "One"), ("Acme", "Old"), ("Acme", "New"))]
        preview = preview_spend(read_spend_csv(io.BytesIO(csv_of(*rows))))
        self.assertEqual(preview.archived, ["“Acme / Old”", "“Gone”"])
        self.assertEqual(Preview.from_json(preview.to_json()), preview)
        told = "Archived, which their spend doesn't change: “Acme / Old”, “Gone”."
        self.assertEqual(describe_archived(preview), told)
