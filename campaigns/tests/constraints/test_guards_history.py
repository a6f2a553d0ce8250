"""What has history stays, where it is and as it is (R13, R14), also against SQL."""

from __future__ import annotations

from uuid import uuid4

from campaigns.models import (
    AccountingTimeZone,
    Brand,
    BrandPeriod,
    Campaign,
    CampaignDay,
    DaypartingSchedule,
    SettingChange,
    StatusChange,
)
from campaigns.tests.support.factories import make_brand, make_campaign, make_window, spend, utc
from campaigns.tests.support.outside import POSTGRESQL, SQLITE, OutsideTestCase, by_vendor

STAYS = by_vendor(postgresql="spend_brand_is_the_campaigns_brand", sqlite="a campaign with spend cannot be deleted")
STAYS_THERE = by_vendor(
    postgresql="spend_brand_is_the_campaigns_brand",
    sqlite="a campaign with spend cannot move to another brand",
)
BRAND_STAYS = by_vendor(postgresql="violates foreign key constraint", sqlite="a brand with campaigns cannot be deleted")
NO_BRAND = by_vendor(postgresql="violates foreign key constraint", sqlite="brand")
NEVER_EDITED = "a line of the status history is never edited"


def make_line(campaign: Campaign) -> StatusChange:
    return StatusChange.objects.create(
        campaign=campaign,
        at=utc("2026-11-22 10:00"),
        reasons_before=0,
        reasons_after=1,
        actor="test",
        campaign_spend=0,
        brand_day_spend=0,
        brand_month_spend=0,
    )


def line_columns() -> str:
    return ", ".join(str(field.column) for field in StatusChange._meta.concrete_fields)


class SettingChangeTests(OutsideTestCase):
    def test_it_refuses_every_edit_of_the_settings_history(self) -> None:
        brand = make_brand()
        SettingChange.objects.create(
            operation=uuid4(),
            brand=brand,
            name=brand.name,
            setting="enabled",
            before="on",
            after="off",
            actor="amara",
            channel=SettingChange.Channel.FORM,
            at=utc("2026-11-22 10:00"),
        )
        message = "a line of the settings history is never edited"
        self.assert_refused(message, "UPDATE campaigns_settingchange SET actor = 'somebody else'")
        self.run_sql("DELETE FROM campaigns_brand")
        self.assertEqual(SettingChange.objects.get().actor, "amara")


