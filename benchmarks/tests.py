"""The bench itself, at a size at which its figures say nothing: every part runs, and the page tells what it found."""

from __future__ import annotations

import tempfile
from io import StringIO
from pathlib import Path

from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import SimpleTestCase

from benchmarks import command, run, tables
from benchmarks.baselines import pause_half
from benchmarks.bench import Bench
from benchmarks.databases import Databases
from benchmarks.figures import Figure, Pairs, values
from benchmarks.midnight import resume_half
from benchmarks.parts import PARTS, Part
from benchmarks.results import Result
from benchmarks.sizes import TINY
from benchmarks.watch import statements_of_a_batch
from benchmarks.world import World, make_world
from campaigns.models import Campaign
from campaigns.tests.support.committed import CommittedTestCase


class EveryPart(CommittedTestCase):
    def test_it_measures_and_writes_the_page(self) -> None:
        parts = [part for part in PARTS if part.vendor == connection.vendor]
        connection.close()  # the databases are copies of this one
        told: list[str] = []

        def tell(result: Result, part: Part) -> None:
            told.append(tables.text_table(result, part.title))

        with tempfile.TemporaryDirectory() as directory, Databases(str(connection.settings_dict["NAME"])) as databases:
            places = run.Places(Path(directory) / "kept", Path(directory) / "docs" / "performance.md")
            run.run(parts, Bench(TINY, databases), places, tell, "tiny")
            run.write_page(places)
            text = places.page.read_text()
        self.assertEqual(len(told), len(parts))
        for part in parts:
            self.assertIn(part.title, text)
        self.assertNotIn("Not measured yet", block_of(text, f"figures {parts[0].name}"))


def block_of(text: str, what: str) -> str:
    """Return what stands in the page between the marks."""
    return text.split(f"<!-- measured: {what} -->")[1].split("<!-- end -->")[0]


class Baselines(CommittedTestCase):
    def test_the_bare_update_takes_back_all_that_a_check_has_written(self) -> None:
        world = World(4, 2)
        make_world(world)
        before = state()
        resume_half(world)
        self.assertNotEqual(state(), before)
        pause_half(world)
        self.assertEqual(state(), before)


def state() -> list[tuple[int, int, int]]:
    """Return the reasons of every campaign, and the minute of those that wait for a window."""
    rows = Campaign.objects.order_by("id").values_list("id", "pause_reasons", "next_change_minute")
    return [(pk, reasons, minute if pk % 2 == 0 else 0) for pk, reasons, minute in rows]


class Arithmetic(SimpleTestCase):
    def test_a_ratio_is_the_median_of_the_pairs_ratios(self) -> None:
        figure = Pairs([2, 9, 4], [1, 3, 4]).figure("x", most=2)
        self.assertEqual((figure.ours, figure.baseline, figure.ratio, figure.spread), (4, 3, 2, (1, 3)))

    def test_a_target_is_met_at_its_limit(self) -> None:
        for measured, most, least, met in (
            (2.0, 2.0, None, True),
            (2.01, 2.0, None, False),
            (0.85, None, 0.85, True),
            (0.84, None, 0.85, False),
            (1.0, None, None, None),
        ):
            self.assertIs(Figure("x", 1, ratio=measured, most=most, least=least).met, met)

    def test_it_tells_by_how_much_a_target_is_missed(self) -> None:
        self.assertEqual(tables.verdict(Figure("x", 1, ratio=2.5, most=2)), "missed by 25%")
        self.assertEqual(tables.verdict(Figure("x", 170, unit="MB", most=150)), "missed by 13%")
        self.assertEqual(tables.verdict(Figure("x", 1, unit="", most=0)), "missed")

    def test_without_a_baseline_the_target_is_about_the_value(self) -> None:
        figure = values("x", [30, 10, 20], "ms", most=50)
        self.assertEqual((figure.measured, figure.spread, figure.met), (20, (10, 30), True))

    def test_statements_of_a_batch_are_those_said_in_each(self) -> None:
        batch = ["SELECT … FOR NO KEY UPDATE", "INSERT", "UPDATE", "UPDATE"]
        self.assertEqual(statements_of_a_batch(["SELECT zones", *batch, *batch]), (2, 4))
        self.assertEqual(statements_of_a_batch(["SELECT zones"]), (0, 0))


class Command(CommittedTestCase):
    def test_it_refuses_a_server_that_is_in_use(self) -> None:
        with self.assertRaisesMessage(CommandError, "DATABASE_URL names an existing database"):
            call_command(command.Command(), "--only", "sqlite", "--quick", stdout=StringIO())

    def test_it_refuses_an_unknown_part(self) -> None:
        with self.assertRaisesMessage(CommandError, "no part is called everything"):
            call_command(command.Command(), "--only", "everything", "--quick", stdout=StringIO())

    def test_it_keeps_other_sizes_out_of_the_docs(self) -> None:
        places = command.places_of({"output": None, "size": "quick"})
        self.assertNotIn(settings.BASE_DIR / "docs", places.page.parents)
        self.assertNotIn(settings.BASE_DIR / "docs", places.kept.parents)
