"""The filter of the campaign list by how much of the daily spend limit is used."""

from __future__ import annotations

from django.utils import timezone

from campaigns.admin.shared.filters import NearFilter
from campaigns.services.insight.near_limit import campaigns_near_their_limit


class NearLimitFilter(NearFilter):
    """Campaigns that are near their daily spend limit."""

    title = "daily spend limit"

    def near(self) -> list[int]:
        return campaigns_near_their_limit(now=timezone.now())
