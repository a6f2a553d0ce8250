"""The search over everything (Ctrl+K): brands and campaigns by name or id, and the pages of the menu.

What is archived is shown, as such, only where no other brand or campaign matches: then all that matches is in the
archive, so finding it costs no more than finding the others.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path

from campaigns.admin.shared.base import may_view
from campaigns.admin.shared.display import change_address
from campaigns.admin.shared.navigation import navigation
from campaigns.admin.shared.search import words_of
from campaigns.models import Brand, Campaign
from campaigns.rules.search_text import search_text
from campaigns.services.naming.search import number_of, suggest_brands, suggest_campaigns

# Of brands, of campaigns and of pages each.
MAX_SUGGESTIONS = 8
# With a single letter everything would match.
MIN_LENGTH = 2


class Suggestion(NamedTuple):
    name: str
    kind: str
    address: str
    icon: str
    number: int | None = None


def palette(request: HttpRequest) -> HttpResponse:
    """Return what matches as options of a list box; palette.js puts them on the page."""
    words = list(words_of(request.GET.get("s", "")))
    is_long_enough = sum(map(len, words)) >= MIN_LENGTH or any(number_of(word) is not None for word in words)
    found = list(_suggestions(request, words)) if is_long_enough else []
    return render(request, "campaigns/admin/palette_options.html", {"found": found, "searched": is_long_enough})


def _suggestions(request: HttpRequest, words: list[str]) -> Iterator[Suggestion]:
    yield from list(_rows(request, words, archived=False)) or _rows(request, words, archived=True)
    yield from list(_pages(request, words))[:MAX_SUGGESTIONS]


def _rows(request: HttpRequest, words: list[str], *, archived: bool) -> Iterator[Suggestion]:
    brand_kind, campaign_kind = ("Archived brand", "Archived campaign") if archived else ("Brand", "Campaign")
    if may_view(request, Brand):
        for brand in suggest_brands(request.user, words, limit=MAX_SUGGESTIONS, archived=archived):
            yield Suggestion(brand.name, brand_kind, change_address(brand), "storefront", brand.pk)
    if may_view(request, Campaign):
        for campaign in suggest_campaigns(request.user, words, limit=MAX_SUGGESTIONS, archived=archived):
            kind = f"{campaign_kind} · {campaign.brand.name}"
            yield Suggestion(campaign.name, kind, change_address(campaign), "campaign", campaign.pk)


def _pages(request: HttpRequest, words: list[str]) -> Iterator[Suggestion]:
    for group in navigation(request):
        for item in group["items"]:
            if all(search_text(word) in search_text(item["title"]) for word in words):
                yield Suggestion(item["title"], "Page", item["link"], item["icon"])


urlpatterns = [path("", admin.site.admin_view(palette))]
