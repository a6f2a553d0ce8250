"""Webhooks go to public addresses only, however a private one is spelled."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit

from django.test import SimpleTestCase, override_settings

from campaigns.models.outgoing.webhooks import MAX_URL
from campaigns.services.webhooks.addresses import Refused, Target, check_address, check_url, port_of, resolve
from campaigns.services.webhooks.client import post
from campaigns.tests.webhooks.receiving import OWN_NETWORKS, receiver

PRIVATE = "The host has a private, local or reserved address."


def resolver_of(*answers: Sequence[str]) -> tuple[list[str], object]:
    """Return what notes the names that are asked for, and a resolver that gives one answer after the other."""
    asked: list[str] = []

    def resolver(host: str, port: int) -> list[Target]:
        asked.append(host)
        found = answers[min(len(asked), len(answers)) - 1]
        return [(socket.AF_INET6 if ":" in each else socket.AF_INET, (each, port)) for each in found]

    return asked, resolver


class Addresses(SimpleTestCase):
    def test_it_refuses_every_address_that_is_not_public(self) -> None:
        for address in (
            "127.0.0.1",
            "127.255.255.254",
            "0.0.0.0",  # noqa: S104  # refused
            "10.0.0.1",
            "100.64.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "192.0.0.8",
            "192.0.2.1",
            "192.168.1.1",
            "198.18.0.1",
            "224.0.0.1",
            "239.255.255.250",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:7f00:1",
            "64:ff9b::a00:1",
            "64:ff9b::7f00:1",
            "64:ff9b:1::808:808",
            "2001:0:808:808::1",
            "2001:db8::1",
            "3fff::1",
            "3fff:fff:ffff::1",
            "192.88.99.1",
            "2002:a00:1::",
            "2002:808:808::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ):
            with self.subTest(address), self.assertRaisesMessage(Refused, PRIVATE):
                check_address(ip_address(address), scheme="https")

    def test_it_takes_public_addresses_also_by_nat64(self) -> None:
        for address in ("8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"):
            check_address(ip_address(address), scheme="https")

    def test_it_sends_to_own_networks_that_are_named_and_no_others(self) -> None:
        with override_settings(WEBHOOK_PRIVATE_NETWORKS=[ip_network("10.1.0.0/16"), ip_network("fd00::/8")]):
            for address in ("10.1.2.3", "::ffff:10.1.2.3", "64:ff9b::a01:203", "fd00::1"):
                for scheme in ("http", "https"):
                    check_address(ip_address(address), scheme=scheme)
            with self.assertRaisesMessage(Refused, PRIVATE):
                check_address(ip_address("10.2.0.1"), scheme="https")
            with self.assertRaisesMessage(Refused, "Only https:// is sent to public addresses."):
                check_address(ip_address("8.8.8.8"), scheme="http")

    def test_it_refuses_a_host_that_hides_its_address(self) -> None:
        for host in (
            "2130706433",
            "0x7f000001",
            "017700000001",
            "127.1",
            "0177.0.0.1",
            "0x7f.0.0.1",
            "127.0.0.1.",
            "127.0.0.1",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "[::ffff:10.0.0.1]",
            "[64:ff9b::a00:1]",
            "[fe80::1%25lo]",
        ):
            with self.subTest(host), self.assertRaises(Refused):
                check_url(f"https://{host}/hook")

    def test_a_numeric_host_that_was_saved_by_sql_is_refused_when_it_is_resolved(self) -> None:
        """The system's resolver reads such numbers; what it makes of them is checked like any other address."""
        for host in ("2130706433", "0x7f000001", "127.1"):
            with self.subTest(host):
                ((_, address), *_) = resolve(host, 443)
                with self.assertRaisesMessage(Refused, PRIVATE):
                    check_address(ip_address(address[0]), scheme="https")

    def test_it_says_what_is_wrong_with_a_url(self) -> None:
        for url, why in (
            ("http://example.com/", "https://"),
            ("ftp://example.com/", "https://"),
            ("//example.com/", "https://"),
            ("https:///hook", "names no host"),
            ("https://example.com:0/", "names no host"),
            ("https://example.com:99999/", "isn't a valid URL"),
            ("https://[::1/", "isn't a valid URL"),
            ("https://user:secret@example.com/", "Leave out the user"),
            ("https://user@example.com/", "Leave out the user"),
            ("https://example.com/#part", "Leave out the user"),
            ("https://example.com/a b", "without spaces"),
            ("https://exämple.com/", "without spaces or accents"),
            ("https://example.com/\r\nX-More: 1", "without spaces"),
            ("https://example.com/" + "x" * 1000, "at most 1,000 characters"),
        ):
            with self.subTest(url), self.assertRaisesRegex(Refused, why):
                check_url(url)

    def test_it_takes_a_url_of_the_longest_that_is_stored(self) -> None:
        url = "https://example.com/".ljust(MAX_URL, "x")
        self.assertEqual(check_url(url).hostname, "example.com")
        with self.assertRaisesRegex(Refused, "at most 1,000 characters"):
            check_url(f"{url}x")

    @override_settings(WEBHOOK_PRIVATE_NETWORKS=[ip_network("10.1.0.1/32")])
    def test_a_network_of_one_address_has_no_neighbours(self) -> None:
        check_address(ip_address("64:ff9b::a01:1"), scheme="https")
        with self.assertRaisesMessage(Refused, PRIVATE):
            check_address(ip_address("64:ff9b::a01:0"), scheme="https")

    def test_a_url_without_a_port_goes_to_that_of_its_scheme(self) -> None:
        for url, port in (("https://a.test/", 443), ("http://a.test/", 80), ("https://a.test:8443/", 8443)):
            self.assertEqual(port_of(urlsplit(url)), port)


