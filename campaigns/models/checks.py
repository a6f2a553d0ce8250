"""Conditions for check constraints whose SQL differs between PostgreSQL and SQLite.

SQLite has no types for dates and times: a text in another form would compare wrongly, so it is refused. PostgreSQL
has them, but takes "infinity" and 24:00. Only built-in functions are used: the connector's
connection has no others.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import BooleanField, Func
from django.db.models.sql.compiler import SQLCompiler


class FormCheck(Func):
    """A condition on one column, given as one pattern a database; {x} stands for the column."""

    arity = 1
    output_field = BooleanField()
    conditional = True
    postgresql: ClassVar[str]
    sqlite: ClassVar[str]

    def as_sql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, *args: Any, **kwargs: Any
    ) -> tuple[str, tuple[str | int, ...]]:
        pattern = self.postgresql if connection.vendor == "postgresql" else self.sqlite
        column, params = compiler.compile(self.source_expressions[0])
        return pattern.replace("{x}", column), tuple(params) * pattern.count("{x}")


class IsPlainTimestamp(FormCheck):
    """A finite instant; on SQLite "YYYY-MM-DD HH:MM:SS[.ffffff]" in UTC, the form that Django writes."""

    postgresql = "({x} >= '0001-01-01 00:00:00+00' AND {x} < '10000-01-01 00:00:00+00')"
    sqlite = (
        "(strftime('%%Y-%%m-%%d %%H:%%M:%%S', substr({x}, 1, 19), '+0 days') IS substr({x}, 1, 19)"
        " AND {x} >= '0001-01-01 00:00:00'"
        " AND (length(CAST({x} AS blob)) = 19 OR (length(CAST({x} AS blob)) BETWEEN 21 AND 26"
        " AND substr({x}, 20, 1) = '.' AND substr({x}, 21) NOT GLOB '*[^0-9]*')))"
    )


class IsPlainDate(FormCheck):
    """A finite date; on SQLite "YYYY-MM-DD". Empty passes."""

    postgresql = "({x} IS NULL OR {x} BETWEEN '0001-01-01' AND '9999-12-31')"
    sqlite = "({x} IS NULL OR (strftime('%%Y-%%m-%%d', {x}, '+0 days') IS {x} AND {x} >= '0001-01-01'))"


class IsWholeMinute(FormCheck):
    """A time of day without seconds, before 24:00; on SQLite "HH:MM:00"."""

    postgresql = "({x} < '24:00' AND EXTRACT(SECOND FROM {x}) = 0)"
    sqlite = "(strftime('%%H:%%M:00', {x}, '+0 days') IS {x})"


class RoundedIsNotZero(FormCheck):
    """An amount that is not 0 when rounded to six decimals, as it is counted."""

    postgresql = "(ROUND({x}, 6) <> 0)"
    sqlite = "(ROUND({x}, 6) <> 0)"


class IsWholeNumber(FormCheck):
    """A whole number: SQLite keeps 1.5 in an integer column."""

    postgresql = "true"
    sqlite = "(typeof({x}) = 'integer')"


class IsSwitch(FormCheck):
    """A boolean: SQLite stores 7 and 'yes' in a boolean column, and reads the first as true, the second as false."""

    postgresql = "({x} IN (true, false))"
    sqlite = "({x} IN (0, 1))"


class IsText(FormCheck):
    """A text: SQLite stores bytes in a text column, and bytes never equal a text."""

    postgresql = "({x} IS NOT NULL)"
    sqlite = "(typeof({x}) = 'text')"


class IsDigits(FormCheck):
    """A text of the digits 0 to 9 only."""

    postgresql = "({x} !~ '[^0-9]')"
    sqlite = "(typeof({x}) = 'text' AND {x} NOT GLOB '*[^0-9]*')"


class IsPlainDay(FormCheck):
    """A date; on SQLite "YYYY-MM-DD". Empty doesn't pass."""

    postgresql = "({x} IS NOT NULL)"
    sqlite = "(typeof({x}) = 'text' AND {x} IS strftime('%%Y-%%m-%%d', {x}, '+0 days'))"


class IsPlatformId(FormCheck):
    """An id of 1 to 255 characters in lower case, without spaces and dashes (see campaigns.rules.platforms)."""

    postgresql = "(length({x}) BETWEEN 1 AND 255 AND {x} = lower({x}) AND {x} !~ '[-[:space:]]')"
    sqlite = (
        "(typeof({x}) = 'text' AND length(CAST({x} AS blob)) >= 1 AND length({x}) BETWEEN 1 AND 255"
        " AND {x} = lower({x}) AND instr({x}, '-') = 0 AND instr({x}, ' ') = 0 AND instr({x}, char(9)) = 0"
        " AND instr({x}, char(10)) = 0 AND instr({x}, char(13)) = 0)"
    )


class IsTotal(FormCheck):
    """An amount that is strictly between -500 and 500 million when rounded to six decimals, as it is counted."""

    postgresql = "({x} > -500000000 AND {x} < 500000000)"
    sqlite = "(typeof({x}) IN ('integer', 'real') AND ABS(ROUND({x} * 1000000)) < 500000000000000)"


class TotalDiffers(FormCheck):
    """A total that differs from what is booked, in whole millionths."""

    postgresql = sqlite = "(CAST(ROUND({x} * 1000000) AS bigint) <> booked)"
