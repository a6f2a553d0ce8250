"""The examples of docs/api.md, as they stand there, against a running server."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from decimal import Decimal

from django.conf import settings
from django.db.models import Sum

from campaigns.models import PlatformAccount, SpendRecord, SpendTotal
from campaigns.tests.api.requests import make_key
from campaigns.tests.project.test_web_server import WebServerTestCase
from campaigns.tests.support.factories import make_campaign

EXAMPLE = re.compile(r"^```(sh|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Examples(WebServerTestCase):
    def test_they_run(self) -> None:
        make_campaign(id=17)
        self.start()
        page = (settings.BASE_DIR / "docs" / "api.md").read_text()
        said = [self.run_example(*example) for example in EXAMPLE.findall(page)]
        answers = [json.loads(each) for each in said[:3]]
        self.assertEqual([answer["stored"] for answer in answers], [2, 1000, 2])
        self.assertEqual([answer["refused"] for answer in answers], [0, 0, 0])
        self.assertEqual(said[3].splitlines()[-1], "5000 stored, 0 were there already")
        # 25,000 clicks, of which one bears the id of the first example and another amount.
        self.assertIn("row 4712 was refused: conflict:", said[3])
        self.assertIn(json.dumps(answers[0], separators=(",", ":")), page)
        spent = SpendRecord.objects.aggregate(Sum("amount"))["amount__sum"]
        self.assertEqual(spent, Decimal("12.345678") - Decimal("0.0042") + 10 + 24_999 * Decimal("0.25"))
        self.assertEqual([total.total for total in SpendTotal.objects.all()], [Decimal("180.5")])
        self.assertIsNotNone(PlatformAccount.objects.get().reported_until)

    def run_example(self, language: str, code: str) -> str:
        command = ["sh", "-c", code] if language == "sh" else [sys.executable, "-c", code]
        variables = {"BUDGET_MANAGER_URL": "http://{}:{}".format(*self.address), "BUDGET_MANAGER_KEY": make_key()}
        done = subprocess.run(command, env=os.environ | variables, capture_output=True, text=True, timeout=60)
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        return done.stdout
