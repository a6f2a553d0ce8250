"""Which addresses webhooks may go to: public ones, and those of the networks in WEBHOOK_PRIVATE_NETWORKS.

A name is resolved once; every address that it has is checked, and the connection goes to one of these. So a name that
resolves to something else a moment later leads nowhere new.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any
from urllib.parse import SplitResult, urlsplit

from django.conf import settings

from campaigns.models.outgoing.webhooks import MAX_URL

Address = IPv4Address | IPv6Address
# An address family and what connect() takes: numbers, never a name.
Target = tuple[socket.AddressFamily, tuple[Any, ...]]
Resolver = Callable[[str, int], Sequence[Target]]

PORTS = {"https": 443, "http": 80}

# IPv6 addresses that carry an IPv4 address in their last 32 bits: mapped, compatible, and NAT64.
EMBEDDING = tuple(map(IPv6Network, ("::ffff:0:0/96", "::/96", "64:ff9b::/96")))
# Tunnels (6to4, Teredo) and private NAT64, which lead to IPv4 addresses that aren't in the last bits.
TUNNELS = tuple(map(IPv6Network, ("2002::/16", "2001::/32", "64:ff9b:1::/48")))
# All that is given out for unicast; Python's own list of exceptions grows from release to release.
UNICAST = IPv6Network("2000::/3")
# Of protocols, and the former relays of 6to4, which lead to IPv6 networks.
RESERVED = tuple(map(IPv4Network, ("192.0.0.0/24", "192.88.99.0/24")))
# For documentation (RFC 9637): Python doesn't know it in all releases.
DOCUMENTATION = IPv6Network("3fff::/20")
# Hosts that are numbers in any of the spellings of inet_aton(): decimal, octal, hexadecimal, with fewer dots.
NUMERIC = re.compile(r"(0x[0-9a-f]*|[0-9]+)(\.(0x[0-9a-f]*|[0-9]+)){0,3}\.?", re.IGNORECASE)


class Refused(Exception):
    """The address of an endpoint can't be used; the message is a sentence for people."""


def check_url(url: str) -> SplitResult:
    """Return the parts of an endpoint's URL. Raises Refused if it isn't one that we send to, without resolving it."""
    if len(url) > MAX_URL or not re.fullmatch(r"[\x21-\x7e]+", url):
        raise Refused(f"Enter a URL of at most {MAX_URL:,} characters, without spaces or accents.")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise Refused("This isn't a valid URL: check the host and the port.") from None
    allowed = ("https", "http") if settings.WEBHOOK_PRIVATE_NETWORKS else ("https",)
    if parts.scheme not in allowed:
        raise Refused("Enter a URL that starts with https://.")
    if not parts.hostname or port == 0:
        raise Refused("The URL names no host.")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise Refused("Leave out the user, the password and the part after “#”.")
    if literal := _literal(parts.hostname):
        check_address(literal, scheme=parts.scheme)
    elif NUMERIC.fullmatch(parts.hostname):
        raise Refused("Write the address of the host as four numbers, or use its name.")
    return parts


def port_of(parts: SplitResult) -> int:
    return parts.port or PORTS[parts.scheme]


def check_address(address: Address, *, scheme: str) -> None:
    """Raises Refused for an address that isn't public, unless it is in one of our own networks; http only there."""
    plain = _unwrapped(address)
    if any(each in network for network in settings.WEBHOOK_PRIVATE_NETWORKS for each in (address, plain)):
        return
    if scheme != "https":
        raise Refused("Only https:// is sent to public addresses.")
    if not _is_public(plain):
        raise Refused("The host has a private, local or reserved address.")


def resolve(host: str, port: int) -> list[Target]:
    """Return the addresses of a host by the system's resolver. Raises OSError if it has none."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [(family, address) for family, _, _, _, address in found]


def targets(parts: SplitResult, resolver: Resolver = resolve) -> Sequence[Target]:
    """Return the checked addresses to connect to. Raises Refused if any isn't allowed, OSError if there is none."""
    found = resolver(str(parts.hostname), port_of(parts))
    for _, address in found:
        check_address(ip_address(address[0].partition("%")[0]), scheme=parts.scheme)
    return found


def _literal(host: str) -> Address | None:
    try:
        return ip_address(host.partition("%")[0])
    except ValueError:
        return None


def _unwrapped(address: Address) -> Address:
    if isinstance(address, IPv6Address) and any(address in network for network in EMBEDDING):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def _is_public(address: Address) -> bool:
    if isinstance(address, IPv6Address):
        if address not in UNICAST or any(address in network for network in (*TUNNELS, DOCUMENTATION)):
            return False
    elif any(address in network for network in RESERVED):
        return False
    special = address.is_multicast or address.is_reserved or address.is_link_local or address.is_unspecified
    return address.is_global and not special
