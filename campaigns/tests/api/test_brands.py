"""GET /brands and /brands/{id}."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

from django.test import TestCase

from campaigns.api import brands
from campaigns.models.platforms.api_keys import Scope
from campaigns.tests.api.requests import make_key
from campaigns.tests.api.test_status import get
from campaigns.tests.feed.links import make_link
from campaigns.tests.support.factories import make_brand, make_campaign, spend, utc

BRANDS = "/api/v1/brands"


class Brands(TestCase):
    def setUp(self) -> None:
        self.key = make_key(Scope.BUDGET_READ)
        self.brand = make_brand(name="Alpine", daily_budget="10.50", currency="EUR")

    def get(self, path: str, expect: int = 200, **parameters: Any) -> Any:
        response = get(path, self.key, **parameters)
        self.assertEqual(response.status_code, expect, response.content)
        return response.json()

    def test_it_has_budgets_and_exact_spend(self) -> None:
        for amount in ("0.1", "0.2", "0.000001"):
            spend(make_campaign(self.brand), amount)
        self.assertEqual(
            self.get(f"{BRANDS}/{self.brand.pk}"),
            {
                "id": self.brand.pk,
                "name": "Alpine",
                "enabled": True,
                "currency": "EUR",
                "timezone": "UTC",
                "daily_budget": "10.500000",
                "monthly_budget": None,
                "spend_today": "0.300001",
                "spend_this_month": "0.300001",
                "pace": None,
                "projected_spend": None,
                "known_until": None,
            },
        )

    def test_spend_is_known_until_the_earliest_report_of_all_accounts(self) -> None:
        links = [make_link(make_campaign(self.brand)) for _ in range(2)]
        for link, reported in ((links[0], "2026-11-20"), (links[1], None), (links[1], "2026-11-19")):
            link.account.reported_until = reported and utc(reported)
            link.account.save()
            known = "2026-11-19T00:00:00Z" if reported == "2026-11-19" else None
            self.assertEqual(self.get(f"{BRANDS}/{self.brand.pk}")["known_until"], known)

    def test_it_lists_in_pages(self) -> None:
        ids = [self.brand.pk, *(make_brand().pk for _ in range(4))]
        found, cursor = list[int](), dict[str, int]()
        with patch.object(brands, "PAGE", 2):
            while True:
                page = self.get(BRANDS, **cursor)
                found += [brand["id"] for brand in page["brands"]]
                if page["next"] is None:
                    break
                cursor = {"cursor": page["next"]}
        self.assertEqual(found, ids)

    def test_brands_that_are_not_given_look_like_unknown_ones(self) -> None:
        other = make_brand()
        self.key = make_key(Scope.BUDGET_READ, brands=[self.brand])
        self.assertEqual([brand["id"] for brand in self.get(BRANDS)["brands"]], [self.brand.pk])
        unknown = self.get(f"{BRANDS}/{other.pk + 1000}", 404)
        hidden = self.get(f"{BRANDS}/{other.pk}", 404)
        self.assertEqual(unknown["detail"].replace(str(other.pk + 1000), str(other.pk)), hidden["detail"])
        self.get(f"{BRANDS}/{10**30}", 404)
        self.get(f"{BRANDS}/{self.brand.pk}")

    def test_the_scope_is_needed(self) -> None:
        self.key = make_key(Scope.STATUS_READ)
        self.get(BRANDS, 403)
        self.get(f"{BRANDS}/{self.brand.pk}", 403)

    def test_invalid_parameters_are_refused(self) -> None:
        for parameters in ({"cursor": "x"}, {"cursor": -1}, {"brand": 1}):
            self.get(BRANDS, 400, **parameters)
        self.get(f"{BRANDS}/{self.brand.pk}?x=1", 400)
