"""Throttling of sign-ins: which failures count together, and the page for a locked user.

django-axes counts; its settings (AXES_…) name these functions.
"""

from __future__ import annotations

import math
from datetime import datetime
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any

from axes.helpers import get_cool_off
from axes.models import AccessAttempt
from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

MAX_NAME_LENGTH = 255
# Bits of the IPv6 prefix of one subscriber, who can choose the others.
SUBSCRIBER_PREFIX = 64


def client_address(request: HttpRequest) -> str | None:
    """Return the address for which failures are counted; None on a Unix socket. An IPv6 address stands for its /64."""
    address = peer_address(request)
    if isinstance(address, IPv6Address):
        return str(ip_network((int(address), SUBSCRIBER_PREFIX), strict=False).network_address)
    return str(address) if address else None


def peer_address(request: HttpRequest) -> IPv4Address | IPv6Address | None:
    """Return the client's address; None on a Unix socket.

    Behind a trusted proxy it is the last of X-Forwarded-For, which the proxy appended; the client can forge the others.
    """
    if settings.BEHIND_PROXY:
        appended = request.headers.get("X-Forwarded-For", "").rpartition(",")[2]
        if found := _parsed(appended):
            return found
    return _parsed(request.META.get("REMOTE_ADDR", ""))


def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(_without_port(text.strip()))
    except ValueError:
        return None
    return address.ipv4_mapped or address if isinstance(address, IPv6Address) else address


def _without_port(text: str) -> str:
    """Remove the port that some proxies append: 192.0.2.1:4711, [2001:db8::1]:4711."""
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0] if text.count(":") == 1 else text


def name_tried(request: HttpRequest, credentials: dict[str, Any] | None) -> str:
    """Return the name of a sign-in attempt, cut to the length of its column."""
    name = (credentials or {}).get("username") or request.POST.get("username") or ""
    return str(name)[:MAX_NAME_LENGTH]


def in_the_log(username: str, ip_address: str | None, user_agent: str, path_info: str, request: HttpRequest) -> str:
    """Return a failed sign-in for the log, always on one line."""
    return f"{username!r} from {ip_address or 'an unknown address'}"


def locked_out(request: HttpRequest, response: HttpResponse | None, credentials: dict[str, Any] | None) -> HttpResponse:
    """Return the page that says until when a name is locked for an address, and who can unlock it."""
    name, until = name_tried(request, credentials), _locked_until(request, credentials)
    left = max(0.0, (until - timezone.now()).total_seconds())
    context = {
        **admin.site.each_context(request),
        "title": "Sign-in is locked",
        "name": name,
        "minutes": max(1, math.ceil(left / 60)),
        "until": until,
    }
    answer = render(request, "campaigns/admin/locked_out.html", context, status=429)
    answer["Retry-After"] = str(math.ceil(left))
    return answer


def _locked_until(request: HttpRequest, credentials: dict[str, Any] | None) -> datetime:
    attempts = AccessAttempt.objects.filter(
        username=name_tried(request, credentials), ip_address=client_address(request)
    )
    last = attempts.order_by("-attempt_time").values_list("attempt_time", flat=True).first()
    return (last or timezone.now()) + (get_cool_off(request) or settings.AXES_COOLOFF_TIME)
