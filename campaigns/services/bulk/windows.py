"""Writing the schedules of many campaigns: what is the same stays, the rest goes or comes, in few statements."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import time

from campaigns.database.write_column import in_pieces
from campaigns.models import DaypartingSchedule
from campaigns.services.bulk.presets import Schedule, WindowValue, value_of

BATCH = 1_000


def write_schedules(schedules: Mapping[int, Schedule]) -> None:
    """Give the campaigns with these ids these windows. The caller holds the locks of their brands.

    Windows that stay keep their rows.
    """
    missing = {pk: Counter(schedule) for pk, schedule in schedules.items()}
    gone: list[int] = []
    for piece in in_pieces(sorted(schedules)):
        for window in DaypartingSchedule.objects.filter(campaign__in=piece).order_by("id"):
            wanted, value = missing[window.campaign_id], value_of(window)
            if wanted[value] > 0:
                wanted[value] -= 1
            else:
                gone.append(window.pk)
    for piece in in_pieces(gone):
        DaypartingSchedule.objects.filter(pk__in=piece).delete()
    new = [_row(pk, value) for pk, wanted in sorted(missing.items()) for value in wanted.elements()]
    DaypartingSchedule.objects.bulk_create(new, batch_size=BATCH)


def _row(campaign_id: int, value: WindowValue) -> DaypartingSchedule:
    return DaypartingSchedule(
        campaign_id=campaign_id,
        days_of_week=value.days,
        start_time=time.fromisoformat(value.start),
        end_time=time.fromisoformat(value.end),
    )
