"""The benchmarks themselves, at a size at which figures mean nothing: all parts run and fill the page."""

from __future__ import annotations

import contextlib
import io
import tempfile
from multiprocessing import current_process
from pathlib import Path
from unittest.mock import patch

from django.conf import settings
from django.db import connection
from django.test import SimpleTestCase

from benchmarks import command, page
from benchmarks.baselines import pause_half
from benchmarks.checks import resume_half
from benchmarks.figures import Figure, compare, values
from benchmarks.world import World, make_world
from campaigns.models import Campaign
from campaigns.tests.support.committed import CommittedTestCase


class EveryPart(CommittedTestCase):
    def setUp(self) -> None:
        super().setUp()
        # In parallel runs this is a daemonic process, which may not start the writers of a part.
        self.enterContext(patch.dict(current_process()._config, daemon=False))  # type: ignore[attr-defined]

    def test_it_measures_and_fills_the_page(self) -> None:
        parts = [name for name, part in command.PARTS.items() if part.vendor == connection.vendor]
        with tempfile.TemporaryDirectory() as directory, contextlib.ExitStack() as stack:
            stack.enter_context(contextlib.redirect_stdout(io.StringIO()))
            stack.enter_context(contextlib.redirect_stderr(io.StringIO()))
            options = command.parser().parse_args(["--size", "tiny", "--only", ",".join(parts)])
            command.measure(options, Path(directory))
            results = page.load(command.PARTS, Path(directory))
        self.assertEqual(list(results), parts)
        if "quick" in results:
            self.assertEqual(results["quick"].figures[0].ours, 2)  # statements, which no size changes
        text = page.fill(page.TEMPLATE.read_text(), results)
        for part, result in results.items():
            self.assertIn(f"<!-- measured: figures {part} -->\n\n{page.figures_table(result.figures)}\n", text)
            self.assertIn(f"| {result.title} | {result.at} |", text)


class Baselines(CommittedTestCase):
    def test_the_bare_update_undoes_what_a_check_has_written(self) -> None:
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


class FigureTests(SimpleTestCase):
    def test_a_ratio_is_the_median_of_the_pairs_ratios(self) -> None:
        figure = compare("x", [(2, 1), (9, 3), (4, 4)], most=2)
        self.assertEqual((figure.ours, figure.baseline, figure.ratio, figure.spread), (4, 3, 2, (1, 3)))

    def test_a_target_is_met_at_its_limit(self) -> None:
        for figure, verdict in (
            (Figure("x", 1, ratio=2.0, most=2), "met"),
            (Figure("x", 1, ratio=2.5, most=2), "missed by 25%"),
            (Figure("x", 1, ratio=0.85, least=0.85), "met"),
            (Figure("x", 1, ratio=0.84, least=0.85), "missed by 1%"),
            (Figure("x", 170, unit="MB", most=150), "missed by 13%"),
            (Figure("x", 1, unit="", most=0), "missed"),
            (Figure("x", 1, ratio=1.0), ""),
        ):
            self.assertEqual(page.verdict(figure), verdict)

    def test_without_a_baseline_the_target_is_about_the_value(self) -> None:
        figure = values("x", [30, 10, 20], "ms", most=50)
        self.assertEqual((figure.measured, figure.spread, figure.met), (20, (10, 30), True))


class CommandTests(CommittedTestCase):
    def test_it_refuses_a_server_that_is_in_use(self) -> None:
        if connection.vendor == "sqlite":
            self.skipTest("on SQLite every database is a file of its own")
        with self.assertRaises(SystemExit) as refused:
            command.refuse_used_database()
        self.assertIn("DATABASE_URL names an existing database", str(refused.exception))

    def test_it_refuses_an_unknown_part(self) -> None:
        with self.assertRaises(SystemExit), contextlib.redirect_stderr(io.StringIO()) as errors:
            command.parser().parse_args(["--only", "everything"])
        self.assertIn("no part is called everything", errors.getvalue())

    def test_it_keeps_other_sizes_out_of_the_docs(self) -> None:
        for place in command.places(command.parser().parse_args(["--quick"])):
            self.assertNotIn(settings.BASE_DIR / "docs", place.parents)
