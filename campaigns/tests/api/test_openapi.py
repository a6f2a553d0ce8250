"""The description of the API: valid, readable, and true of the running server (schemathesis)."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from django.test import TestCase

from campaigns.api.problems import OF_REQUESTS, OF_ROWS
from campaigns.models import SpendRecord
from campaigns.models.platforms.api_keys import Scope
from campaigns.tests.api.requests import make_key
from campaigns.tests.project.test_web_server import WebServerTestCase
from campaigns.tests.support.factories import make_campaign

DOCS, OPENAPI = "/api/v1/docs", "/api/v1/openapi.json"
SCHEMATHESIS = """
[generation]
database = "none"

# A row that breaks the schema is refused by itself: 207, and every row of such an answer is looked at below.
[checks]
negative_data_rejection.expected-statuses = [207, 400, 401, 403, 404, 405, 406, 413, 415]
# A position that isn't known is gone, though it is a number.
positive_data_acceptance.expected-statuses = ["2XX", 401, 403, 404, 410]
"""


class Description(TestCase):
    def test_it_names_the_calls_and_resolves_its_references(self) -> None:
        document = self.client.get(OPENAPI).json()
        self.assertEqual(document["openapi"], "3.1.0")
        self.assertIn("/api/v1/spend", document["paths"])
        schemas = document["components"]["schemas"]
        for reference in references(document):
            self.assertIn(reference.rpartition("/")[2], schemas)
        self.assertEqual(schemas["SpendRow"]["properties"]["amount"]["type"], ["string", "number"])
        self.assertEqual(schemas["RefusedRow"]["properties"]["problem"]["enum"], list(OF_ROWS))

    def test_anybody_may_read_it_and_nobody_gets_a_cookie(self) -> None:
        for path in (DOCS, OPENAPI):
            response = self.client.get(path)
            self.assertEqual((response.status_code, response.cookies), (200, {}))
            self.assertEqual(self.client.post(path).status_code, 405)

    def test_the_page_has_an_anchor_for_each_problem_and_needs_no_other_host(self) -> None:
        page = Page()
        page.feed(self.client.get(DOCS).content.decode())
        self.assertEqual(len(page.ids), len(set(page.ids)))
        self.assertLessEqual({*OF_REQUESTS, *OF_ROWS}, set(page.ids))
        self.assertEqual([tag for tag in page.tags if tag in ("script", "style", "img", "iframe")], [])
        self.assertTrue(all(address.startswith(("/", "#")) for address in page.addresses), page.addresses)
        self.assertLessEqual({address[1:] for address in page.addresses if address[0] == "#"}, set(page.ids))


class Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.ids += [value or "" for name, value in attrs if name == "id"]
        self.addresses += [value or "" for name, value in attrs if name in ("href", "src")]


def references(value: Any) -> list[str]:
    if isinstance(value, dict):
        found = [value["$ref"]] if "$ref" in value else []
        return found + [each for inner in value.values() for each in references(inner)]
    return [each for inner in value for each in references(inner)] if isinstance(value, list) else []


class Schemathesis(WebServerTestCase):
    def test_the_server_does_what_the_description_says(self) -> None:
        """No error of the server, no undocumented status, type or answer, nothing taken without a key."""
        make_campaign(id=17)  # that of the examples
        self.start(API_REQUESTS_PER_MINUTE="1000000")
        with tempfile.TemporaryDirectory() as directory:
            Path(directory, "schemathesis.toml").write_text(SCHEMATHESIS)
            address = "http://{}:{}".format(*self.address)
            done = subprocess.run(
                [
                    *(sys.executable, "-m", "schemathesis.cli", "run", f"{address}{OPENAPI}"),
                    *("--url", address, "--header", f"Authorization: Bearer {make_key(*Scope)}"),
                    *("--max-examples", "30", "--seed", "1", "--no-color", "--workers", "2"),
                ],
                cwd=directory,
                env=os.environ | {"HYPOTHESIS_STORAGE_DIRECTORY": directory},
                capture_output=True,
                text=True,
                timeout=120,
            )
        said = done.stdout[-6000:] + done.stderr[-2000:] + self.services.log("web")[-4000:]
        self.assertEqual(done.returncode, 0, said)
        self.assertNotIn("Traceback", self.services.log("web"))
        (tested,) = re.findall(r"(\d+) generated", done.stdout)
        self.assertGreater(int(tested), 100)
        self.assertTrue(SpendRecord.objects.filter(external_id="click-4711", campaign=17).exists())