class Names(SimpleTestCase):
    """Names whose addresses a resolver of ours decides; connections are real."""

    def test_a_name_with_a_private_address_is_refused(self) -> None:
        for address in ("127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::a00:1"):
            with self.subTest(address):
                _, resolver = resolver_of([address])
                answer = post("https://example.com/", b"{}", {}, resolver=resolver)  # type: ignore[arg-type]
                self.assertEqual((answer.status, answer.problem), (None, PRIVATE))

    def test_a_name_with_one_private_address_among_public_ones_is_refused(self) -> None:
        _, resolver = resolver_of(["203.0.114.1", "127.0.0.1"])
        answer = post("https://example.com/", b"{}", {}, resolver=resolver)  # type: ignore[arg-type]
        self.assertEqual(answer.problem, PRIVATE)

    def test_localhost_is_refused_by_the_systems_resolver(self) -> None:
        with receiver(tls=True) as server:
            answer = post(server.url, b"{}", {})
        self.assertEqual((answer.problem, server.received), (PRIVATE, []))

    @override_settings(WEBHOOK_PRIVATE_NETWORKS=OWN_NETWORKS)
    def test_a_name_that_changes_after_the_check_leads_nowhere_else(self) -> None:
        """Its second answer would be another machine's address: it is never asked for."""
        with receiver() as server:
            asked, resolver = resolver_of(["127.0.0.1"], ["10.0.0.1"])
            answer = post(f"http://rebind.test:{server.port}/", b"{}", {}, resolver=resolver)  # type: ignore[arg-type]
            self.assertEqual((answer.status, asked), (200, ["rebind.test"]))
            self.assertEqual(server.received[0].headers["host"], f"rebind.test:{server.port}")

    @override_settings(WEBHOOK_PRIVATE_NETWORKS=OWN_NETWORKS)
    def test_a_name_that_changes_between_two_attempts_is_checked_again(self) -> None:
        with receiver() as server:
            _, resolver = resolver_of(["127.0.0.1"], ["10.0.0.1"])
            url = f"http://rebind.test:{server.port}/"
            answers = [post(url, b"{}", {}, resolver=resolver) for _ in range(2)]  # type: ignore[arg-type]
        self.assertEqual([answer.status for answer in answers], [200, None])
        self.assertEqual(answers[1].problem, "Only https:// is sent to public addresses.")
        self.assertEqual(len(server.received), 1)
