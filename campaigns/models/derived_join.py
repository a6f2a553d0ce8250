"""A table that is summed once for a statement and joined to its rows, which Django's querysets can't say themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Field, QuerySet
from django.db.models.expressions import Expression
from django.db.models.sql.compiler import SQLCompiler
from django.db.models.sql.constants import LOUTER
from django.db.models.sql.datastructures import BaseTable


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


def join_derived(
    rows: QuerySet[Any], sql: str, params: Sequence[Any], columns: Mapping[str, Field[Any, Any]]
) -> QuerySet[Any]:
    """Join a SELECT to the rows by its column id, and annotate its other columns, of which the types are given."""
    joined = rows.all()
    query = joined.query
    alias: str = query.join(DerivedJoin(sql, params, str(query.get_initial_alias())))
    annotated: QuerySet[Any] = joined.annotate(
        **{name: DerivedColumn(alias, name, field) for name, field in columns.items()}
    )
    return annotated


class DerivedColumn(Expression):
    """A column of what was joined."""

    def __init__(self, alias: str, column: str, output_field: Field[Any, Any]) -> None:
        super().__init__(output_field=output_field)
        self.alias, self.column = alias, column

    def as_sql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> tuple[str, tuple[str | int, ...]]:
        return f"{compiler.quote_name_unless_alias(self.alias)}.{connection.ops.quote_name(self.column)}", ()

    def relabeled_clone(self, change_map: Mapping[str, str]) -> DerivedColumn:
        return DerivedColumn(change_map.get(self.alias, self.alias), self.column, self.output_field)

    def get_group_by_cols(self) -> list[Any]:
        return [self]
