"""Time zones as people write them: which names are understood, and what is suggested for others."""

from __future__ import annotations

from django.test import SimpleTestCase

from campaigns.rules.periods import known_zones
from campaigns.rules.zones import read_zone, unknown_zone


class Zones(SimpleTestCase):
    def test_every_name_means_itself_in_any_case(self) -> None:
        for name in known_zones():
            self.assertEqual(read_zone(name), name)
            found = read_zone(f" {name.lower()} ")
            # Singapore is also the city of Asia/Singapore.
            self.assertTrue(found == name or (found or "").endswith(f"/{name}"), (name, found))

    def test_a_city_of_one_zone_is_understood(self) -> None:
        for text, zone in (
            ("Paris", "Europe/Paris"),
            ("new york", "America/New_York"),
            ("SAO_PAULO", "America/Sao_Paulo"),
            ("America/Los Angeles", "America/Los_Angeles"),
            ("utc", "UTC"),
        ):
            self.assertEqual(read_zone(text), zone)

    def test_a_city_of_two_zones_and_an_unknown_one_are_not(self) -> None:
        for text in ("Istanbul", "Buenos Aires", "Munich", "Mars/Olympus", "", "East", "../UTC", "localtime"):
            self.assertIsNone(read_zone(text), text)

    def test_similar_names_are_suggested(self) -> None:
        for text, advice in (
            ("Istanbul", "Try Asia/Istanbul or Europe/Istanbul."),
            ("Pariss", "Try Europe/Paris."),
            ("Europe/Pairs", "Try Europe/Paris."),
            ("Mars/Olympus", "Use a name like Europe/Paris or UTC."),
            ("x" * 500, "Use a name like Europe/Paris or UTC."),
        ):
            self.assertTrue(unknown_zone(text).endswith(f"isn’t a time zone we know. {advice}"), unknown_zone(text))
