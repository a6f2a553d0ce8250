"""The API on the Procfile's web server: batches of many clients and of slow ones, and people beside them."""

from __future__ import annotations

import gzip
import http.client
import json
import re
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from campaigns.models import SpendRecord
from campaigns.models.platforms.api_keys import Scope
from campaigns.tests.api.requests import SPEND, make_key, spend_row
from campaigns.tests.project.test_web_server import LOGIN, SECONDS, WebServerTestCase
from campaigns.tests.support.factories import make_campaign
from campaigns.tests.support.outside import POSTGRESQL, open_client
from campaigns.tests.support.services_running import web_command

MEGABYTE = 1024**2
# More than all threads of both processes.
CLIENTS = 12


class ApiServerTestCase(WebServerTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.campaign = make_campaign()
        self.key = make_key(Scope.SPEND_WRITE)

    def send(self, body: bytes | Iterable[bytes], **headers: str) -> tuple[int, str, Any]:  # type: ignore[override]
        """Send a body, in chunks if it is an iterator; return status, type and answer."""
        given = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        with closing(http.client.HTTPConnection(*self.address, timeout=SECONDS)) as connection:
            connection.request("POST", SPEND, body, given | {name.replace("_", "-"): headers[name] for name in headers})
            response = connection.getresponse()
            return response.status, response.getheader("Content-Type", ""), json.loads(response.read())

    def batch(self, name: str, count: int = 1) -> bytes:
        return json.dumps([spend_row(self.campaign.pk, 1, f"{name}-{number}") for number in range(count)]).encode()


class Bodies(ApiServerTestCase):
    def test_bodies_of_any_kind_have_their_answer(self) -> None:
        self.start()
        for sent, status in (
            (self.batch("a"), 200),
            (iter([self.batch("b")[:7], self.batch("b")[7:]]), 200),
            (b"", 400),
            (b"[" + b" " * (5 * MEGABYTE - 2) + b"]", 200),
            (b" " * (5 * MEGABYTE + 1), 413),
            (b" " * 6 * MEGABYTE, 413),
        ):
            with self.subTest(status):
                found, kind, answer = self.send(sent)
                self.assertEqual(found, status, answer)
                self.assertEqual(kind, "application/json" if status == 200 else "application/problem+json")
                self.assertIn("detail" if status >= 400 else "stored", answer)
                if status == 413:
                    given = {"type": "/api/v1/docs#too-large", "title": "The batch is too large", "instance": SPEND}
                    self.assertEqual(answer, answer | given)
        self.assertEqual(SpendRecord.objects.count(), 2)

    def test_chunks_without_end_are_cut_off(self) -> None:
        self.start()
        head = f"POST {SPEND} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {self.key}\r\n"
        sent = f"{head}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
        sent += (b"100000\r\n" + b" " * MEGABYTE + b"\r\n") * 6
        self.assertEqual(self.status_of(sent), 413)
        self.assert_answers()

    def test_a_bomb_takes_little_memory(self) -> None:
        self.start(*web_command(workers=1))
        self.assertEqual(self.send(self.batch("a"))[0], 200)
        before = self.peak_megabytes()
        for body in (
            gzip.compress(b" " * 200 * MEGABYTE, 9),
            gzip.compress(b"[" + b"0," * 25 * MEGABYTE + b"0]", 1),
            gzip.compress(b"[" + b'{"campaign":1,"amount":1,"external_id":""},' * 10**6 + b"0]", 1),
        ):
            self.assertEqual(self.send(body, Content_Encoding="gzip")[0], 413)
        self.assertLess(self.peak_megabytes() - before, 120)

    def peak_megabytes(self) -> float:
        """Return the most memory that a web process has had."""
        main = self.services.web_process.pid
        children = Path(f"/proc/{main}/task/{main}/children").read_text().split()
        peaks = (Path(f"/proc/{child}/status").read_text() for child in children)
        return max(int(re.findall(r"VmHWM:\s+(\d+)", each)[0]) for each in peaks) / 1024


class Beside(ApiServerTestCase):
    def test_batches_that_wait_hold_up_no_page(self) -> None:
        """As many as all threads of both processes wait for a lock; each is stored once it is free."""
        self.start()
        answers: list[int] = []
        senders = [
            threading.Thread(target=lambda name=name: answers.append(self.send(self.batch(name))[0]))
            for name in map(str, range(CLIENTS))
        ]
        with self.locked_ledger():
            for sender in senders:
                sender.start()
            time.sleep(1)
            began = time.monotonic()
            self.assert_answers()
            self.assertLess(time.monotonic() - began, 5)
            self.assertEqual(answers, [])
        for sender in senders:
            sender.join(SECONDS)
        self.assertEqual(answers, [200] * CLIENTS)
        self.assertEqual(SpendRecord.objects.count(), CLIENTS)

    @contextmanager
    def locked_ledger(self) -> Iterator[None]:
        """Keep spend from being written, as a change of the table does."""
        with closing(open_client()) as client:
            client.execute("BEGIN" if POSTGRESQL else "BEGIN IMMEDIATE")
            if POSTGRESQL:
                client.execute("LOCK TABLE campaigns_spendrecord IN SHARE MODE")
            yield
            client.execute("ROLLBACK")

    def test_slow_batches_hold_up_nobody(self) -> None:
        self.start()
        head = f"POST {SPEND} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {self.key}\r\n"
        head += "Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n["
        for _ in range(200):
            WebServerTestCase.send(self, head.encode())
        self.assertEqual(self.send(self.batch("a"))[0], 200)
        self.assert_answers()

    def test_clients_of_the_same_ids_store_each_once(self) -> None:
        self.start()
        batches = [self.batch("a", 500)] * 4
        answers: list[Any] = []
        senders = [threading.Thread(target=lambda body=body: answers.append(self.send(body))) for body in batches]
        for sender in senders:
            sender.start()
        for sender in senders:
            sender.join(SECONDS)
        self.assertEqual([status for status, _, _ in answers], [200] * 4)
        self.assertEqual(sum(answer["stored"] for _, _, answer in answers), 500)
        self.assertEqual(SpendRecord.objects.count(), 500)
        self.assertEqual(self.get(LOGIN)[0], 200)
