"""A join to a derived table, summed once per statement, which Django's querysets can't express."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import QuerySet
from django.db.models.expressions import Expression
from django.db.models.sql.compiler import SQLCompiler
from django.db.models.sql.constants import LOUTER
from django.db.models.sql.datastructures import BaseTable

from campaigns.models.fields import MicrosField


class DerivedJoin(BaseTable):
    """LEFT JOIN (SELECT …) on its column id, which is unique, and the id of the rows."""

    nullable = True

    def __init__(self, sql: str, params: Sequence[Any], parent_alias: str, alias: str | None = None) -> None:
        super().__init__("derived", alias)
        self.sql, self.params = sql, tuple(params)
        self.join_type, self.parent_alias = LOUTER, parent_alias

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> tuple[str, tuple[str | int, ...]]:
        parent = compiler.quote_name_unless_alias(self.parent_alias)
        derived = compiler.quote_name_unless_alias(str(self.table_alias))
        return f"{self.join_type} ({self.sql}) {derived} ON ({parent}.id = {derived}.id)", self.params

    def relabeled_clone(self, change_map: Mapping[str | None, str]) -> DerivedJoin:
        parent = change_map.get(self.parent_alias, self.parent_alias)
        alias = change_map.get(self.table_alias, self.table_alias)
        return DerivedJoin(self.sql, self.params, parent, alias)

    @property
    def identity(self) -> Any:
        return type(self), self.sql, repr(self.params), self.parent_alias


def join_derived(rows: QuerySet[Any], sql: str, params: Sequence[Any], amounts: Iterable[str]) -> QuerySet[Any]:
    """Join a SELECT to the rows by its column id, and annotate amounts in millionths, its other columns."""
    joined = rows.all()
    query = joined.query
    alias: str = query.join(DerivedJoin(sql, params, str(query.get_initial_alias())))
    annotated: QuerySet[Any] = joined.annotate(**{name: DerivedAmount(alias, name) for name in amounts})
    return annotated


class DerivedAmount(Expression):
    """A column of millionths of what was joined."""

    def __init__(self, alias: str, column: str) -> None:
        super().__init__(output_field=MicrosField())
        self.alias, self.column = alias, column

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> tuple[str, tuple[str | int, ...]]:
        return f"{compiler.quote_name_unless_alias(self.alias)}.{connection.ops.quote_name(self.column)}", ()

    def relabeled_clone(self, change_map: Mapping[str, str]) -> DerivedAmount:
        return DerivedAmount(change_map.get(self.alias, self.alias), self.column)

    def get_group_by_cols(self) -> list[Any]:
        return [self]
