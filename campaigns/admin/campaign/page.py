"""The summary above a campaign's form: the status in a sentence, spend against limits, and today's spend as a chart."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from campaigns.admin.campaign.applied import applied_lines
from campaigns.admin.shared.display import spend_bar, standing_of, table
from campaigns.admin.shared.times import as_of
from campaigns.models import Brand, Campaign
from campaigns.models.pace_queries import brands_with_pace
from campaigns.rules.currencies import decimals_of
from campaigns.rules.money import format_money, format_spend, format_spend_money
from campaigns.rules.periods import find_zone
from campaigns.rules.reasons import describe
from campaigns.services.insight.campaign_day import Day, Point, Source, campaign_changes, read_day, total_paused
from campaigns.services.insight.explain import Facts, explain_status

A_QUARTER = timedelta(minutes=15)


def campaign_now(campaign: Any, now: datetime) -> SafeString:
    """Return the summary; the campaign comes with its windows and all its figures."""
    changes, zone = campaign_changes(campaign), find_zone(campaign.brand.timezone)
    facts = Facts(
        campaign,
        list(campaign.windows.all()),
        changes,
        campaign.spend_today,
        campaign.brand_spend_today,
        campaign.brand_spend_this_month,
    )
    day = read_day(campaign, zone, spend_today=campaign.spend_today, changes=changes, now=now) if zone else None
    return render_to_string(
        "campaigns/admin/campaign_now.html",
        {
            "as_of": as_of(now, campaign.brand.timezone),
            "zone": campaign.brand.timezone if zone else "",
            "story": explain_status(facts, now),
            "is_paused": bool(campaign.reasons),
            "bars": _bars(campaign, now),
            "applied": applied_lines(campaign, changes, zone, now),
            "today": _Today(campaign, day, zone) if day and zone else None,
        },
    )


def _bars(campaign: Any, now: datetime) -> list[tuple[str, SafeString]]:
    brand = campaign.brand
    paced: Any = brands_with_pace(Brand.objects.filter(pk=brand.pk), now, [brand.pk]).get()
    own = spend_bar(campaign.spend_today, campaign.daily_spend_limit, brand.currency, of="daily spend limit")
    of_brand = spend_bar(campaign.brand_spend_today, brand.daily_budget, brand.currency, of="brand's daily budget")
    of_month = spend_bar(
        campaign.brand_spend_this_month,
        brand.monthly_budget,
        brand.currency,
        of="brand's monthly budget",
        standing=standing_of(paced),
    )
    return [("Campaign today", own), ("Brand today", of_brand), ("Brand this month", of_month)]


@dataclass(frozen=True)
class _Today:
    """Today's spend as the template shows it: a chart, a sentence and tables."""

    campaign: Campaign
    day: Day
    zone: ZoneInfo

    @property
    def chart(self) -> str:
        """Return the data of the chart's script; minutes count from the start of the day."""
        limit, currency = self.campaign.daily_spend_limit, self.campaign.brand.currency
        shown = {
            "points": [[self._minute(x.at), float(x.spend), self._clock(x.at)] for x in self.day.points],
            "pauses": [[self._minute(pause.start), self._minute(pause.end)] for pause in self.day.pauses],
            "limit": None if limit is None else float(limit),
            "currency": currency,
            "decimals": decimals_of(currency),
            "now": self._minute(self.day.now),
            "end": self._minute(self.day.end),
            "ticks": [[self._minute(at), self._clock(at)] for at in self._ticks()],
        }
        return json.dumps(shown, separators=(",", ":"))

    @property
    def sentence(self) -> str:
        """Describe the chart."""
        currency, limit = self.campaign.brand.currency, self.campaign.daily_spend_limit
        spent = f"{format_spend_money(self.day.points[-1].spend, currency)} spent by {self._clock(self.day.now)}"
        of = "no daily spend limit" if limit is None else f"the limit is {format_money(limit, currency)}"
        paused = total_paused(self.day.pauses)
        return f"{spent}; {of}; {f'paused for {_duration(paused)}' if paused else 'not paused so far'}."

    @property
    def by_hour(self) -> SafeString:
        currency = self.campaign.brand.currency
        rows = [
            [
                self._span(before.at, point.at),
                format_spend(point.spend - before.spend, currency),
                format_spend(point.spend, currency),
            ]
            for before, point in self._steps()
        ]
        return table(
            ("Time", f"Spent ({currency})", "Spent so far"),
            rows,
            numbers=(1, 2),
            empty="No spend today.",
            label="Today’s spend",
        )

    @property
    def pauses(self) -> SafeString:
        rows = [[self._span(x.start, x.end), _duration(x.end - x.start), describe(x.reasons)] for x in self.day.pauses]
        return table(("Paused", "For", "Why"), rows, empty="Not paused so far today.", label="Today’s pauses")

    @property
    def note(self) -> str:
        """Say how the curve was drawn, if not by quarter-hours."""
        if self.day.source is Source.RECORDS:
            return ""
        return "Too many records to draw them all: the curve connects the spend at each status change."

    def _steps(self) -> Iterator[tuple[Point, Point]]:
        """Yield the points at full hours, and the last one, each with the one before."""
        whole = [x for x in self.day.points if self.day.source is Source.HISTORY or self._wall(x.at).minute == 0]
        points = whole if whole and whole[-1] is self.day.points[-1] else [*whole, self.day.points[-1]]
        return pairwise(points)

    def _ticks(self) -> Iterator[datetime]:
        """Yield the full hours to label on the axis: 00:00, 03:00 and so on in local time."""
        at = self.day.start
        while at <= self.day.end:
            wall = self._wall(at)
            if wall.hour % 3 == 0 and wall.minute == 0:
                yield at
            at += A_QUARTER

    def _minute(self, at: datetime) -> float:
        return round((at - self.day.start).total_seconds() / 60, 2)

    def _wall(self, at: datetime) -> datetime:
        return at.astimezone(self.zone)

    def _clock(self, at: datetime) -> str:
        return "24:00" if at == self.day.end else f"{self._wall(at):%H:%M}"

    def _span(self, start: datetime, end: datetime) -> str:
        return f"{self._clock(start)}–{self._clock(end)}"


def _duration(length: timedelta) -> str:
    minutes = int(length.total_seconds()) // 60
    hours, rest = divmod(minutes, 60)
    if not hours:
        return f"{rest} min" if rest else "less than a minute"
    return f"{hours} h {rest} min" if rest else f"{hours} h"
