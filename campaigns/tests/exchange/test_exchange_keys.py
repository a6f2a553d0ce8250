"""Lists are exported and imported by any id that the database holds: SQL may have written negative ones, and 0."""

from __future__ import annotations

from django.db.models import BigIntegerField

from campaigns.models import Brand, Campaign
from campaigns.services.exchange.columns import Kind
from campaigns.tests.support.exchanging import FORMATS, ExchangeTestCase
from campaigns.tests.support.factories import make_brand, make_campaign, make_window

MAX_BYTES = BigIntegerField.MAX_BIGINT
KEYS = (-MAX_BYTES, -7, 0, 7, MAX_BYTES)


class Keys(ExchangeTestCase):
    def setUp(self) -> None:
        super().setUp()
        for key in KEYS:
            brand = make_brand(pk=key, name=f"Brand {key}", daily_budget=10)
            campaign = make_campaign(brand, pk=key, name=f"Campaign {key}", daily_spend_limit=10)
            make_window(campaign, 1, "09:00", "18:00")

    def test_an_export_that_nobody_changed_changes_nothing(self) -> None:
        for kind in Kind:
            columns, rows = self.export(kind)
            for name, write in FORMATS.items():
                with self.subTest(f"{kind} in {name}"):
                    plan = self.preview(self.keep(kind, write(columns, rows), name)).plan
                    self.assertEqual((plan.problems, plan.lines, plan.same), ([], [], len(KEYS)))

    def test_each_is_changed_by_its_id(self) -> None:
        self.take_in(Kind.BRANDS, ("id", "daily_budget"), *((key, 20 + place) for place, key in enumerate(KEYS)))
        self.assertEqual(list(Brand.objects.order_by("pk").values_list("daily_budget", flat=True)), list(range(20, 25)))
        self.take_in(Kind.CAMPAIGNS, ("id", "daily_spend_limit"), *((key, 5) for key in KEYS))
        self.assertEqual(set(Campaign.objects.values_list("daily_spend_limit", flat=True)), {5})
        self.take_in(
            Kind.CAMPAIGNS, ("campaign_id", "days", "from", "until"), *((key, "always", "", "") for key in KEYS)
        )
        self.assertFalse(Campaign.objects.filter(windows__isnull=False).exists())

    def test_what_is_none_is_refused(self) -> None:
        for text in ("--7", "- 7", "+7", "7.5", "٧", str(MAX_BYTES + 1), "9" * 30):
            ((_, message),) = self.problems(Kind.BRANDS, ("id", "enabled"), (text, "on"))
            self.assertIn("use the exported id", message)
