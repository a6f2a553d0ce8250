"""Which columns of a report are read, and the questions where its headings leave a doubt."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from campaigns.services.exchange.files import FileRefused
from campaigns.services.platform_files.answers import Answers, Ask, Question
from campaigns.services.platform_files.dates import NotADay, read_day
from campaigns.services.platform_files.find_table import TIMES, Table
from campaigns.services.platform_files.headings import Role, heading_currencies, is_in_micros, is_perhaps_money
from campaigns.services.platform_files.surroundings import is_daily, is_long_period

BY_DAY = (
    "Download the report again with a column for the day: in Google Ads choose Segment → Time → Day, in Meta Ads"
    " Breakdown → By time → Day, in LinkedIn the time breakdown Daily, in others the daily granularity."
)
NO_DAY = "The report has no column for the day: its rows are totals of the whole period. " + BY_DAY
LONGER = "The report’s rows are whole {step}, which can’t be divided into days. " + BY_DAY


@dataclass(frozen=True)
class ColumnMapping:
    """The columns that are read. end is the column of the last day, where a row's period is checked."""

    columns: Mapping[Role, int]
    end: int | None = None
    # Whether the day's column may hold the first day of a longer period.
    may_be_longer: bool = False
    # The currencies that the heading of the amount can mean: one for “Cost (EUR)”, several for “Cost ($)”.
    currencies: tuple[str, ...] = ()
    # Whether amounts are millionths, as “cost_micros”.
    is_micros: bool = False

    def get(self, role: Role) -> int | None:
        return self.columns.get(role)


def propose(table: Table) -> tuple[ColumnMapping, list[Question]]:
    """Return the columns by their headings, and what has to be asked. Raises FileRefused if no row is a day."""
    if is_long_period(table):
        raise FileRefused(LONGER.format(step="weeks, months or longer periods"))
    found = table.columns
    if not TIMES & set(found) and _is_unmistakable(table):
        raise FileRefused(NO_DAY)
    if Role.PERIOD in found and not {Role.DAY, Role.DATE, Role.START} & set(found):
        heading = table.headings[found[Role.PERIOD][0]]
        raise FileRefused(LONGER.format(step=f"periods (“{heading}”)"))
    chosen: dict[Role, int] = {}
    questions: list[Question] = []
    end, longer = _choose_day(table, chosen, questions)
    _choose_campaign(table, chosen, questions)
    _choose_amount(table, chosen, questions)
    for role in (Role.ACCOUNT, Role.ACCOUNT_ID, Role.CURRENCY):
        if len(found.get(role, [])) == 1:
            chosen[role] = found[role][0]
    return _mapping(table, chosen, end, longer), questions


def chosen_mapping(table: Table, answers: Answers) -> ColumnMapping:
    """Return the columns that a person chose. The period is checked as far as the headings say it."""
    columns = {role: place for role, place in (answers.columns or {}).items() if place < len(table.headings)}
    day, ends = columns.get(Role.DAY), table.columns.get(Role.END, [])
    starts = day in table.columns.get(Role.START, [])
    end = ends[0] if starts and len(ends) == 1 else None
    longer = day not in table.columns.get(Role.DAY, []) and end is None and not is_daily(table)
    return _mapping(table, columns, end, longer)


def _mapping(table: Table, columns: Mapping[Role, int], end: int | None, longer: bool) -> ColumnMapping:
    amount = columns.get(Role.AMOUNT)
    currencies = heading_currencies(table.headings[amount]) if amount is not None else ()
    micros = amount is not None and is_in_micros(table.headings[amount])
    return ColumnMapping(dict(columns), end, longer, currencies, micros)


def _choose_day(table: Table, chosen: dict[Role, int], questions: list[Question]) -> tuple[int | None, bool]:
    """Choose the column of the day; return the column of its last day, and whether the day may be a longer period."""
    found = table.columns
    for role in (Role.DAY, Role.DATE, Role.START):
        places = found.get(role, [])
        if len(places) == 1:
            chosen[Role.DAY] = places[0]
            ends = found.get(Role.END, [])
            end = ends[0] if role is Role.START and len(ends) == 1 else None
            return end, role is not Role.DAY and end is None and not is_daily(table)
        if places:
            break
    questions.append(Question(Ask.DAY, "Which column holds the day?", list(_options(table, places_of_time(table)))))
    return None, False


def _choose_campaign(table: Table, chosen: dict[Role, int], questions: list[Question]) -> None:
    for role in (Role.CAMPAIGN, Role.CAMPAIGN_ID):
        if len(table.columns.get(role, [])) == 1:
            chosen[role] = table.columns[role][0]
    if Role.CAMPAIGN not in chosen and Role.CAMPAIGN_ID not in chosen:
        questions.append(Question(Ask.CAMPAIGN, "Which column names the campaign?", list(_options(table))))


def _choose_amount(table: Table, chosen: dict[Role, int], questions: list[Question]) -> None:
    """Choose the only column whose heading is that of spend; ask if there are several, or only perhaps one."""
    places = table.columns.get(Role.AMOUNT, [])
    if len(places) == 1:
        chosen[Role.AMOUNT] = places[0]
        return
    perhaps = places or [place for place, heading in enumerate(table.headings) if is_perhaps_money(heading)]
    sentence = "Which column is the spend to count?" if places else "Which column is the spend?"
    questions.append(Question(Ask.AMOUNT, sentence, list(_options(table, perhaps))))


def places_of_time(table: Table) -> list[int]:
    return [place for role in (Role.DAY, Role.DATE, Role.START) for place in table.columns.get(role, [])]


def _options(table: Table, places: Sequence[int] = ()) -> Iterator[tuple[str, str]]:
    """Yield the columns to choose from, all if none is likelier than others."""
    for place, heading in enumerate(table.headings):
        if heading and (not places or place in places):
            yield str(place), heading


def _is_unmistakable(table: Table) -> bool:
    """Return whether the headings are known well enough to say that none is the day's."""
    has_campaign = bool({Role.CAMPAIGN, Role.CAMPAIGN_ID} & set(table.columns))
    return has_campaign and Role.AMOUNT in table.columns and not _has_days(table)


def _has_days(table: Table) -> bool:
    """Return whether a column under an unknown heading holds days."""
    for row in table.below[:20]:
        for cell in row.cells:
            if len(cell) < 6 or not any(char.isdigit() for char in cell):
                continue
            try:
                read_day(cell)
            except NotADay:
                continue
            return True
    return False
