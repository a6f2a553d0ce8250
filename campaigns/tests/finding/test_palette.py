"""The search over everything: what it finds, for whom, in what order, and what it costs."""

from __future__ import annotations

import html
import re

from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from campaigns.admin.palette import MAX_SUGGESTIONS
from campaigns.database.clock import database_now
from campaigns.models import Brand, BrandAssignment, Campaign
from campaigns.services.permissions import ONLY_ASSIGNED_BRANDS
from campaigns.tests.support.browser import AdminTestCase
from campaigns.tests.support.factories import make_brand, make_campaign

OPTION = re.compile(r'<span class="palette-name">(.*?)</span>\s*<span class="palette-kind">(.*?)</span>')


class PaletteTests(AdminTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.brand = Brand.objects.create(id=7_001, name="Sabiá Viagens")
        self.campaign = Campaign.objects.create(id=8_001, brand=self.brand, name="Verão")

    def answer(self, text: str) -> str:
        response = self.client.get(reverse("admin:search"), {"s": text})
        self.assertEqual(response.status_code, 200)
        return response.content.decode()

    def found(self, text: str) -> list[tuple[str, str]]:
        return [(html.unescape(name), html.unescape(kind)) for name, kind in OPTION.findall(self.answer(text))]

    def test_names_without_accents_and_ids(self) -> None:
        brand, campaign = ("Sabiá Viagens", "Brand"), ("Verão", "Campaign · Sabiá Viagens")
        for text, expected in (
            ("sabia", [brand, campaign]),
            ("VIAGENS sab", [brand, campaign]),
            ("verao", [campaign]),
            ("sabia verao", [campaign]),
            ("7001", [brand]),
            ("#8001", [campaign]),
            ("xyz", []),
            ("statem", [("Statements", "Page")]),
        ):
            with self.subTest(text):
                self.assertEqual(self.found(text), expected)
        self.assertIn(f'href="{reverse("admin:campaigns_campaign_change", args=[8_001])}"', self.answer("verao"))

    def test_a_single_letter_is_too_short_and_a_single_digit_is_an_id(self) -> None:
        self.assertIn("Type at least two letters, or an id.", self.answer("s"))
        Brand.objects.create(id=5, name="Five")
        self.assertEqual(self.found("5"), [("Five", "Brand")])

    def test_what_begins_with_the_text_comes_first_and_no_more_than_some(self) -> None:
        for number in range(20):
            make_brand(name=f"Old Ábaco {number:02}")
        make_brand(name="Abaco")
        found = self.found("abaco")
        self.assertEqual((found[0], len(found)), (("Abaco", "Brand"), MAX_SUGGESTIONS))

    def test_an_id_comes_before_names(self) -> None:
        make_brand(name="7001 Nights")
        self.assertEqual([name for name, _ in self.found("7001")], ["Sabiá Viagens", "7001 Nights"])

    def test_archived_ones_are_hidden_as_in_lists_while_others_match(self) -> None:
        Brand.objects.update(archived_at=database_now(), enabled=False)
        other = make_brand(name="Sabiá Dois")
        Campaign.objects.create(brand=other, name="Inverno", archived_at=database_now(), enabled=False)
        self.assertEqual(self.found("sabia"), [("Sabiá Dois", "Brand")])

    def test_archived_ones_are_found_as_such_where_nothing_else_matches(self) -> None:
        now = database_now()
        Campaign.objects.update(archived_at=now, enabled=False)
        campaign = ("Verão", "Archived campaign · Sabiá Viagens")
        self.assertEqual((self.found("verao"), self.found("8001")), ([campaign], [campaign]))
        Campaign.objects.update(archived_at=None)
        Brand.objects.update(archived_at=now, enabled=False)
        self.assertEqual(self.found("sabia"), [("Sabiá Viagens", "Archived brand"), campaign])

    def test_names_are_text(self) -> None:
        make_brand(name="<b>Bold</b> & Co")
        self.assertEqual(self.found("bold"), [("<b>Bold</b> & Co", "Brand")])

    def test_people_find_what_they_may_view(self) -> None:
        person = User.objects.create(username="person", is_staff=True)
        self.client.force_login(person)
        self.assertEqual(self.found("sabia"), [])
        person.user_permissions.add(Permission.objects.get(codename="view_brand"))
        self.assertEqual(self.found("sabia"), [("Sabiá Viagens", "Brand")])

    def test_people_find_only_their_brands(self) -> None:
        person = User.objects.create(username="person", is_staff=True)
        names = ("view_brand", "view_campaign", ONLY_ASSIGNED_BRANDS.partition(".")[2])
        person.user_permissions.set(Permission.objects.filter(codename__in=names))
        other = make_brand(name="Sabiá Dois")
        make_campaign(other, name="Inverno")
        BrandAssignment.objects.create(user=person, brand=other)
        self.client.force_login(person)
        self.assertEqual(self.found("sabia"), [("Sabiá Dois", "Brand"), ("Inverno", "Campaign · Sabiá Dois")])
        self.assertEqual((self.found("7001"), self.found("8001"), self.found("verao")), ([], [], []))
        Brand.objects.update(archived_at=database_now(), enabled=False)
        self.assertEqual(self.found("viagens"), [])
        self.assertEqual(
            self.found("dois"), [("Sabiá Dois", "Archived brand"), ("Inverno", "Archived campaign · Sabiá Dois")]
        )

    def test_strangers_find_nothing(self) -> None:
        self.client.logout()
        self.assertEqual(self.client.get(reverse("admin:search"), {"s": "sabia"}).status_code, 302)

    def test_any_text_is_answered(self) -> None:
        for text in ("", "%", "\0", "'", '"', "a" * 5000, "9" * 5000, "\u0301\u0301", "a b " * 300, "\U0010ffff x"):
            with self.subTest(text[:20]):
                self.answer(text)

    def test_it_costs_the_same_queries_whatever_it_finds(self) -> None:
        self.answer("sabia")
        counts = []
        for turn in range(2):
            with CaptureQueriesContext(
                connection,
            ) as queries:
                self.answer("sabia")
            counts.append(len(queries))
            for number in range(10):
                make_campaign(make_brand(name=f"Sabiá {turn} {number}"), name="Sabiá")
        self.assertEqual(counts[0], counts[1])
        self.assertLessEqual(counts[0], 12)
