from __future__ import annotations

from collections.abc import Iterable

from campaigns.models import Brand


def lock_brands(brand_ids: Iterable[int]) -> None:
    """Wait for the brands' locks, in order of id, and hold them to the end of the transaction.

    Whoever edits a brand, its campaigns or their windows, or writes their statuses, holds this lock. It doesn't hinder
    spend writers, nor folds that add a brand's periods: their foreign keys only need the row to stay. On SQLite the transaction itself is the lock.
    """
    list(
        Brand.objects.order_by("pk")
        .filter(pk__in=set(brand_ids))
        .select_for_update(no_key=True)
        .values_list("pk", flat=True)
    )
