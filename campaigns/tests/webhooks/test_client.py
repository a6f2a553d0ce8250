"""One request, to receivers that behave as badly as they can."""

from __future__ import annotations

import os
import socket
import time
from contextlib import suppress
from datetime import timedelta
from email.utils import formatdate
from threading import Thread
from unittest import mock

from django.test import SimpleTestCase, override_settings

from campaigns.services.webhooks.client import MAX_RETRY_AFTER, Answer, post
from campaigns.tests.webhooks.receiving import (
    CERTIFICATE,
    OWN_NETWORKS,
    Answering,
    drip,
    hang,
    raw,
    receiver,
    status,
)


@override_settings(WEBHOOK_PRIVATE_NETWORKS=OWN_NETWORKS)
class Requests(SimpleTestCase):
    def answer_of(self, answering: Answering | int, seconds: float = 10) -> Answer:
        with receiver(answering) as server:
            answer = post(server.url, b'{"a":1}', {"X-One": "1"}, seconds=seconds)
        (request,) = server.received
        self.assertEqual((request.path, request.body, request.headers["x-one"]), ("/hook", b'{"a":1}', "1"))
        return answer

    def test_it_returns_the_status(self) -> None:
        for code in (200, 202, 204, 400, 410, 500, 503):
            with self.subTest(code):
                answer = self.answer_of(code)
                self.assertEqual((answer.status, answer.problem), (code, ""))
                self.assertEqual(answer.is_success, code < 300)

    def test_it_follows_no_redirect(self) -> None:
        with receiver(200) as other:
            for code in (301, 302, 307, 308):
                self.assertEqual(self.answer_of(status(code, Location=other.url)).status, code)
        self.assertEqual(other.received, [])

    def test_a_receiver_that_hangs_ends_in_time(self) -> None:
        begun = time.monotonic()
        answer = self.answer_of(hang, seconds=1)
        self.assertEqual((answer.status, answer.problem), (None, "No answer in time."))
        self.assertLess(time.monotonic() - begun, 2)
        self.assertGreaterEqual(answer.milliseconds, 1000)

    def test_a_receiver_that_drips_ends_in_time(self) -> None:
        """Each byte comes soon, the whole answer never."""
        begun = time.monotonic()
        answer = self.answer_of(drip, seconds=1)
        self.assertEqual(answer.problem, "No answer in time.")
        self.assertLess(time.monotonic() - begun, 2)

    def test_a_receiver_that_reads_nothing_ends_in_time(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            begun = time.monotonic()
            url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
            answer = post(url, b"x" * 20_000_000, {}, seconds=1)
        self.assertEqual(answer.problem, "No answer in time.")
        self.assertLess(time.monotonic() - begun, 2)

    def test_a_handshake_that_hangs_ends_in_time(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            begun = time.monotonic()
            answer = post(f"https://localhost:{listener.getsockname()[1]}/", b"{}", {}, seconds=1)
        self.assertEqual(answer.problem, "No answer in time.")
        self.assertLess(time.monotonic() - begun, 2)

    def test_it_needs_no_megabytes_to_know_the_status(self) -> None:
        head = b"HTTP/1.1 200 OK\r\nContent-Length: 50000000\r\n\r\n"
        begun = time.monotonic()
        answer = self.answer_of(raw(head + b"x" * 50_000_000))
        self.assertEqual(answer.status, 200)
        self.assertLess(time.monotonic() - begun, 5)

    def test_endless_headers_and_garbage_are_no_answer(self) -> None:
        for data, times in (
            (b"HTTP/1.1 200 OK\r\n" + b"X-A: " + b"y" * 100_000, 1),
            (b"HTTP/1.1 100 Continue\r\n\r\n", 100_000),
            (b"\x00\xff\xfe garbage\r\n\r\n", 1),
            (b"SSH-2.0-OpenSSH_9.2\r\n", 1),
            (b"HTTP/1.1 abc\r\n\r\n", 1),
            (b"HTTP/1.1 99 \r\n\r\n", 1),
            (b"", 1),
        ):
            with self.subTest(data[:20]):
                answer = self.answer_of(raw(data, times))
                self.assertIsNone(answer.status)
                self.assertIn(answer.problem, ("The answer isn't valid HTTP.", "The connection failed: broken pipe."))

    def test_a_receiver_that_is_not_there(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        self.assertEqual(
            post(f"http://127.0.0.1:{port}/", b"", {}).problem, "The connection failed: connection refused."
        )
        self.assertEqual(
            post("https://unknown.invalid/", b"", {}).problem, "The name of the host couldn't be resolved."
        )

    def test_it_reads_retry_after_within_bounds(self) -> None:
        for text, least, most in (
            ("120", timedelta(seconds=120), timedelta(seconds=120)),
            (formatdate(time.time() + 3600, usegmt=True), timedelta(minutes=59), timedelta(minutes=60)),
            ("99999999999999999999", None, None),
            ("31536000", MAX_RETRY_AFTER, MAX_RETRY_AFTER),
            (formatdate(time.time() - 3600, usegmt=True), timedelta(0), timedelta(0)),
            ("-5", None, None),
            ("soon", None, None),
        ):
            with self.subTest(text):
                wait = self.answer_of(status(429, Retry_After=text)).retry_after
                if least is None or most is None:
                    self.assertIsNone(wait)
                else:
                    assert wait is not None
                    self.assertTrue(least <= wait <= most, wait)

    def test_it_checks_the_certificate(self) -> None:
        with receiver(tls=True) as server:
            answer = post(server.url, b"{}", {})
            self.assertEqual((answer.status, server.received), (None, []))
            self.assertIn("The certificate isn't valid: self", answer.problem)
            with mock.patch.dict(os.environ, {"SSL_CERT_FILE": str(CERTIFICATE)}):
                self.assertEqual(post(server.url, b"{}", {}).status, 200)
                other = post(server.url.replace("localhost", "127.0.0.1"), b"{}", {})
        self.assertIn("The certificate isn't valid: IP address mismatch", other.problem)
        self.assertEqual(len(server.received), 1)

    def test_plain_http_where_tls_is_expected(self) -> None:
        with receiver() as server:
            answer = post(f"https://localhost:{server.port}/", b"{}", {})
        self.assertEqual((answer.problem, server.received), ("The encrypted connection failed.", []))


class Proxies(SimpleTestCase):
    """Where the environment names a proxy, it is asked for the connection, and decides."""

    def proxy(self, answer: bytes, target: int | None = None) -> tuple[int, list[bytes]]:
        """Start a proxy for one connection; return its port and what it is asked."""
        listener = self.enterContext(socket.create_server(("127.0.0.1", 0)))
        asked: list[bytes] = []

        def serve() -> None:
            client, _ = listener.accept()
            with client:
                asked.append(client.recv(4096))
                client.sendall(answer)
                if target:
                    with socket.create_connection(("127.0.0.1", target)) as server:
                        back = Thread(target=pump, args=(server, client), daemon=True)
                        back.start()
                        pump(client, server)
                        back.join(5)

        thread = Thread(target=serve, daemon=True)
        thread.start()
        self.addCleanup(thread.join, 5)
        return listener.getsockname()[1], asked

    def test_it_asks_the_proxy_for_a_tunnel(self) -> None:
        with receiver(tls=True) as server:
            port, asked = self.proxy(b"HTTP/1.1 200 Connection established\r\n\r\n", server.port)
            values = {"HTTPS_PROXY": f"http://amara:secret@127.0.0.1:{port}", "SSL_CERT_FILE": str(CERTIFICATE)}
            with mock.patch.dict(os.environ, values | {"NO_PROXY": "", "no_proxy": ""}):
                answer = post(f"https://localhost:{server.port}/hook", b"{}", {})
        self.assertEqual((answer.status, len(server.received)), (200, 1))
        self.assertIn(f"CONNECT localhost:{server.port} HTTP/1.1\r\n".encode(), asked[0])
        self.assertIn(b"Proxy-Authorization: Basic YW1hcmE6c2VjcmV0\r\n", asked[0])

    def test_it_says_that_the_proxy_refused(self) -> None:
        port, _ = self.proxy(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
        with mock.patch.dict(os.environ, {"HTTPS_PROXY": f"http://127.0.0.1:{port}"}):
            answer = post("https://example.com/", b"{}", {})
        self.assertEqual(answer.problem, "The proxy refused the connection with status 403.")


def pump(source: socket.socket, sink: socket.socket) -> None:
    """Copy from one connection to the other until either ends."""
    with suppress(OSError):
        while data := source.recv(4096):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
