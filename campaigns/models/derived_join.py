"""A SELECT of ours that is joined to a queryset as a CTE: run once for a statement, however many rows it gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import BigIntegerField, Field, QuerySet
from django.db.models.sql.constants import LOUTER
from django_cte import CTE, with_cte
from django_cte.raw import raw_cte_sql


def join_derived(
    rows: QuerySet[Any], sql: str, params: Sequence[Any], columns: Mapping[str, Field[Any, Any]]
) -> QuerySet[Any]:
    """Join a SELECT to the rows by its column id, and annotate its other columns, of which the types are given.

    A row that it has no line for gets NULLs. A queryset can be joined once: the database refuses a second CTE of the
    same name.
    """
    cte = CTE(raw_cte_sql(sql, params, {"id": BigIntegerField(), **columns}), name="derived")
    joined = cte.join(rows, pk=cte.col.id, _join_type=LOUTER)
    annotated: QuerySet[Any] = with_cte(cte, select=joined).annotate(
        **{name: getattr(cte.col, name) for name in columns}
    )
    return annotated
