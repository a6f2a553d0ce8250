"""What a job couldn't do, and what to do about it: in sentences, for the job's run and its log (R6)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from campaigns.database.connection import fetch_all
from campaigns.database.dialects import in_list, list_param
from campaigns.rules.money import DAY_TOTAL_LIMIT, MICROS, MONTH_TOTAL_LIMIT

# Brands or campaigns named in a message; the others are counted.
NAMED = 5


@dataclass
class Unfinished:
    """What a job left undone, while it served everything else. Filled by its steps; ids of brands and campaigns."""

    unknown_zones: set[str] = field(default_factory=set)
    locked_brands: set[int] = field(default_factory=set)
    locked_campaigns: set[int] = field(default_factory=set)
    too_large: set[int] = field(default_factory=set)
    # Whether another transaction holds a lock that folding or closing needs.
    totals_locked: bool = False
    # Reported totals that couldn't be booked, and what made a booking fail as a whole.
    failed_totals: int = 0
    booking_error: str = ""
    # What made the evaluation of alerts fail.
    alerts_error: str = ""

    def add(self, other: Unfinished) -> None:
        self.unknown_zones |= other.unknown_zones
        self.locked_brands |= other.locked_brands
        self.locked_campaigns |= other.locked_campaigns
        self.too_large |= other.too_large
        self.totals_locked |= other.totals_locked
        self.failed_totals += other.failed_totals
        self.booking_error = self.booking_error or other.booking_error
        self.alerts_error = self.alerts_error or other.alerts_error

    @property
    def problem(self) -> str:
        """Return a sentence for each kind of what is undone; empty if nothing is."""
        sentences = (
            unknown_zones_problem(sorted(self.unknown_zones)),
            _locked_problem("brand", _names("campaigns_brand", self.locked_brands)),
            _locked_problem("campaign", _names("campaigns_campaign", self.locked_campaigns)),
            _too_large_problem(_names("campaigns_brand", self.too_large)),
            TOTALS_LOCKED if self.totals_locked else "",
            _failed_totals_problem(self.failed_totals),
            _booking_problem(self.booking_error),
            f"Alerts couldn't be evaluated ({self.alerts_error}): statuses are right." if self.alerts_error else "",
        )
        return " ".join(filter(None, sentences))


TOTALS_LOCKED = (
    "Pending spend couldn't be moved into the totals, or ended periods couldn't be closed, because another transaction"
    " locks them: spend counts for every decision all the same, and the next check tries again."
)


def unknown_zones_problem(zones: list[str]) -> str:
    """Return what to do about brands in unknown time zones; empty where there are none."""
    if not zones:
        return ""
    return (
        f"Unknown time zone {', '.join(repr(zone) for zone in zones)}: of the brands that have it, what is"
        " switched off pauses and nothing resumes until the brand's time zone is corrected in the admin."
    )


def _locked_problem(kind: str, names: list[str]) -> str:
    if not names:
        return ""
    its = "its campaigns keep their" if kind == "brand" else "it keeps its"
    return (
        f"Another transaction locks the {kind} {_listed(names)}: {its} status until that ends, and every"
        " check tries again. On the database, pg_stat_activity shows transactions that are idle."
    )


def _too_large_problem(names: list[str]) -> str:
    if not names:
        return ""
    return (
        f"The spend of the brand {_listed(names)} comes to more than a total holds,"
        f" {DAY_TOTAL_LIMIT // MICROS:,} in a day or {MONTH_TOTAL_LIMIT // MICROS:,} in a month: it counts for every"
        " decision, but its statements lack it until the wrong records are corrected, deleted or refunded."
    )


def _failed_totals_problem(count: int) -> str:
    if not count:
        return ""
    return (
        f"{count:,} reported {'total' if count == 1 else 'totals'} couldn't be booked: the next full check tries again,"
        " and the reason stands with each total."
    )


def _booking_problem(error: str) -> str:
    if not error:
        return ""
    return f"Reported totals couldn't be booked ({error}): the next check tries again."


def _listed(names: list[str]) -> str:
    shown = ", ".join(f"“{name}”" for name in names[:NAMED])
    return f"{shown} and {len(names) - NAMED:,} more" if len(names) > NAMED else shown


def _names(table: str, ids: Iterable[int]) -> list[str]:
    wanted = sorted(ids)
    if not wanted:
        return []
    sql = f"SELECT name FROM {table} WHERE {in_list('id')} ORDER BY name"
    return [str(name) for (name,) in fetch_all(sql, [list_param(wanted)])]
