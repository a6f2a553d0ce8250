"""GET /campaigns and /changes, POST /applied: list once, follow, acknowledge."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from unittest.mock import patch

from django.test import Client, TestCase
from django.utils import timezone

from campaigns.models import AppliedStatus, Campaign, FeedBatch
from campaigns.models.platforms.api_keys import Scope
from campaigns.services.insight import campaign_statuses
from campaigns.tests.api.requests import make_key, post
from campaigns.tests.feed.links import key_of, make_link
from campaigns.tests.support.checking import enforce_at
from campaigns.tests.support.factories import make_brand, make_campaign, make_window, utc

CAMPAIGNS, CHANGES, APPLIED = "/api/v1/campaigns", "/api/v1/changes", "/api/v1/applied"
NOON = utc("2026-11-20 12:00")


def get(path: str, key: str, **parameters: Any) -> Any:
    return Client().get(path, parameters, headers={"authorization": f"Bearer {key}"})


class StatusTestCase(TestCase):
    def setUp(self) -> None:
        self.key = make_key(Scope.STATUS_READ, Scope.STATUS_ACK)

    def get(self, path: str, expect: int = 200, **parameters: Any) -> Any:
        response = get(path, self.key, **parameters)
        self.assertEqual(response.status_code, expect, response.content)
        return response.json()

    def ids(self, **parameters: Any) -> list[int]:
        return [campaign["id"] for campaign in self.get(CAMPAIGNS, **parameters)["campaigns"]]

    def applied(self, *rows: dict[str, Any]) -> Any:
        response = post(APPLIED, rows, self.key)
        self.assertEqual(response.status_code, 207 if response.json()["refused"] else 200)
        return response.json()


class Campaigns(StatusTestCase):
    def test_it_says_why_a_campaign_is_paused_and_until_when(self) -> None:
        campaign = make_campaign(make_brand(timezone="Europe/Paris"), name="Search")
        now = timezone.now()
        opens = (now + timedelta(days=2)).replace(hour=11, minute=0, second=0, microsecond=0)
        make_window(campaign, days=1 << opens.weekday(), start="12:00", end="13:00")
        enforce_at(now)
        (found,) = self.get(CAMPAIGNS)["campaigns"]
        self.assertEqual((found["status"], found["reasons"]), ("paused", ["outside_schedule"]))
        self.assertEqual((found["name"], found["enabled"], found["links"]), ("Search", True, []))
        self.assertTrue(found["until"].startswith(opens.strftime("%Y-%m-%dT")), found["until"])
        self.assertIn("(Europe/Paris)", found["until_text"])

    def test_it_has_links_with_what_was_applied_and_seen_and_up_to_when_spend_is_known(self) -> None:
        campaign = make_campaign(enabled=False)
        link, other = make_link(campaign), make_link(campaign)
        enforce_at(NOON)
        listed = self.get(CAMPAIGNS)
        source, account, external_id = key_of(link)
        self.assertEqual(
            listed["campaigns"][0]["links"][0],
            {"source": source, "account": account, "campaign": external_id, "name": "", "applied": None, "seen": None,
             "problem": "", "drift": None},
        )  # fmt: skip
        self.assertIsNone(listed["campaigns"][0]["known_until"])
        names = {"source": source, "account": account, "campaign": external_id}
        at = "2026-11-20T13:00:00Z"
        self.applied(
            names | {"change": listed["position"], "status": "paused", "at": at}, names | {"status": "active", "at": at}
        )
        for each, day in ((link, 20), (other, 19)):
            each.account.reported_until = utc(f"2026-11-{day}")
            each.account.save()
        (found,) = self.get(CAMPAIGNS)["campaigns"]
        applied, seen = found["links"][0]["applied"], found["links"][0]["seen"]
        self.assertEqual((applied["status"], applied["change"], applied["at"]), ("paused", listed["position"], at))
        self.assertEqual((seen["status"], seen["at"]), ("active", at))
        self.assertEqual(found["known_until"], "2026-11-19T00:00:00Z")

    def test_it_shows_drift(self) -> None:
        campaign = make_campaign()
        link = make_link(campaign)
        names = dict(zip(("source", "account", "campaign"), key_of(link), strict=True))
        row = {"change": self.get(CAMPAIGNS)["position"], "status": "active", "at": "2026-11-20T13:00:00Z"}
        self.applied(names | row)
        Campaign.objects.update(enabled=False)
        enforce_at(NOON)
        with patch("campaigns.api.status.database_now", lambda: timezone.now() + timedelta(hours=1)):
            self.assertEqual(self.get(CAMPAIGNS)["campaigns"][0]["links"][0]["drift"], "late")

    def test_it_filters(self) -> None:
        first, second, third = (make_campaign() for _ in range(3))
        Campaign.objects.filter(pk=second.pk).update(enabled=False)
        enforce_at(NOON)
        link = make_link(first)
        make_link(second, account=link.account)
        self.assertEqual(self.ids(), [first.pk, second.pk, third.pk])
        self.assertEqual(self.ids(status="paused"), [second.pk])
        self.assertEqual(self.ids(status="active"), [first.pk, third.pk])
        self.assertEqual(self.ids(brand=third.brand_id), [third.pk])
        self.assertEqual(self.ids(source="google_ads"), [first.pk, second.pk])
        self.assertEqual(self.ids(source="meta_ads"), [])
        account = link.account.external_id
        self.assertEqual(self.ids(account=f"{account[:3]}-{account[3:]}", status="active"), [first.pk])
        self.assertEqual(self.ids(brand=third.brand_id + 1), [])

    def test_it_comes_in_pages_with_the_position_of_the_first(self) -> None:
        campaigns = [make_campaign().pk for _ in range(5)]
        with patch.object(campaign_statuses.list_campaigns, "__kwdefaults__", {"most": 2}):
            page = self.get(CAMPAIGNS)
            position, found = page["position"], [campaign["id"] for campaign in page["campaigns"]]
            while page["next"]:
                Campaign.objects.filter(pk=campaigns[-1]).update(enabled=False)
                enforce_at(NOON)
                page = self.get(CAMPAIGNS, cursor=page["next"])
                self.assertEqual(page["position"], position)
                found += [campaign["id"] for campaign in page["campaigns"]]
        self.assertEqual(found, campaigns)

    def test_a_key_with_given_brands_sees_no_others(self) -> None:
        mine, other = make_campaign(enabled=False), make_campaign(enabled=False)
        start = self.get(CAMPAIGNS)["position"]
        enforce_at(NOON)
        self.key = make_key(Scope.STATUS_READ, brands=[mine.brand])
        self.assertEqual(self.ids(), [mine.pk])
        self.assertEqual(self.ids(brand=other.brand_id), [])
        self.assertEqual([change["campaign"] for change in self.get(CHANGES, after=start)["changes"]], [mine.pk])

    def test_it_takes_as_many_statements_for_many_campaigns(self) -> None:
        for _ in range(20):
            make_link(make_campaign(enabled=False))
        enforce_at(NOON)
        self.get(CAMPAIGNS)
        with self.assertNumQueries(9):
            self.get(CAMPAIGNS)

    def test_invalid_parameters_are_refused(self) -> None:
        for parameters in (
            {"brand": "x"},
            {"brand": 0},
            {"brand": 1 << 63},
            {"brand": [1, 2]},
            {"status": "off"},
            {"cursor": "1"},
            {"cursor": f"1.{10**18}"},
            {"limit": 5},
            {"source": "\0"},
            {"account": "1\0"},
        ):
            with self.subTest(parameters):
                problem = self.get(CAMPAIGNS, 400, **parameters)
                self.assertEqual(problem["type"], "/api/v1/docs#invalid-parameter")
        self.assertIn("account: ", problem["detail"])

    def test_the_scope_is_needed(self) -> None:
        self.key = make_key(Scope.SPEND_WRITE, Scope.STATUS_ACK)
        for path in (CAMPAIGNS, f"{CHANGES}?after=1"):
            self.get(path, 403)
        self.key = make_key(Scope.STATUS_READ)
        self.assertEqual(post(APPLIED, [], self.key).status_code, 403)
        self.assertEqual(post(CAMPAIGNS, [], self.key).status_code, 405)


class Changes(StatusTestCase):
    def test_it_follows_from_the_list(self) -> None:
        campaign = make_campaign()
        start = self.get(CAMPAIGNS)["position"]
        for enabled in (False, True):
            Campaign.objects.update(enabled=enabled)
            enforce_at(NOON)
        page = self.get(CHANGES, after=start)
        paused, resumed = page["changes"]
        self.assertEqual((paused["campaign"], paused["brand"]), (campaign.pk, campaign.brand_id))
        self.assertEqual((paused["changed_from"], paused["changed_to"]), ([], ["campaign_disabled"]))
        self.assertEqual((resumed["changed_from"], resumed["changed_to"]), (["campaign_disabled"], []))
        # What to apply is the status now: an old pause doesn't stop a campaign that has been resumed since.
        self.assertEqual([change["status"] for change in page["changes"]], ["active", "active"])
        self.assertEqual((page["position"], page["more"]), (resumed["position"], False))
        self.assertEqual(self.get(CHANGES, after=page["position"])["changes"], [])

    def test_unknown_positions_are_gone(self) -> None:
        start = self.get(CAMPAIGNS)["position"]
        for position in (0, start + 10**9, 2**63 - 1):
            problem = self.get(CHANGES, 410, after=position)
            self.assertEqual(problem["type"], "/api/v1/docs#unknown-position")
            self.assertIn("list the campaigns again", problem["detail"])
        FeedBatch.objects.all().delete()
        self.get(CHANGES, 410, after=start)

    def test_the_position_is_a_number(self) -> None:
        for parameters in ({}, {"after": "x"}, {"after": -1}, {"after": 1 << 63}, {"after": "1.5"}):
            self.get(CHANGES, 400, **parameters)


class Acknowledgements(StatusTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.link = make_link(make_campaign())
        source, account, campaign = key_of(self.link)
        self.row = {
            "source": source,
            "account": f" {account[:3]}-{account[3:]}",
            "campaign": campaign.upper(),
            "change": self.get(CAMPAIGNS)["position"],
            "status": "paused",
            "at": "2026-11-20T14:00:00+01:00",
        }

    def test_it_stores_what_was_applied(self) -> None:
        self.assertEqual(self.applied(self.row), {"stored": 1, "duplicates": 0, "refused": 0, "rows": []})
        row = AppliedStatus.objects.get()
        self.assertEqual((row.link, row.applied_status, row.applied_at), (self.link, "paused", utc("2026-11-20 13:00")))

    def test_an_offset_that_postgresql_does_not_read(self) -> None:
        answer = self.applied(self.row | {"at": "2026-11-20T05:00:00+16:00"})
        self.assertEqual((answer["stored"], answer["refused"]), (1, 0))
        self.assertEqual(AppliedStatus.objects.get().applied_at, utc("2026-11-19 13:00"))

    def test_it_refuses_by_row(self) -> None:
        for number, (name, change) in enumerate(
            (
                ("unlinked-campaign", {"campaign": "other"}),
                ("unlinked-campaign", {"source": "meta_ads"}),
                ("unknown-change", {"change": self.row["change"] + 10**9}),
                ("invalid-row", {"status": "off"}),
                ("invalid-row", {"change": -1}),
                ("invalid-row", {"at": "2026-11-20T14:00:00"}),
                ("invalid-row", {"change": None, "problem": "no rights"}),
                ("invalid-row", {"problem": "\0"}),
                ("invalid-row", {"problem": "a" * 501}),
                ("invalid-row", {"extra": 1}),
                ("invalid-timestamp", {"at": "1999-01-01T00:00:00Z"}),
            ),
            start=1,
        ):
            with self.subTest(change):
                answer = self.applied(*[self.row] * (number - 1), self.row | change)
                self.assertEqual((answer["stored"] + answer["duplicates"], answer["refused"]), (number - 1, 1))
                self.assertEqual((answer["rows"][0]["row"], answer["rows"][0]["problem"]), (number, name))

    def test_a_key_with_given_brands_acknowledges_for_no_others(self) -> None:
        self.key = make_key(Scope.STATUS_ACK, brands=[make_brand()])
        self.assertEqual(self.applied(self.row)["rows"][0]["problem"], "unlinked-campaign")
        self.assertEqual(AppliedStatus.objects.count(), 0)
