"""A client of the feed that knows only what it was given, and a process that changes statuses as fast as it can."""

from __future__ import annotations

import os
import random
import sys
import time
from typing import TYPE_CHECKING, Any

import django

if TYPE_CHECKING:
    from campaigns.services.feed.pages import FeedChange


class Client:
    """Lists statuses, then follows changes; a campaign that is in neither is active."""

    def __init__(self) -> None:
        self.position: int | None = None
        self.paused: dict[int, bool] = {}
        self.lists = 0

    def follow(self, pages: int = 1_000_000, most: int = 7) -> None:
        """Read what is there, page by page; at most so many pages, where others write faster than it reads."""
        from campaigns.services.feed.pages import UnknownPosition, read_page

        more = True
        while more and pages:
            pages -= 1
            if self.position is None:
                self.list()
            assert self.position is not None
            try:
                page = read_page(self.position, most=most)
            except UnknownPosition:
                self.position = None
                continue
            for change in page.changes:
                self.take(change)
            self.position, more = page.position, page.more

    def take(self, change: FeedChange) -> None:
        assert self.position is not None
        assert change.position > self.position, "a position twice, or out of order"
        self.position = change.position
        self.paused[change.campaign_id] = bool(change.after)

    def list(self) -> None:
        from campaigns.models import Campaign
        from campaigns.services.feed.publish import last_position

        self.lists += 1
        self.position = last_position()
        self.paused = {pk: bool(reasons) for pk, reasons in Campaign.objects.values_list("pk", "pause_reasons")}

    def differences(self) -> dict[int, Any]:
        """Return the campaigns of which it believes something else than the table says."""
        from campaigns.models import Campaign

        rows = Campaign.objects.values_list("pk", "pause_reasons")
        return {pk: reasons for pk, reasons in rows if bool(reasons) != self.paused.get(pk, False)}


def write(seed: int) -> None:
    """Pause and resume campaigns of several brands, in transactions of all lengths, for ever."""
    from django.db import DatabaseError, connection, transaction
    from django.utils import timezone

    from campaigns.models import Brand, Campaign
    from campaigns.services.enforcement.saving import begin_change, finish_change
    from campaigns.services.scope import Scope

    choose = random.Random(seed)
    brands = list(Brand.objects.values_list("pk", flat=True))
    # SQLite has one writer, and all others poll: without a rest, a reader that publishes waits for many seconds.
    rest = 0.03 if connection.vendor == "sqlite" else 0
    while True:
        some = choose.sample(brands, choose.randint(1, 3))
        try:
            with transaction.atomic():
                begin_change(some, clock=timezone.now)
                for campaign in Campaign.objects.filter(brand__in=some).order_by("pk"):
                    if choose.random() < 0.5:
                        Campaign.objects.filter(pk=campaign.pk).update(enabled=not campaign.enabled)
                finish_change(Scope.of_brands(some), clock=timezone.now, actor="test")
                time.sleep(choose.choice((0, 0, 0.001, 0.05)))
                if choose.random() < 0.1:
                    transaction.set_rollback(True)
        except DatabaseError:  # busy: others have the brands
            continue
        time.sleep(rest)


if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "budget_manager.settings"
    django.setup()
    write(int(sys.argv[1]))
