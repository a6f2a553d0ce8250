"""The web server answers before the e-mail is sent: how long it takes doesn't tell whether an account exists."""

from __future__ import annotations

import http.client
import re
import threading
import time
from typing import Any
from unittest.mock import patch
from urllib.parse import urlencode

from django.contrib.auth.models import User
from django.core.handlers.wsgi import WSGIHandler
from django.db import connection
from django.test import override_settings
from waitress.server import create_server

from campaigns.tests.people.mail_server import MailServer
from campaigns.tests.support.committed import CommittedTestCase

FORGOTTEN = "/admin/password/forgotten/"
SLOW = 3.0


@override_settings(ALLOWED_HOSTS=["127.0.0.1"])
class AnswersFirst(CommittedTestCase):
    def setUp(self) -> None:
        super().setUp()
        User.objects.create_user("zofia", "zofia@example.com", "a password of hers", is_staff=True)
        # The server's threads keep no connection, which would outlive the test.
        self.enterContext(patch.dict(connection.settings_dict, CONN_MAX_AGE=0))
        server: Any = create_server(WSGIHandler(), host="127.0.0.1", port=0)
        self.port = int(server.effective_port)
        self.addCleanup(server.close)
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()

    def ask(self, email: str) -> float:
        """Ask for a link as a browser does, and return the seconds until the answer is there."""
        visitor = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        visitor.request("GET", FORGOTTEN)
        shown = visitor.getresponse()
        cookie = str(shown.headers["Set-Cookie"]).partition(";")[0]
        found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', shown.read().decode())
        assert found is not None
        body = urlencode({"csrfmiddlewaretoken": found[1], "email": email})
        headers = {"Cookie": cookie, "Content-Type": "application/x-www-form-urlencoded"}
        started = time.monotonic()
        visitor.request("POST", FORGOTTEN, body, headers)
        answer = visitor.getresponse()
        answer.read()
        self.assertEqual(answer.status, 302)
        visitor.close()
        return time.monotonic() - started

    def test_a_slow_mail_server_does_not_show(self) -> None:
        with MailServer(delay=SLOW) as server:
            for email in ("no@example.com", "zofia@example.com"):
                self.assertLess(self.ask(email), SLOW / 2, email)
            deadline = time.monotonic() + 10 * SLOW
            while not server.messages and time.monotonic() < deadline:
                time.sleep(0.1)
            self.assertEqual([message["To"] for message in server.messages], ["zofia@example.com"])
            time.sleep(0.5)  # until the thread has closed its answer, with its connection to the database
