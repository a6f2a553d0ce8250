"""docs/connect/meta_ads.py, between a server that answers as Meta's Graph API does and our running API."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from datetime import timedelta
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.utils import timezone

from campaigns.models import CampaignLink, PlatformAccount, SpendTotal
from campaigns.tests.api.requests import make_key
from campaigns.tests.project.test_web_server import WebServerTestCase

SCRIPT = settings.BASE_DIR / "docs" / "connect" / "meta_ads.py"
ACCOUNT = {"account_id": "111", "name": "Acme", "currency": "USD", "timezone_name": "America/New_York", "id": "act_111"}
SEARCH, VIDEO = {"id": "1", "name": "Search"}, {"id": "2", "name": "Video"}


class Graph(ThreadingHTTPServer):
    """Answers with the insights that a test gives it, in pages of two."""

    insights: list[dict[str, str]]

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.insights = []

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Answer(BaseHTTPRequestHandler):
    server: Graph

    def do_GET(self) -> None:
        path = urlsplit(self.path).path.rstrip("/")
        if path.endswith("/insights"):
            start = 2 if "after=page" in self.path else 0
            rows = self.server.insights[start : start + 2]
            more = (
                {"paging": {"cursors": {"after": "page"}, "next": "more"}}
                if len(self.server.insights) > start + 2
                else {}
            )
            self.answer({"data": rows} | more)
        elif path.endswith("/campaigns"):
            self.answer({"data": [SEARCH, VIDEO]})
        else:
            self.answer(ACCOUNT)

    def answer(self, body: Any) -> None:
        text = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *args: Any) -> None:
        pass


class MetaScriptTests(WebServerTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.graph = Graph()
        threading.Thread(target=self.graph.serve_forever, args=(0.02,), daemon=True).start()
        self.addCleanup(self.graph.server_close)
        self.addCleanup(self.graph.shutdown)
        self.today = timezone.now().date()
        self.start()
        self.key = make_key()

    def spent(self, campaign: dict[str, str], ago: int, spend: str) -> dict[str, str]:
        day = str(self.today - timedelta(days=ago))
        return {
            "campaign_id": campaign["id"],
            "campaign_name": campaign["name"],
            "spend": spend,
            "date_start": day,
            "date_stop": day,
        }

    def run_script(self, *insights: dict[str, str]) -> str:
        self.graph.insights = list(insights)
        variables = {
            "META_ACCESS_TOKEN": "token",
            "META_ACCOUNTS": "act_111",
            "META_GRAPH_URL": self.graph.address,
            "BUDGET_MANAGER_URL": "http://{}:{}".format(*self.address),
            "BUDGET_MANAGER_KEY": self.key,
        }
        done = subprocess.run(
            [sys.executable, str(SCRIPT)], env=os.environ | variables, capture_output=True, text=True, timeout=60
        )
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        return done.stdout

    def totals(self) -> dict[tuple[str, int], Decimal]:
        return {(each.campaign, (self.today - each.day).days): each.total for each in SpendTotal.objects.all()}

    def test_it_reports_restates_and_takes_back(self) -> None:
        first = [self.spent(SEARCH, 2, "10.5"), self.spent(SEARCH, 1, "7"), self.spent(VIDEO, 2, "3.25")]
        self.assertNotIn("refused", self.run_script(*first))
        totals = self.totals()
        self.assertEqual((totals["1", 2], totals["1", 1], totals["2", 2]), (Decimal("10.5"), 7, Decimal("3.25")))
        self.assertEqual((totals["2", 1], totals["1", 0]), (0, 0))
        account = PlatformAccount.objects.get()
        self.assertEqual((account.external_id, account.currency, account.timezone), ("111", "USD", "America/New_York"))
        self.assertEqual(set(CampaignLink.objects.values_list("name", flat=True)), {"Search", "Video"})

        self.run_script(self.spent(SEARCH, 2, "9.75"), self.spent(SEARCH, 1, "7"))
        self.assertEqual((self.totals()["1", 2], self.totals()["2", 2]), (Decimal("9.75"), 0))
        again = PlatformAccount.objects.get()
        assert again.reported_until and account.reported_until
        self.assertGreater(again.reported_until, account.reported_until)

        before = self.totals()
        self.assertIn("0 rows", self.run_script())
        self.assertEqual(self.totals(), before)
