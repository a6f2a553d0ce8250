"""Ad platforms, and the form of their ids.

One account must not count twice under two spellings, so ids are stored in one form, which the database checks too.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

# The platform itself, whatever pipeline brings its figures.
SOURCES: Mapping[str, str] = MappingProxyType(
    {
        "google_ads": "Google Ads",
        "meta_ads": "Meta Ads",
        "microsoft_ads": "Microsoft Advertising",
        "amazon_ads": "Amazon Ads",
        "dv360": "Display & Video 360",
        "tiktok_ads": "TikTok Ads",
        "linkedin_ads": "LinkedIn Ads",
        "pinterest_ads": "Pinterest Ads",
        "snapchat_ads": "Snapchat Ads",
        "x_ads": "X Ads",
        "other": "Other",
    }
)

LONGEST_ID = 255
# Rows of a file without ids have a campaign id of this and the campaign's name.
BY_NAME = "name:"

_DASHES = "-\u2010\u2011\u2012\u2013\u2014\u2015\u2212"


def platform_id(text: str) -> str:
    """Return a platform's id in the form that is stored: lower case, without spaces and dashes."""
    return "".join("".join(text.split()).translate(dict.fromkeys(map(ord, _DASHES))).lower().split())


def id_by_name(name: str) -> str:
    """Return the id of a campaign of which only the name is known."""
    return BY_NAME + platform_id(name)


def shown_id(external_id: str) -> str:
    """Return an id for people: “acme (by name)” for one that only a name stands for."""
    return f"{external_id.removeprefix(BY_NAME)} (by name)" if external_id.startswith(BY_NAME) else external_id
