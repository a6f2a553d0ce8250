from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Permission, User
from django.db.models import Model
from django.urls import reverse
from django.utils import timezone

from campaigns.models import Brand, Campaign, SettingChange, SpendRecord, StatusChange
from campaigns.rules.reasons import PauseReason
from campaigns.services.enforcement.saving import finish_change
from campaigns.services.scope import Scope
from campaigns.tests.support.browser import AdminTestCase, confirm
from campaigns.tests.support.factories import make_brand, make_campaign, make_window, spend


class ListTestCase(AdminTestCase):
    def act(self, model: type[Model], action: str, *rows: Model, **data: Any) -> Any:
        return self.client.post(
            reverse(f"admin:campaigns_{model._meta.model_name}_changelist"),
            {"action": action, "_selected_action": [row.pk for row in rows], **data},
            follow=True,
        )

    def delete(self, row: Model) -> Any:
        address = reverse(f"admin:campaigns_{row._meta.model_name}_delete", args=[row.pk])
        return self.client.post(address, {"post": "yes"}, follow=True)


class SwitchTests(ListTestCase):
    def switch(self, model: type[Model], action: str, *rows: Model) -> Any:
        """Choose the action and confirm what its preview shows."""
        return confirm(self.client, self.act(model, action, *rows))

    def test_it_switches_campaigns_off_at_once(self) -> None:
        one, two = make_campaign(name="one"), make_campaign(name="two", enabled=False)
        response = self.switch(Campaign, "switch_off", one, two)
        self.assertContains(response, "Turned off 1 campaign: “one”. 1 campaign paused: ")
        one.refresh_from_db()
        self.assertEqual(one.reasons, PauseReason.CAMPAIGN_DISABLED)
        self.assertEqual({change.actor for change in StatusChange.objects.all()}, {"amara"})

    def test_it_changes_nothing_before_it_is_confirmed(self) -> None:
        campaign = make_campaign(name="Search")
        preview = self.act(Campaign, "switch_off", campaign)
        self.assertContains(preview, "Nothing has been changed yet.")
        self.assertEqual(preview.context["preview"].counts, [("1", "to change"), ("1", "campaign pauses")])
        campaign.refresh_from_db()
        self.assertEqual((campaign.enabled, campaign.status), (True, "active"))
        self.assertEqual((StatusChange.objects.count(), SettingChange.objects.count()), (0, 0))

    def test_it_switches_campaigns_on_but_a_limit_that_is_reached_still_holds(self) -> None:
        free, limited = make_campaign(enabled=False), make_campaign(enabled=False, daily_spend_limit=5)
        spend(limited, 5)
        finish_change(Scope.everything(), clock=timezone.now, actor="test")
        response = self.switch(Campaign, "switch_on", free, limited)
        self.assertContains(response, "Turned on 2 campaigns. 1 campaign resumed: ")
        free.refresh_from_db()
        limited.refresh_from_db()
        self.assertEqual((free.reasons, limited.reasons), (PauseReason(0), PauseReason.CAMPAIGN_DAILY_LIMIT))

    def test_it_switches_brands_with_all_their_campaigns(self) -> None:
        brand, other = make_brand(), make_brand()
        campaigns = [make_campaign(brand), make_campaign(brand), make_campaign(other)]
        response = self.switch(Brand, "switch_off", brand)
        self.assertContains(response, f"Paused 1 brand: “{brand.name}”. 2 campaigns paused: ")
        self.assertEqual(
            list(
                Campaign.objects.filter(pk__in=[c.pk for c in campaigns])
                .order_by("pk")
                .values_list("status", flat=True)
            ),
            ["paused", "paused", "active"],
        )
        self.assertContains(self.switch(Brand, "switch_on", brand), "2 campaigns resumed")

    def test_it_never_turns_a_campaigns_own_switch_with_its_brand(self) -> None:
        campaign = make_campaign(make_brand(enabled=False), enabled=False)
        self.switch(Brand, "switch_on", campaign.brand)
        campaign.refresh_from_db()
        self.assertEqual((campaign.enabled, campaign.status), (False, "paused"))

    def test_it_warns_where_nobody_knows_the_brands_zone(self) -> None:
        campaign = make_campaign(make_brand(timezone="Mars/Olympus"))
        preview = self.act(Campaign, "switch_off", campaign)
        self.assertContains(preview, "Unknown time zone “Mars/Olympus”")
        response = confirm(self.client, preview)
        self.assertContains(response, "Unknown time zone “Mars/Olympus”")
        self.assertContains(response, "1 campaign paused: ")

    def test_it_leaves_a_line_in_the_log_of_each_row_that_it_changed(self) -> None:
        one, two = make_campaign(), make_campaign(enabled=False)
        self.switch(Campaign, "switch_off", one, two)
        change = SettingChange.objects.get()
        self.assertEqual((change.campaign_id, change.setting), (one.pk, "enabled"))
        self.assertEqual((change.before, change.after), ("on", "off"))
        self.assertEqual((change.actor, change.name), (self.user.username, one.name))

    def test_it_needs_the_permission_to_change(self) -> None:
        campaign = make_campaign()
        preview = self.act(Campaign, "switch_off", campaign)
        looker = User.objects.create(username="looker", is_staff=True)
        looker.user_permissions.add(Permission.objects.get(codename="view_campaign"))
        self.client.force_login(looker)
        self.assertNotIn("_confirm", self.act(Campaign, "switch_off", campaign).content.decode())
        self.assertEqual(confirm(self.client, preview).status_code, 403)
        campaign.refresh_from_db()
        self.assertTrue(campaign.enabled)


