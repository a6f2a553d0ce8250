"""docs/reliability.md names one command for each proof, and each names tests that are there."""

from __future__ import annotations

import re
from importlib.util import find_spec

from django.conf import settings
from django.test import SimpleTestCase

COMMAND = re.compile(r"`(?:\.ci/postgresql )?make (test|torture) ARGS=\"?([^`\"]+)\"?`")


class CommandsOfProofs(SimpleTestCase):
    def test_each_names_tests_that_are_there(self) -> None:
        text = (settings.BASE_DIR / "docs/reliability.md").read_text()
        commands = COMMAND.findall(text.partition("## One command for each")[2])
        self.assertGreater(len(commands), 20)
        for kind, labels in commands:
            for label in labels.split():
                with self.subTest(label):
                    self.assertIsNotNone(find_spec(label))
                    self.assertEqual(label.startswith("campaigns.tests.torture."), kind == "torture")
