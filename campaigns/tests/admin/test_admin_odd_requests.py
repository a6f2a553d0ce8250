"""Addresses that no page of ours makes: whatever they hold, nobody gets a server error."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import quote, urlencode

from django.contrib.admin import site
from django.db import models, transaction
from django.test import Client
from django.urls import reverse

from campaigns.models import Brand, BrandPeriod, Campaign, JobRun, SpendRecord, StatusChange
from campaigns.tests.support.browser import AdminTestCase
from campaigns.tests.support.factories import make_campaign, spend
from campaigns.tests.support.pages import every_model, make_a_row_of_each, page

ODD = ("\0", "9" * 40, "abc", "99999-99-99")
OWN = ("q", "p", "o", "all", "_facets")
LOOKUPS = ("", "__exact", "__id__exact", "_from", "__isempty")


class OddRequestsTestCase(AdminTestCase):
    """Asks and notes what ends in a server error."""

    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        make_a_row_of_each()

    def setUp(self) -> None:
        super().setUp()
        self.client = Client(raise_request_exception=False)
        self.client.force_login(self.user)
        self.errors: list[str] = []
        self.addCleanup(lambda: self.assertEqual(self.errors, []))

    def ask(self, address: str) -> None:
        before = transaction.savepoint()
        response: Any = self.client.get(address)
        if response.status_code >= 500:
            transaction.savepoint_rollback(before)  # PostgreSQL answers nothing more after an error
            self.errors.append(f"{address[:150]}: {response.exc_info[1]!r:.100}")

    def ask_lists(self, queries: Iterable[tuple[type[models.Model], str, str | bytes]]) -> None:
        for model, name, value in queries:
            self.ask(f"{page(model, 'changelist')}?{urlencode({name: value})}")


def filters(model: type[models.Model], lookups: Iterable[str]) -> Iterator[str]:
    """Yield the names that filters of a model's list may have in an address."""
    for entry in site._registry[model].list_filter:
        if isinstance(entry, (str, tuple)):
            name = entry if isinstance(entry, str) else str(entry[0])
            yield from (name + lookup for lookup in lookups)
        else:
            yield str(getattr(entry, "parameter_name", ""))


class OddRequests(OddRequestsTestCase):
    def test_lists_of_ours(self) -> None:
        self.ask_lists(
            (model, name, value)
            for model in (Brand, Campaign, BrandPeriod, StatusChange, SpendRecord)
            for name in (*OWN, *filters(model, LOOKUPS))
            for value in ODD
        )

    def test_lists_of_applications(self) -> None:
        self.ask_lists((model, name, value) for model in every_model() for name in ("q", "id__in") for value in ODD[:2])

    def test_pages_of_rows(self) -> None:
        for model in (Campaign, JobRun):
            for key in (*ODD, "-1", "_", "a/b"):
                for name in ("change", "delete", "history"):
                    self.ask(page(model, name, quote(key, safe="")))

    def test_searches_of_a_thousand_words(self) -> None:
        words = " ".join(["a"] * 1_100)
        self.ask_lists((model, "q", words) for model in every_model())
        self.ask(f"{reverse('admin:campaigns_campaign_schedules')}?{urlencode({'q': words})}")

    def test_what_widgets_ask_for(self) -> None:
        offered = {"app_label": "campaigns", "model_name": "campaign", "field_name": "brand"}
        for value in ODD:
            for name in ("term", "page", "app_label", "model_name", "field_name"):
                self.ask(f"{reverse('admin:autocomplete')}?{urlencode(offered | {name: value})}")
            self.ask(f"{reverse('admin:search')}?{urlencode({'s': value})}")
            self.ask(f"/admin/login/?{urlencode({'next': value})}")

    def test_lookups_that_no_filter_uses_are_refused(self) -> None:
        for query in ("name__regex=a", "brand__name__iregex=(a%2B)%2B$", "id__range=1,2", "name__contains=a"):
            with self.assertLogs("django.security", "ERROR"):
                self.assertEqual(self.client.get(f"{page(Campaign, 'changelist')}?{query}").status_code, 400, query)

    def test_a_value_that_no_row_can_have_finds_nothing(self) -> None:
        campaign = make_campaign()
        spend(campaign, 1)
        for model, name in ((Campaign, "status__exact"), (Brand, "currency"), (SpendRecord, "campaign__id__exact")):
            for value in ODD[:2]:
                response = self.client.get(page(model, "changelist"), {name: value})
                self.assertContains(response, "Nothing matches the search and filters.")

    def test_a_search_for_a_number_that_no_id_can_be_finds_nothing(self) -> None:
        spend(make_campaign(), 1)
        for model in (Brand, Campaign, BrandPeriod, StatusChange, SpendRecord):
            response = self.client.get(page(model, "changelist"), {"q": "9" * 30})
            self.assertEqual((response.status_code, len(response.context["cl"].result_list)), (200, 0), model)