class WithSpendTests(OutsideTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.campaign = make_campaign()
        spend(self.campaign, 5)

    def test_it_refuses_to_delete_a_campaign_with_spend(self) -> None:
        self.assert_refused(STAYS, "DELETE FROM campaigns_campaign")
        self.assertEqual(Campaign.objects.count(), 1)

    def test_it_refuses_to_delete_a_campaign_whose_spend_adds_up_to_0(self) -> None:
        spend(self.campaign, -5)
        self.assert_refused(STAYS, "DELETE FROM campaigns_campaign")

    def test_it_refuses_to_delete_a_brand_with_spend(self) -> None:
        self.assert_refused(BRAND_STAYS, "DELETE FROM campaigns_brand")
        self.assertEqual(Brand.objects.count(), 1)

    def test_it_refuses_to_move_a_campaign_with_spend_to_another_brand(self) -> None:
        other = make_brand()
        self.assert_refused(STAYS_THERE, "UPDATE campaigns_campaign SET brand_id = %s", other.pk)

    def test_it_refuses_to_renumber_a_campaign_with_spend(self) -> None:
        self.assert_refused(STAYS_THERE, "UPDATE campaigns_campaign SET id = id + 1000")

    def test_it_refuses_to_renumber_a_brand_with_campaigns(self) -> None:
        self.assert_refused(NO_BRAND, "UPDATE campaigns_brand SET id = id + 1000")

    def test_it_takes_every_other_change_of_a_campaign_with_spend(self) -> None:
        self.run_sql("UPDATE campaigns_campaign SET name = 'renamed', enabled = %s", False)
        self.run_sql("UPDATE campaigns_campaign SET brand_id = brand_id, id = id")

    def test_it_takes_the_deletion_once_the_records_are_gone(self) -> None:
        self.run_sql("DELETE FROM campaigns_spendrecord")
        self.run_sql("DELETE FROM campaigns_campaign")
        self.run_sql("DELETE FROM campaigns_brand")
        self.assertEqual(Brand.objects.count(), 0)


class WithoutSpendTests(OutsideTestCase):
    def test_it_moves_a_campaign_without_spend(self) -> None:
        campaign, other = make_campaign(), make_brand()
        self.run_sql("UPDATE campaigns_campaign SET brand_id = %s", other.pk)
        campaign.refresh_from_db()
        self.assertEqual(campaign.brand, other)

    def test_it_refuses_a_campaign_of_no_brand(self) -> None:
        brand = make_campaign().brand
        self.assert_refused(
            NO_BRAND, "INSERT INTO campaigns_campaign (brand_id, name) VALUES (%s, 'C')", brand.pk + 1000
        )

    def test_it_refuses_to_move_a_campaign_to_no_brand(self) -> None:
        make_campaign()
        self.assert_refused(NO_BRAND, "UPDATE campaigns_campaign SET brand_id = brand_id + 1000")

    def test_it_deletes_a_campaign_with_its_days(self) -> None:
        campaign, other = make_campaign(), make_campaign()
        for each in (campaign, other):
            CampaignDay.objects.create(campaign=each, day="2026-11-22", spend=0)
        self.run_sql("DELETE FROM campaigns_campaign WHERE id = %s", campaign.pk)
        self.assertEqual([day.campaign_id for day in CampaignDay.objects.all()], [other.pk])

    def test_it_deletes_a_brand_with_its_booking_zones(self) -> None:
        brand, other = make_brand(), make_brand()
        self.run_sql("DELETE FROM campaigns_brand WHERE id = %s", brand.pk)
        self.assertEqual({zone.brand_id for zone in AccountingTimeZone.objects.all()}, {other.pk})

    def test_it_refuses_to_delete_a_brand_with_a_campaign_that_has_no_spend(self) -> None:
        make_campaign()
        self.assert_refused(BRAND_STAYS, "DELETE FROM campaigns_brand")

    def test_it_gives_a_brand_written_by_sql_books_in_its_own_zone(self) -> None:
        self.run_sql("INSERT INTO campaigns_brand (name, timezone) VALUES ('B', 'Asia/Kathmandu'), ('C', 'UTC')")
        zones = {(zone.brand_id, zone.timezone) for zone in AccountingTimeZone.objects.all()}
        self.assertEqual(zones, set(Brand.objects.values_list("id", "timezone")))


class HistoryLineTests(OutsideTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.line = make_line(make_campaign())

    def test_it_refuses_to_edit_a_line(self) -> None:
        for change in ("actor = 'somebody else'", "reasons_after = 0", "recorded_at = at"):
            with self.subTest(change):
                self.assert_refused(NEVER_EDITED, f"UPDATE campaigns_statuschange SET {change}")
        self.line.refresh_from_db()
        self.assertEqual((self.line.actor, self.line.reasons_after), ("test", 1))

    def test_it_refuses_to_edit_one_line_of_many(self) -> None:
        make_line(self.line.campaign)
        self.assert_refused(NEVER_EDITED, "UPDATE campaigns_statuschange SET actor = 'x' WHERE id = %s", self.line.pk)

    def test_it_refuses_to_overwrite_a_line_by_its_number(self) -> None:
        columns = line_columns()
        self.assert_refused(
            NEVER_EDITED,
            f"INSERT INTO campaigns_statuschange ({columns})"
            f" SELECT {columns} FROM campaigns_statuschange WHERE true"
            " ON CONFLICT (id) DO UPDATE SET actor = 'somebody else'",
        )

    def test_it_takes_a_further_line(self) -> None:
        make_line(self.line.campaign)
        self.assertEqual(StatusChange.objects.count(), 2)


if POSTGRESQL:

    class PostgreSQLDeletionTests(OutsideTestCase):
        def test_it_refuses_to_delete_a_campaign_from_under_its_windows_and_lines(self) -> None:
            campaign = make_campaign()
            make_window(campaign)
            self.assert_refused("violates foreign key constraint", "DELETE FROM campaigns_campaign")
            self.run_sql("DELETE FROM campaigns_daypartingschedule")
            make_line(campaign)
            self.assert_refused("violates foreign key constraint", "DELETE FROM campaigns_campaign")

        def test_it_refuses_to_delete_a_brand_from_under_its_periods(self) -> None:
            BrandPeriod.objects.create(brand=make_brand(), kind="day", starts_on="2026-11-22")
            self.assert_refused("violates foreign key constraint", "DELETE FROM campaigns_brand")


if SQLITE:

    class SQLiteDeletionTests(OutsideTestCase):
        def test_it_deletes_a_campaign_with_its_windows_and_lines(self) -> None:
            campaign = make_campaign()
            make_window(campaign)
            make_line(campaign)
            self.run_sql("DELETE FROM campaigns_campaign")
            self.assertFalse(DaypartingSchedule.objects.exists())
            self.assertFalse(StatusChange.objects.exists())

        def test_it_deletes_a_brand_with_its_periods(self) -> None:
            brand, other = make_brand(), make_brand()
            for each in (brand, other):
                BrandPeriod.objects.create(brand=each, kind="day", starts_on="2026-11-22")
            self.run_sql("DELETE FROM campaigns_brand WHERE id = %s", brand.pk)
            self.assertEqual(BrandPeriod.objects.get().brand, other)
