"""Throttling of sign-ins: whose failures count together, and what somebody who is locked out reads.

django-axes counts; its settings (AXES_…) name these functions.
"""

from __future__ import annotations

import math
from datetime import datetime
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any

from axes.helpers import get_cool_off
from axes.models import AccessAttempt
from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

LONGEST_NAME = 255
# Bits of an IPv6 address that a provider gives to one customer, who may choose the others.
ONE_SUBSCRIBER = 64


def client_address(request: HttpRequest) -> str | None:
    """Return the address that failures are counted for; None where the server knows none (a Unix socket).

    Behind a proxy that is trusted it is the last of X-Forwarded-For, the one that the proxy itself appended:
    those before it are what the client wrote. An IPv6 address stands for its whole /64.
    """
    if settings.BEHIND_PROXY:
        appended = request.headers.get("X-Forwarded-For", "").rpartition(",")[2]
        if found := _counted(appended):
            return found
    return _counted(request.META.get("REMOTE_ADDR", ""))


def _counted(text: str) -> str | None:
    try:
        address = ip_address(_without_port(text.strip()))
    except ValueError:
        return None
    if not isinstance(address, IPv6Address):
        return str(address)
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(ip_network((int(address), ONE_SUBSCRIBER), strict=False).network_address)


def _without_port(text: str) -> str:
    """Some proxies append the port: 192.0.2.1:4711, [2001:db8::1]:4711."""
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0] if text.count(":") == 1 else text


def name_tried(request: HttpRequest, credentials: dict[str, Any] | None) -> str:
    """Return the name that somebody tried to sign in with, as long as the column for it."""
    name = (credentials or {}).get("username") or request.POST.get("username") or ""
    return str(name)[:LONGEST_NAME]


def in_the_log(username: str, ip_address: str | None, user_agent: str, path_info: str, request: HttpRequest) -> str:
    """Name who failed, on one line whatever the name holds."""
    return f"{username!r} from {ip_address or 'an unknown address'}"


def locked_out(request: HttpRequest, response: HttpResponse | None, credentials: dict[str, Any] | None) -> HttpResponse:
    """Say until when a name is locked for an address, and who can unlock it."""
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
