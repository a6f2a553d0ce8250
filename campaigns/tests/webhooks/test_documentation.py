"""The example of docs/webhooks.md checks what is really sent."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.test import override_settings
from django.utils import timezone

from campaigns.services.webhooks.deliveries import RETRIES
from campaigns.services.webhooks.endpoints import replace_secret
from campaigns.services.webhooks.sender import Sender
from campaigns.services.webhooks.signatures import new_secret
from campaigns.tests.support.committed import CommittedTestCase
from campaigns.tests.webhooks.receiving import OWN_NETWORKS, make_delivery, make_endpoint, receiver

PAGE = (settings.BASE_DIR / "docs" / "webhooks.md").read_text()


def example() -> Callable[[dict[str, str], bytes, str], bool]:
    (code,) = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    names: dict[str, Any] = {}
    exec(compile(code, "docs/webhooks.md", "exec"), names)  # noqa: S102  # the example itself
    found: Callable[[dict[str, str], bytes, str], bool] = names["is_genuine"]
    return found


@override_settings(WEBHOOK_PRIVATE_NETWORKS=OWN_NETWORKS)
class TheExample(CommittedTestCase):
    def test_it_knows_genuine_messages_from_others(self) -> None:
        is_genuine = example()
        with receiver() as server:
            endpoint = make_endpoint(server.url)
            former = endpoint.secret
            secret = replace_secret(endpoint.pk, now=timezone.now())
            make_delivery(endpoint, now=timezone.now())
            Sender(timezone.now, linger=timedelta(0)).run()
        (request,) = server.received
        headers = request.headers
        for known in (secret, former):
            self.assertTrue(is_genuine(headers, request.body, known))
        self.assertFalse(is_genuine(headers, request.body, new_secret()))
        self.assertFalse(is_genuine(headers, request.body + b" ", secret))
        self.assertFalse(is_genuine(headers | {"webhook-id": "msg_1"}, request.body, secret))
        for sent in ("soon", str(int(headers["webhook-timestamp"]) - 301)):
            self.assertFalse(is_genuine(headers | {"webhook-timestamp": sent}, request.body, secret))

    def test_it_names_the_retries(self) -> None:
        units = {"s": "seconds", "min": "minutes", "h": "hours"}
        (named,) = re.findall(r"sent again after (.*?), up to", PAGE)
        found = [timedelta(**{units[unit]: int(number)}) for number, unit in re.findall(r"(\d+) (s|min|h)", named)]
        self.assertEqual(tuple(found), RETRIES)
