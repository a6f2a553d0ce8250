"""A downloaded file from upload to import: what it says, what has to be asked, what it would write, and writing it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal

from django.db.models import QuerySet

from campaigns.models import Brand, FileFormat, PlatformAccount, SpendTotal
from campaigns.rules.currencies import codes_in_words
from campaigns.rules.platforms import SOURCES
from campaigns.rules.text import quote
from campaigns.services.platform_files.accounts import account_id, accounts_named, is_of_account
from campaigns.services.platform_files.answers import Answers, Ask, Question
from campaigns.services.platform_files.find_table import find_table
from campaigns.services.platform_files.placing import Placed, PlacedAccount, brand_of, place
from campaigns.services.platform_files.report import Report, read_report
from campaigns.services.platform_files.stored_answers import find_format, with_remembered

UNASSIGNED = "Unassigned"


@dataclass(frozen=True)
class DayMoney:
    """The spend of a brand and day in a report, in one currency; brand is UNASSIGNED for campaigns without a link."""

    brand: str
    day: date
    currency: str
    amount: Decimal
    campaigns: int


@dataclass(frozen=True)
class Download:
    """A file as it is understood. With questions or problems, nothing can be imported."""

    report: Report
    answers: Answers
    known: FileFormat | None
    questions: Sequence[Question] = ()
    placed: Placed = field(default_factory=Placed)
    # How many totals are new, changed and unchanged, or older than what is stored.
    changes: Mapping[str, int] = field(default_factory=dict)

    @property
    def problems(self) -> list[str]:
        lines = [f"Line {problem.line}: {problem.sentence}" for problem in self.report.problems]
        return lines + self.placed.problems

    @property
    def may_import(self) -> bool:
        return not self.questions and not self.problems and bool(self.report.totals)

    def days(self, *, link: bool = True, create: bool = False) -> list[DayMoney]:
        """Return the money by brand and day as an import would have it, the newest day first."""
        sums: dict[tuple[str, date, str], list[Decimal]] = defaultdict(list)
        for each in self.placed.campaigns.values():
            brand = brand_of(each, link=link, create=create)
            name = brand.name if brand else UNASSIGNED
            for day, amount in each.totals.items():
                sums[name, day, each.account.currency].append(amount)
        rows = [DayMoney(*key, sum(amounts, Decimal(0)), len(amounts)) for key, amounts in sums.items()]
        return sorted(rows, key=lambda row: (-row.day.toordinal(), row.brand == UNASSIGNED, row.brand, row.currency))


def open_download(
    data: bytes,
    given: Answers,
    *,
    now: datetime,
    brands: Mapping[str, int] | None = None,
    visible: QuerySet[Brand] | None = None,
    known: FileFormat | None = None,
    ask_zone: bool = False,
) -> Download:
    """Read a file with the answers that were given, and those that are remembered. Raises FileRefused.

    brands are the brands chosen for accounts; known is a format that was named, else that of the headings is found.
    ask_zone asks for the time zone of accounts that have none, rather than taking the brand's.
    """
    table = find_table(data)
    known = known or find_format(table)
    answers = with_remembered(given, known)
    report = read_report(table, answers, now=now)
    questions = list(report.questions)
    if not questions and not report.totals and not report.problems:
        # Nothing has to be asked about an empty report.
        return Download(report, answers, known)
    if not report.source:
        questions.append(Question(Ask.SOURCE, "Which platform is the report of?", list(SOURCES.items())))
    if questions:
        return Download(report, answers, known, questions)
    answers = _with_account(report, answers, known, questions)
    if not questions:
        _ask_currency(report, answers, questions)
    if questions:
        return Download(report, answers, known, questions)
    placed = place(
        report,
        account=answers.account,
        currency=answers.currency,
        timezone=report.timezone or answers.timezone or "",
        chosen=brands or {},
        visible=visible,
    )
    if ask_zone and answers.timezone is None and not placed.problems and (lacking := _without_zone(placed)):
        names = " and ".join(quote(str(account)) for account in lacking[:3])
        sentence = f"In which time zone does the account {names} count its days?"
        if len(lacking) > 1:
            sentence = f"In which time zone do {len(lacking):,} accounts count their days, like {names}?"
        zones = sorted({zone for account in lacking for zone in _zones_of_brands(account, placed)})
        questions.append(Question(Ask.ZONE, sentence, [(zone, zone) for zone in zones]))
    return Download(report, answers, known, tuple(questions), placed, _changes(report, placed, now))


def _without_zone(placed: Placed) -> list[PlacedAccount]:
    """Return the accounts of whose time zone neither the file nor what is stored says anything."""
    return [
        account
        for account in placed.accounts.values()
        if not account.said_timezone and not (account.stored and account.stored.timezone)
    ]


def _zones_of_brands(account: PlacedAccount, placed: Placed) -> set[str]:
    """Return the time zones of the brands that an account's spend counts for, to be proposed."""
    if account.brand:
        return {account.brand.timezone}
    own = [each for each in placed.campaigns.values() if each.account is account and each.campaign]
    return {each.campaign.brand.timezone for each in own if each.campaign}