class DeletionTests(ListTestCase):
    def test_a_campaign_without_spend_is_deleted_with_what_hangs_on_it(self) -> None:
        campaign = make_campaign(enabled=False)
        make_window(campaign)
        finish_change(Scope.everything(), clock=timezone.now, actor="test")
        self.assertContains(self.delete(campaign), f"Deleted campaign “{campaign}”.")
        self.assertEqual((Campaign.objects.count(), StatusChange.objects.count()), (0, 0))

    def test_it_needs_no_permission_for_history(self) -> None:
        clerk = User.objects.create(username="clerk", is_staff=True)
        clerk.user_permissions.set(Permission.objects.filter(codename__in=("delete_campaign", "view_campaign")))
        self.client.force_login(clerk)
        campaign = make_campaign(enabled=False)
        finish_change(Scope.everything(), clock=timezone.now, actor="test")
        self.delete(campaign)
        self.assertFalse(Campaign.objects.exists())

    def test_a_campaign_with_spend_is_kept_with_a_sentence(self) -> None:
        campaign = make_campaign(name="Search")
        spend(campaign, 1)
        self.assertContains(self.delete(campaign), "“Search” has spend history and can&#x27;t be deleted")
        self.assertTrue(Campaign.objects.exists())

    def test_a_brand_with_campaigns_is_kept_with_a_sentence(self) -> None:
        campaign = make_campaign(make_brand(name="Alpine"))
        self.assertContains(self.delete(campaign.brand), "“Alpine” has 1 campaign.")
        self.assertTrue(Brand.objects.exists())

    def test_a_brand_without_campaigns_is_deleted(self) -> None:
        self.delete(make_brand())
        self.assertFalse(Brand.objects.exists())

    def test_deleting_several_is_refused_if_one_has_spend(self) -> None:
        kept, other = make_campaign(name="Search"), make_campaign()
        spend(kept, 1)
        response = self.act(Campaign, "delete_selected", kept, other, post="yes")
        self.assertContains(response, "“Search” has spend")
        self.assertEqual(Campaign.objects.count(), 2)

    def test_it_deletes_several_without_spend(self) -> None:
        rows = [make_campaign(), make_campaign()]
        self.assertContains(self.act(Campaign, "delete_selected", *rows, post="yes"), "Deleted 2 campaigns.")
        self.assertFalse(Campaign.objects.exists())

    def test_asking_reads_no_records_however_many_there_are(self) -> None:
        campaign = make_campaign()
        for number in range(30):
            spend(campaign, 1, external_id=str(number))
        address = reverse("admin:campaigns_campaign_delete", args=[campaign.pk])
        with self.assertNumQueries(self.queries(address)):
            self.client.get(address)
        self.assertEqual(SpendRecord.objects.count(), 30)

    def queries(self, address: str) -> int:
        from django.db import connection
        from django.test.utils import CaptureQueriesContext

        with CaptureQueriesContext(
            connection,
        ) as captured:
            self.client.get(address)
        self.assertNotIn('FROM "campaigns_statuschange"', str(captured.captured_queries))
        return len(captured)
