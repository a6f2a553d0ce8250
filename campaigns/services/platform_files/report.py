"""A downloaded report, read: totals by account, campaign and day, what is left out, and what has to be asked.

Nothing is guessed: where the file allows two readings that differ, it isn't read before a person has answered.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import NamedTuple

from campaigns.rules.amounts import DecimalMark
from campaigns.services.exchange.files import FileRefused
from campaigns.services.platform_files.answers import EACH, ONCE, Answers, Ask, Question
from campaigns.services.platform_files.dates import DateOrder
from campaigns.services.platform_files.find_table import Table
from campaigns.services.platform_files.headings import Role
from campaigns.services.platform_files.mapping import BY_DAY, LONGER, NO_DAY, ColumnMapping, chosen_mapping, propose
from campaigns.services.platform_files.notation import find_decimal, find_order, find_parentheses
from campaigns.services.platform_files.numbers import Parentheses
from campaigns.services.platform_files.read_rows import NOTHING, Reader, cell_at, table_rows
from campaigns.services.platform_files.spend_row import LeftOut, Problem, Rows, SpendRow
from campaigns.services.platform_files.subtotals import repeated_rows
from campaigns.services.platform_files.surroundings import find_source, find_time_zone, report_time


class Key(NamedTuple):
    """A campaign of an account; ids are empty where the file has none."""

    account: str
    account_id: str
    campaign: str
    campaign_id: str


@dataclass(frozen=True)
class DayTotal:
    """What the report says about a campaign and day."""

    key: Key
    day: date
    total: Decimal
    currency: str
    # How many rows were added up.
    rows: int
    line: int
    # Without a currency: those that the signs of the amounts can mean.
    possible: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Report:
    """What was read. With questions, there are no totals yet."""

    table: Table
    mapping: ColumnMapping
    questions: Sequence[Question] = ()
    order: DateOrder | None = None
    decimal: DecimalMark | None = None
    # What amounts in parentheses are, if there are any.
    parentheses: Parentheses | None = None
    source: str = ""
    totals: Sequence[DayTotal] = ()
    left_out: Mapping[LeftOut, int] = field(default_factory=dict)
    problems: Sequence[Problem] = ()
    # When the platform made the report, if the file says so.
    as_of: datetime | None = None
    notes: Sequence[str] = ()
    # The time zone that the file says its days are of.
    timezone: str = ""

    @property
    def days(self) -> tuple[date, date] | None:
        days = [total.day for total in self.totals]
        return (min(days), max(days)) if days else None

    @property
    def has_accounts(self) -> bool:
        return self.mapping.get(Role.ACCOUNT_ID) is not None or self.mapping.get(Role.ACCOUNT) is not None


def read_report(table: Table, answers: Answers, *, now: datetime) -> Report:
    """Read the table as far as it is without doubt. Raises FileRefused."""
    mapping, questions = (chosen_mapping(table, answers), []) if answers.columns is not None else propose(table)
    for role, ask in ((Role.DAY, Ask.DAY), (Role.AMOUNT, Ask.AMOUNT)):
        if mapping.get(role) is None and all(question.ask is not ask for question in questions):
            questions.append(Question(ask, f"Choose the column of the {ask}."))
    has_campaign = mapping.get(Role.CAMPAIGN) is not None or mapping.get(Role.CAMPAIGN_ID) is not None
    if not has_campaign and all(question.ask is not Ask.CAMPAIGN for question in questions):
        questions.append(Question(Ask.CAMPAIGN, "Choose the column of the campaign."))
    source, zone = answers.source or find_source(table), find_time_zone(table)
    report = Report(table, mapping, source=source, notes=_notes(table), timezone=zone)
    if mapping.get(Role.DAY) is not None:
        order = find_order(table, mapping, answers, questions)
        report = replace(report, order=order)
    if mapping.get(Role.AMOUNT) is not None:
        report = replace(report, decimal=find_decimal(table, mapping, answers, questions))
    if report.order is not None and report.decimal is not None:
        found = find_parentheses(table, mapping, report.decimal, answers, questions)
        report = replace(report, parentheses=found)
    if questions or report.order is None or report.decimal is None:
        return replace(report, questions=questions)
    last_day = (now + timedelta(days=1)).date()
    rows = Reader(table, mapping, report.order, report.decimal, last_day, report.parentheses).read()
    _check_rows(table, mapping, rows)
    if mapping.may_be_longer and not answers.is_daily:
        questions += _period(rows.spend)
    _settle_repeated(table, rows, answers, questions)
    if questions:
        return replace(report, questions=questions)
    return replace(
        report,
        totals=list(_totals(rows)),
        left_out=dict(rows.left_out),
        problems=rows.problems,
        as_of=report_time(table, report.order, now),
    )


def _notes(table: Table) -> list[str]:
    return [*table.sheet.notes, *table.notes]


def _check_rows(table: Table, mapping: ColumnMapping, rows: Rows) -> None:
    """Refuse a file none of whose rows is a day of a campaign, with what it is instead."""
    several = [problem for problem in rows.problems if "several days" in problem.sentence]
    if several:
        raise FileRefused(f"Line {several[0].line}: {several[0].sentence} {BY_DAY}")
    longer = [problem for problem in rows.problems if problem.sentence.endswith((" is a week", " is a month"))]
    if longer:
        raise FileRefused(f"Line {longer[0].line}: {longer[0].sentence}. " + LONGER.format(step="weeks or months"))
    if not rows.spend and not rows.left_out.get(LeftOut.NO_SPEND) and rows.problems:
        place = mapping.columns[Role.DAY]
        if all(cell_at(row, place) in NOTHING for row in table_rows(table)):
            raise FileRefused(NO_DAY)


def _period(spend: Sequence[SpendRow]) -> list[Question]:
    """Ask whether rows are days, if none is followed by the next day: they may be weeks or months."""
    days = sorted({row.day for row in spend})
    if any((later - earlier).days < 7 for earlier, later in pairwise(days)):
        return []
    if not days:
        return []
    return [
        Question(
            Ask.PERIOD,
            f"Does each row hold the spend of a single day, like {days[0]:%-d %B %Y} alone?",
            [("yes", "Yes, of one day"), ("no", "No, of a week, a month or another period")],
        )
    ]


def _settle_repeated(table: Table, rows: Rows, answers: Answers, questions: list[Question]) -> None:
    """Leave out rows that are there twice, if a person says so; ask whether they are spend of their own."""
    repeated = repeated_rows(table_rows(table), rows.spend)
    if not repeated or answers.repeated == EACH:
        return
    if answers.repeated == ONCE:
        lines = {row.line for _, row in repeated}
        rows.spend = [row for row in rows.spend if row.line not in lines]
        rows.left_out[LeftOut.REPEATED] += len(lines)
        return
    first, second = repeated[0][0], repeated[0][1].line
    more = f", and {len(repeated) - 1:,} more rows repeat others" if len(repeated) > 1 else ""
    questions.append(
        Question(
            Ask.REPEATED,
            f"Lines {first} and {second} are the same{more}. How do they count?",
            [(ONCE, "Once: the file has the same rows twice"), (EACH, "Each: they are spend of their own")],
        )
    )


def _totals(rows: Rows) -> Iterator[DayTotal]:
    """Yield the sums by campaign and day, in order: rows by device, hour or ad are added up."""
    found: dict[tuple[Key, date, str], list[SpendRow]] = defaultdict(list)
    for row in rows.spend:
        key = Key(row.account, row.account_id, row.campaign if not row.campaign_id else "", row.campaign_id)
        found[key, row.day, row.currency].append(row)
    names = {(row.account_id, row.campaign_id): row.campaign for row in rows.spend if row.campaign_id}
    for (key, day, currency), each in sorted(found.items(), key=lambda item: (item[0][1], item[0][0], item[0][2])):
        named = key._replace(campaign=names.get((key.account_id, key.campaign_id), key.campaign))
        total = sum((row.amount for row in each), Decimal(0))
        signs = [row.possible for row in each if row.possible]
        possible = signs[0].intersection(*signs) if signs else frozenset[str]()
        yield DayTotal(named, day, total, currency, len(each), each[0].line, possible)
