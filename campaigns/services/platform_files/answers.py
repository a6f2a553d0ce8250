"""What has to be known about a report: found in the file, answered by a person, or remembered from the last file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from campaigns.rules.amounts import DecimalMark
from campaigns.services.platform_files.dates import DateOrder
from campaigns.services.platform_files.headings import Role
from campaigns.services.platform_files.numbers import Parentheses


class Ask(StrEnum):
    """A question that the file doesn't answer."""

    DAY = "day"
    CAMPAIGN = "campaign"
    AMOUNT = "amount"
    ORDER = "order"
    DECIMAL = "decimal"
    PARENTHESES = "parentheses"
    PERIOD = "period"
    REPEATED = "repeated"
    SOURCE = "source"
    ACCOUNT = "account"
    CURRENCY = "currency"
    ZONE = "timezone"


# The roles that a person can give to columns.
MAPPED = (
    Role.DAY,
    Role.CAMPAIGN,
    Role.CAMPAIGN_ID,
    Role.AMOUNT,
    Role.CURRENCY,
    Role.ACCOUNT,
    Role.ACCOUNT_ID,
)

ONCE, EACH = "once", "each"


@dataclass(frozen=True)
class Answers:
    """What a person has said about a file, or about earlier ones with the same headings; empty where nothing.

    columns are positions by role; a role that isn't in it has no column. None if the columns weren't chosen.
    """

    columns: Mapping[Role, int] | None = None
    order: DateOrder | None = None
    decimal: DecimalMark | None = None
    parentheses: Parentheses | None = None
    # What it was in the last file; another file may contradict it.
    usual_parentheses: Parentheses | None = None
    is_daily: bool = False
    # Whether rows that are the same in every column count ONCE or EACH.
    repeated: str = ""
    source: str = ""
    account: str = ""
    account_name: str = ""
    currency: str = ""
    # The time zone of accounts without one; empty if that is unknown, None if it hasn't been asked.
    timezone: str | None = None


@dataclass(frozen=True)
class Question:
    """A question for people. options are the answers that are possible, each with what it would mean."""

    ask: Ask
    sentence: str
    options: Sequence[tuple[str, str]] = field(default_factory=tuple)
