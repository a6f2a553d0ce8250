"""Answers that are stored: with a file between its upload and its import, and as a named format for later files.

A draft holds what one user has chosen so far; a format what is known of all files with the same headings.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from campaigns.models import FileFormat, ImportDraft
from campaigns.rules.amounts import DecimalMark
from campaigns.rules.platforms import SOURCES
from campaigns.services.permissions import Person
from campaigns.services.platform_files.answers import Answers
from campaigns.services.platform_files.dates import DateOrder
from campaigns.services.platform_files.find_table import Table, find_table
from campaigns.services.platform_files.headings import Role
from campaigns.services.platform_files.numbers import Parentheses
from campaigns.services.platform_files.report import Report

KIND = "report"
EXPIRES_AFTER = timedelta(days=1)


@dataclass(frozen=True)
class Choices:
    """What a person has chosen in the wizard: the answers, the brand of each account, and what is done without one."""

    answers: Answers = field(default_factory=Answers)
    # The brand by account; under "" the brand of a file that names no account.
    brands: Mapping[str, int] = field(default_factory=dict)
    link: bool = True
    create: bool = False


def keep_draft(name: str, data: bytes, *, person: Person, choices: Choices, now: datetime) -> ImportDraft:
    """Store a file that holds a table, replacing the person's previous one. Raises FileRefused."""
    find_table(data)
    ImportDraft.objects.filter(created_at__lt=now - EXPIRES_AFTER).delete()
    ImportDraft.objects.filter(user=person.pk).delete()
    return ImportDraft.objects.create(
        user_id=person.pk or 0, kind=KIND, name=name[-200:], data=data, shown=_to_json(choices), created_at=now
    )


def find_draft(pk: int, *, person: Person) -> ImportDraft | None:
    return ImportDraft.objects.filter(pk=pk, user=person.pk, kind=KIND).first()


def choices_of(draft: ImportDraft) -> Choices:
    given: dict[str, Any] = draft.shown
    columns = given["columns"]
    answers = Answers(
        columns=None if columns is None else {Role(role): place for role, place in columns.items()},
        order=DateOrder(given["order"]) if given["order"] else None,
        decimal=DecimalMark(given["decimal"]) if given["decimal"] else None,
        # A draft of an earlier version has none.
        parentheses=Parentheses(given["parentheses"]) if given.get("parentheses") else None,
        is_daily=given["is_daily"],
        repeated=given.get("repeated", ""),
        source=given["source"],
        account=given["account"],
        currency=given["currency"],
        timezone=given.get("timezone"),
    )
    return Choices(answers, given["brands"], given["link"], given["create"])


def save_choices(draft: ImportDraft, choices: Choices) -> None:
    draft.shown = _to_json(choices)
    draft.save(update_fields=["shown"])


def _to_json(choices: Choices) -> dict[str, Any]:
    answers = choices.answers
    columns = answers.columns
    return {
        "columns": None if columns is None else {role.value: place for role, place in columns.items()},
        "order": answers.order,
        "decimal": answers.decimal,
        "parentheses": answers.parentheses,
        "is_daily": answers.is_daily,
        "repeated": answers.repeated,
        "source": answers.source,
        "account": answers.account,
        "currency": answers.currency,
        "timezone": answers.timezone,
        "brands": dict(choices.brands),
        "link": choices.link,
        "create": choices.create,
    }


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
