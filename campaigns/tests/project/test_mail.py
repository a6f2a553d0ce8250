"""EMAIL_URL and EMAIL_FROM: what is understood, and what is refused in a sentence without the password."""

from __future__ import annotations

import os
from unittest.mock import patch

from django.core.exceptions import ImproperlyConfigured
from django.test import SimpleTestCase

from budget_manager import mail

FROM = "Budget manager <budget@example.com>"
HOSTS = ["budget.example.com"]


def server(url: str, sender: str = FROM, hosts: list[str] = HOSTS) -> mail.MailServer | None:
    with patch.dict(os.environ, EMAIL_URL=url, EMAIL_FROM=sender):
        return mail.server(hosts)


class EmailUrl(SimpleTestCase):
    def test_it_is_not_needed(self) -> None:
        self.assertIsNone(server("", sender=""))
        self.assertIsNone(server("", hosts=["*"]))

    def test_it_names_the_server_and_its_encryption(self) -> None:
        for url, found in (
            ("smtp+starttls://me:a%40b@mail.example.com", ("mail.example.com", 587, "me", "a@b", True, False)),
            ("smtps://me:secret@mail.example.com", ("mail.example.com", 465, "me", "secret", False, True)),
            ("smtp://relay:2525", ("relay", 2525, "", "", False, False)),
            ("smtp://me:secret@localhost", ("localhost", 25, "me", "secret", False, False)),
            ("smtp://[::1]:1025/", ("::1", 1025, "", "", False, False)),
        ):
            with self.subTest(url):
                self.assertEqual(server(url), mail.MailServer(*found, FROM))

    def test_it_refuses_what_it_does_not_understand_without_the_password(self) -> None:
        for url, reason in (
            ("mail.example.com", "its scheme is missing"),
            ("http://mail.example.com", "its scheme is http"),
            ("smtps://", "it names no host"),
            ("smtps://mail.example.com:x", "its port isn't a number up to 65535"),
            ("smtps://mail.example.com:0", "its port is 0"),
            ("smtps://mail.example.com/?tls=1", "something follows the port"),
            ("smtps://me@mail.example.com", "a user without a password"),
            ("smtp://me:my-secret@mail.example.com", "would send the password unencrypted"),
        ):
            with self.subTest(url), self.assertRaises(ImproperlyConfigured) as refusal:
                server(url)
            self.assertIn(reason, str(refusal.exception))
            self.assertNotIn("my-secret", str(refusal.exception))

    def test_it_needs_a_sender(self) -> None:
        for sender in ("", "Budget manager", "a@", "@b", "a@b.example\r\nBcc: c@d.example"):
            with self.subTest(sender), self.assertRaisesMessage(ImproperlyConfigured, "EMAIL_FROM="):
                server("smtp://relay", sender=sender)

    def test_it_refuses_any_host_because_links_name_it(self) -> None:
        with self.assertRaisesMessage(ImproperlyConfigured, "ALLOWED_HOSTS is *"):
            server("smtp://relay", hosts=["*"])
