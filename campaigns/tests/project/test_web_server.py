"""The Procfile's web server, as a real process: slow clients of all kinds hold up nobody else."""

from __future__ import annotations

import http.client
import os
import re
import resource
import socket
import sys
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from urllib.parse import urlencode

from axes.models import AccessAttempt
from django.test import SimpleTestCase
from waitress.adjustments import Adjustments

from budget_manager.web import Parser, raise_open_file_limit
from campaigns.tests.support.outside import OutsideTestCase
from campaigns.tests.support.processes import BASE_DIR, GOOD_KEY, SHELL_VARIABLES, run
from campaigns.tests.support.services_running import running_services, web_command
from campaigns.tests.support.web_application import MEGABYTE, MEGABYTES

LOGIN = "/admin/login/"
HEADERS = b"POST /admin/login/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n"
HALF_REQUESTS = (b"", b"G", HEADERS + b"X-Slow: ", HEADERS + b"Content-Length: 100\r\n\r\nusername=")
A_THOUSAND = 1000
# Far more than an answer takes, and far less than a server that is stopped by others would.
SECONDS = 20


class WebServerTestCase(OutsideTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.services = self.enterContext(running_services())

    def start(self, *command: str, **variables: str) -> None:
        host, port = self.enterContext(self.services.web(*command, **variables)).split(":")
        self.address = (host, int(port))

    def send(self, sent: bytes) -> socket.socket:
        """Send something on a connection of its own, which stays open."""
        connection = socket.create_connection(self.address, timeout=SECONDS)
        self.addCleanup(connection.close)
        connection.sendall(sent)
        return connection

    def get(self, path: str, method: str = "GET") -> tuple[int, bytes]:
        with closing(http.client.HTTPConnection(*self.address, timeout=SECONDS)) as connection:
            connection.request(method, path)
            response = connection.getresponse()
            return response.status, response.read()

    def status_of(self, sent: bytes) -> int:
        """Return the status of the answer to these bytes; the server may stop reading them in their midst."""
        with closing(socket.create_connection(self.address, timeout=SECONDS)) as connection:
            with suppress(OSError):
                connection.sendall(sent)
            response = http.client.HTTPResponse(connection)
            response.begin()
            return response.status

    def assert_answers(self) -> None:
        for path in ("/health/live", LOGIN):
            self.assertEqual(self.get(path)[0], 200, path)


class SlowClients(WebServerTestCase):
    def test_a_thousand_half_sent_requests_hold_up_nobody(self) -> None:
        """Without a byte, within the request line, within the headers, within the body; with few open files allowed."""
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
        self.start()  # which has to help itself
        self.assertGreater(raise_open_file_limit(), A_THOUSAND)
        slow = [self.send(HALF_REQUESTS[number % len(HALF_REQUESTS)]) for number in range(A_THOUSAND)]

        self.assert_answers()

        slow[-1].sendall(b"a" * 100)
        self.assertIn(b" 403 ", slow[-1].recv(100), "A slow client that goes on gets its answer.")

    def test_a_thousand_idle_connections_hold_up_nobody(self) -> None:
        raise_open_file_limit()
        self.start()
        for _ in range(A_THOUSAND):
            idle = self.send(b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n")
            self.assertIn(b" 200 ", idle.recv(100))
        self.assert_answers()

    def test_readers_of_large_answers_that_do_not_read_hold_up_nobody(self) -> None:
        self.start(*web_command("campaigns.tests.support.web_application", workers=1))
        readers = [self.send(b"GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n") for _ in range(5)]

        self.assert_answers()

        response = http.client.HTTPResponse(readers[0])
        response.begin()
        self.assertEqual(len(response.read()), MEGABYTES * len(MEGABYTE))

    def test_a_client_that_takes_too_long_for_its_headers_is_cut_off(self) -> None:
        self.start(*web_command("campaigns.tests.support.web_application", workers=1), TEST_HEADER_TIMEOUT="0")
        self.assertEqual(self.send(HEADERS + b"X-Slow: ").recv(100), b"")
        self.assert_answers()


class TooMuch(WebServerTestCase):
    def test_it_refuses_what_is_too_large_or_no_request(self) -> None:
        self.start()
        many = b"".join(b"X-%d: a\r\n" % number for number in range(10_000))
        fields = b"&".join(b"field-%d=a" % number for number in range(10_000))
        for status, sent in (
            (431, HEADERS + b"X-Large: " + b"a" * 10**6 + b"\r\n\r\n"),
            (431, HEADERS + many + b"\r\n"),
            (431, b"GET /" + b"a" * 10**5 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n"),
            (413, HEADERS + b"Content-Length: 1000000000000\r\n\r\n"),
            (400, HEADERS + b"Content-Length: -1\r\n\r\n"),
            (400, HEADERS + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"),
            (400, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n"),
            (403, HEADERS + b"Content-Length: %d\r\n\r\n" % len(fields) + fields),  # for want of a CSRF cookie only
        ):
            with self.subTest(status=status, sent=sent[:200]):
                self.assertEqual(self.status_of(sent), status)
        self.assert_answers()

    def test_it_says_what_is_too_large_to_who_sends_all_of_it(self) -> None:
        self.start(SPEND_UPLOAD_MEGABYTES="1")
        for megabytes, status, sentence in (
            (2, 403, b""),
            (20, 413, b"Files can have at most 1 MB"),
        ):
            body = MEGABYTE * megabytes
            with closing(http.client.HTTPConnection(*self.address, timeout=SECONDS)) as connection:
                connection.request("POST", LOGIN, body)
                response = connection.getresponse()
                self.assertEqual(response.status, status)
                self.assertIn(sentence, response.read())

    def test_it_writes_no_control_characters_into_its_log(self) -> None:
        self.start()
        self.status_of(b"GET /\x1b[2Jtail HTTP/1.1\r\nHost: localhost\r\n\r\n")
        self.services.wait_for("the line of the access log", lambda: "[2Jtail HTTP" in self.services.log("web"))
        (line,) = (line for line in self.services.log("web").splitlines() if "[2Jtail HTTP" in line)
        self.assertIn('"GET /?[2Jtail HTTP/1.1" 404 ', line)


class EmptyVariables(SimpleTestCase):
    def test_an_empty_value_means_the_default(self) -> None:
        (line,) = re.findall(r"^web: .*&& (.*gunicorn .*)$", (BASE_DIR / "Procfile").read_text(), re.MULTILINE)
        place = Path(sys.executable).parent
        for processes, sent in ((2, ""), (3, "3")):
            values = dict.fromkeys(SHELL_VARIABLES, "") | {"WEB_CONCURRENCY": sent, "PATH": f"{place}:{os.defpath}"}
            command = ["sh", "-c", f"{line} --print-config"]

            answer = run(command, DEBUG="True", SECRET_KEY=GOOD_KEY, **values)

            self.assertRegex(answer.stdout, rf"(?m)^workers +=? *{processes}$", answer.stderr)
            self.assertRegex(answer.stdout, r"(?m)^bind .*0\.0\.0\.0:8000", answer.stderr)


class TooLargeBodies(SimpleTestCase):
    """What is refused at once, and what when all of it has come."""

    def received(self, headers: bytes, body: bytes) -> Parser:
        parser = Parser(Adjustments(max_request_body_size=10))
        parser.received(HEADERS + headers + b"\r\n\r\n")
        if not parser.completed:
            parser.received(body)
        return parser

    def test_a_length_is_waited_for(self) -> None:
        self.assertFalse(self.received(b"Content-Length: 20", b"a" * 19).completed)
        parser = self.received(b"Content-Length: 20", b"a" * 20)
        self.assertEqual((parser.completed, parser.error is not None), (True, True))

    def test_chunks_and_what_is_far_too_large_are_not(self) -> None:
        for headers in (b"Transfer-Encoding: chunked", b"Content-Length: 1000000000000"):
            parser = self.received(headers, b"14\r\n" + b"a" * 20 + b"\r\n")
            self.assertEqual((parser.completed, parser.error is not None), (True, True), headers)


class Slowness(SimpleTestCase):
    """When a client that sends a byte now and then is cut off."""

    def receiving(self, sent: bytes) -> Parser:
        parser = Parser(Adjustments())
        parser.began = 0
        parser.received(sent)
        return parser

    def test_headers_have_half_a_minute(self) -> None:
        for sent in (b"G", HEADERS):
            parser = self.receiving(sent)
            self.assertFalse(parser.is_too_slow(30))
            self.assertTrue(parser.is_too_slow(30.1))

    def test_a_body_has_a_minute_and_then_needs_a_rate(self) -> None:
        parser = self.receiving(HEADERS + b"Content-Length: 200000000\r\n\r\n")
        self.assertFalse(parser.is_too_slow(60))
        self.assertTrue(parser.is_too_slow(60.1))
        parser.received(b"a" * 500 * 100)
        self.assertFalse(parser.is_too_slow(100))
        self.assertTrue(parser.is_too_slow(100.1))


class Ordinary(WebServerTestCase):
    """What gunicorn did before."""

    def test_the_answer_to_head_has_no_body(self) -> None:
        """Bytes of a body would be read as the beginning of the next answer."""
        self.start()
        with closing(http.client.HTTPConnection(*self.address, timeout=SECONDS)) as connection:
            for path in ("/health/live", LOGIN, "/static/campaigns/admin.css"):
                lengths = []
                for method in ("HEAD", "GET"):
                    connection.request(method, path)
                    response = connection.getresponse()
                    lengths.append(response.getheader("Content-Length"))
                    body = response.read()
                self.assertEqual(lengths, [str(len(body))] * 2, path)

    def test_it_writes_an_access_log(self) -> None:
        self.start()
        self.get("/health/live?why", "HEAD")
        self.get("/health/live")
        for line in ('"HEAD /health/live?why HTTP/1.1" 200 0 "-" "-"', '"GET /health/live HTTP/1.1" 200 16 "-" "-"'):
            self.services.wait_for(line, lambda line=line: f"] {line}\n" in self.services.log("web"))  # type: ignore[misc]

    def test_failed_sign_ins_count_for_the_address_that_a_trusted_proxy_appended(self) -> None:
        self.start(TRUST_PROXY_HEADER="True")
        with closing(http.client.HTTPConnection(*self.address, timeout=SECONDS)) as connection:
            connection.request("GET", LOGIN)
            form = connection.getresponse()
            cookie = (form.getheader("Set-Cookie") or "").partition(";")[0]
            token = re.search(rb'name="csrfmiddlewaretoken" value="(\w+)"', form.read())
            assert token
            body = urlencode({"username": "amara", "password": "wrong", "csrfmiddlewaretoken": token[1].decode()})
            kind = "application/x-www-form-urlencoded"
            sender = {"X-Forwarded-For": "198.51.100.7, 203.0.113.9", "Cookie": cookie, "Content-Type": kind}
            connection.request("POST", LOGIN, body, sender)
            self.assertEqual(connection.getresponse().status, 200)
        self.addCleanup(AccessAttempt.objects.all().delete)
        self.assertEqual([attempt.ip_address for attempt in AccessAttempt.objects.all()], ["203.0.113.9"])

    def test_it_finishes_what_runs_and_what_arrives_before_it_ends(self) -> None:
        fifo = Path(self.services.logs, "fifo")
        os.mkfifo(fifo)
        self.start(*web_command("campaigns.tests.support.web_application", workers=1), TEST_FIFO=str(fifo))
        running = self.send(b"GET /waits HTTP/1.1\r\nHost: localhost\r\n\r\n")
        arriving = self.send(HEADERS + b"Content-Length: 3\r\nExpect: 100-continue\r\n\r\n")
        self.assertIn(b" 100 ", arriving.recv(100))
        self.send(HEADERS)  # whose end nobody waits for
        with ExitStack() as ends:
            writer = ends.enter_context(fifo.open("wb"))  # opens when the request runs
            self.services.web_process.terminate()
            self.services.wait_for("it is message to end", lambda: "Handling signal: term" in self.services.log("web"))
            arriving.sendall(b"a=b")
            self.assertIn(b" 403 ", arriving.recv(100))
            writer.write(b"done")
        self.assertIn(b" 200 ", running.recv(1000))
        self.assertEqual(self.services.web_process.wait(timeout=SECONDS), 0)