def _with_account(report: Report, answers: Answers, known: FileFormat | None, questions: list[Question]) -> Answers:
    """Return the answers with the account of a file that names none.

    The account of the last file with these headings is taken only if its campaigns say so: another account's file
    looks the same.
    """
    if report.has_accounts:
        return answers
    accounts = PlatformAccount.objects.filter(source=report.source).order_by("name", "external_id")
    if answers.account:
        named = accounts_named(answers.account, accounts)
        if len(named) > 1:
            sentence = f"{len(named)} accounts are named {quote(answers.account)}. Which one is it? Enter its ID."
            questions.append(Question(Ask.ACCOUNT, sentence, _options(named)))
            return answers
        return replace(answers, account_name=answers.account, account=account_id(answers.account, accounts))
    if known is not None and known.account and is_of_account(report, known.account):
        return replace(answers, account=known.account)
    options = _options(accounts)
    questions.append(Question(Ask.ACCOUNT, "Which account of the platform is the report of?", options))
    return answers


def _options(accounts: Sequence[PlatformAccount] | QuerySet[PlatformAccount]) -> list[tuple[str, str]]:
    return [(account.external_id, str(account)) for account in accounts[:200]]


def _ask_currency(report: Report, answers: Answers, questions: list[Question]) -> None:
    """Ask for the currency where neither the file nor the account says it, and again if signs contradict the answer."""
    accounts = {account.external_id: account for account in PlatformAccount.objects.filter(source=report.source)}
    for total in report.totals:
        if total.currency or (answers.currency and (not total.possible or answers.currency in total.possible)):
            continue
        named = total.key.account_id or total.key.account or answers.account
        stored = accounts.get(account_id(named, accounts.values()))
        if stored is None or not stored.currency:
            sentence = "Which currency are the amounts in?"
            if total.possible:
                wrong = f", not in {answers.currency}" if answers.currency else ""
                sentence += f" By its sign, that of line {total.line} is in {codes_in_words(total.possible)}{wrong}."
            questions.append(Question(Ask.CURRENCY, sentence))
            return


def _changes(report: Report, placed: Placed, now: datetime) -> dict[str, int]:
    """Return how many totals are new, changed, unchanged, and older than what is stored."""
    changes = {"new": 0, "changed": 0, "unchanged": 0, "older": 0}
    if report.days is None:
        return changes
    first, last = report.days
    stored = {
        (account, campaign, day): (total, as_of)
        for account, campaign, day, total, as_of in SpendTotal.objects.filter(
            source=report.source, account__in=list(placed.accounts), day__range=(first, last)
        ).values_list("account", "campaign", "day", "total", "as_of")
    }
    as_of = report.as_of or now
    for each in placed.campaigns.values():
        for day, amount in each.totals.items():
            known = stored.get((each.account.external_id, each.external_id, day))
            if known is None:
                changes["new"] += 1
            elif known[0] == amount:
                changes["unchanged"] += 1
            else:
                changes["older" if as_of < known[1] else "changed"] += 1
    return changes
