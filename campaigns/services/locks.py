from __future__ import annotations

from collections.abc import Iterable

from campaigns.database import LET_GO, fetch_all, is_postgresql
from campaigns.dialects import among, among_param


def lock_brands(brand_ids: Iterable[int]) -> None:
    """Wait for the brands' locks, in order of id, and hold them to the end of the transaction.

    Whoever edits a brand, its campaigns or their windows, or writes their statuses, holds this lock. It doesn't hinder
    spend writers, nor folds that add a brand's periods: their foreign keys only need the row to stay. On SQLite the
    transaction itself is the lock.
    """
    if is_postgresql():
        fetch_all(
            f"SELECT id, {LET_GO} FROM campaigns_brand WHERE {among('id')} ORDER BY id FOR NO KEY UPDATE",
            [among_param(set(brand_ids))],
        )
