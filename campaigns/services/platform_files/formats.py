"""Remembered answers: a named format for all files with the same headings."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import datetime

from campaigns.models import FileFormat
from campaigns.rules.amounts import DecimalMark
from campaigns.rules.platforms import SOURCES
from campaigns.services.platform_files.answers import Answers
from campaigns.services.platform_files.dates import DateOrder
from campaigns.services.platform_files.find_table import Table
from campaigns.services.platform_files.headings import Role
from campaigns.services.platform_files.numbers import Parentheses
from campaigns.services.platform_files.report import Report


def signature_of(table: Table) -> str:
    return hashlib.sha256(json.dumps(table.signature).encode()).hexdigest()


def find_format(table: Table) -> FileFormat | None:
    """Return the format of files with the table's headings."""
    return FileFormat.objects.filter(signature=signature_of(table)).order_by().first()


def answers_of(known: FileFormat) -> Answers:
    return Answers(
        columns={Role(role): int(place) for role, place in known.columns.items()},
        order=DateOrder(known.order) if known.order else None,
        decimal=DecimalMark(known.decimal) if known.decimal else None,
        usual_parentheses=Parentheses(known.parentheses) if known.parentheses else None,
        is_daily=known.is_daily,
        source=known.source,
        account=known.account,
        currency=known.currency,
    )


def remember(report: Report, answers: Answers, *, who: str, now: datetime) -> FileFormat:
    """Store what is known about the file for the next with the same headings, in the caller's transaction."""
    known = find_format(report.table) or FileFormat(
        signature=signature_of(report.table), name=free_name(report.source), who=who[:150]
    )
    known.headings = list(report.table.headings)
    known.columns = {role.value: place for role, place in report.mapping.columns.items()}
    known.order, known.decimal = str(report.order or ""), str(report.decimal or "")
    # A file without parentheses says nothing about them.
    known.parentheses = str(report.parentheses or known.parentheses)
    known.is_daily = answers.is_daily
    known.source = report.source
    known.account = "" if report.has_accounts else answers.account
    known.currency, known.used_at = answers.currency, now
    known.save()
    return known


def free_name(source: str) -> str:
    """Return a name for a new format: the platform's, with a number if it is taken."""
    label = SOURCES[source]
    taken = set(FileFormat.objects.filter(name__startswith=label).values_list("name", flat=True))
    return next(name for name in (label, *(f"{label} {n}" for n in range(2, len(taken) + 3))) if name not in taken)


def with_remembered(answers: Answers, known: FileFormat | None) -> Answers:
    """Return the answers, completed by what is remembered."""
    if known is None:
        return answers
    old = answers_of(known)
    return replace(
        answers,
        columns=old.columns if answers.columns is None else answers.columns,
        order=answers.order or old.order,
        decimal=answers.decimal or old.decimal,
        usual_parentheses=old.usual_parentheses,
        is_daily=answers.is_daily or old.is_daily,
        source=answers.source or old.source,
        currency=answers.currency or old.currency,
    )
