"""Where metrics come from: one SELECT for all that is cheap, the health of the jobs, and one pass over the campaigns.

Each kind is read on a connection of its own with a timeout, so that one that takes too long takes no other with it.
Nothing is locked. No table that can have millions of rows is counted beyond MAX_COUNTED, except the campaigns, whose
reasons are grouped in one scan.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from campaigns.database.clock import database_now
from campaigns.database.connection import fetch_all, is_postgresql
from campaigns.models import JobRun
from campaigns.rules.reasons import ALL_REASONS, PauseReason
from campaigns.services.jobs.health import Health, health

# A value with its label; the label is "" where the metric has none. A value of None is left out.
Sample = tuple[str, float | None]

NO_LABEL = "''"
CAMPAIGNS = """
SELECT pause_reasons, archived, COUNT(*)
FROM (
    SELECT pause_reasons,
        archived_at IS NOT NULL
        OR brand_id IN (SELECT id FROM campaigns_brand WHERE archived_at IS NOT NULL) AS archived
    FROM campaigns_campaign
) AS campaigns
GROUP BY pause_reasons, archived
"""


@dataclass(frozen=True)
class Sql:
    """A SELECT of one column named value, and one named label if the metric has a label."""

    postgresql: str
    # Where SQLite differs.
    sqlite: str = ""

    @property
    def text(self) -> str:
        return self.postgresql if is_postgresql() else self.sqlite or self.postgresql


@dataclass(frozen=True)
class Jobs:
    """The health of the jobs, and the last run of each by its name."""

    health: Health
    runs: dict[str, JobRun]


@dataclass(frozen=True)
class OfJobs:
    """Samples from the health of the jobs."""

    samples: Callable[[Jobs], Iterable[Sample]]


@dataclass(frozen=True)
class Campaigns:
    """How many campaigns have the same reasons; those that are archived, or whose brand is, are only counted."""

    by_reasons: dict[PauseReason, int]
    archived: int

    def by_status(self) -> Iterable[Sample]:
        yield "active", self.by_reasons.get(PauseReason(0), 0)
        yield "paused", sum(count for reasons, count in self.by_reasons.items() if reasons)
        yield "archived", self.archived

    def by_reason(self) -> Iterable[Sample]:
        for reason in ALL_REASONS:
            yield reason.codes[0], sum(count for reasons, count in self.by_reasons.items() if reason in reasons)


@dataclass(frozen=True)
class OfCampaigns:
    """Samples from the pass over the campaigns."""

    samples: Callable[[Campaigns], Iterable[Sample]]


def read_sql(statements: dict[str, tuple[Sql, bool]]) -> dict[str, list[Sample]]:
    """Return the samples of each statement, all in one; a flag says whether it has labels."""
    union = " UNION ALL ".join(
        f"SELECT '{name}', {'label' if has_label else NO_LABEL}, CAST(value AS double precision)"
        f" FROM ({source.text}) AS {name}"
        for name, (source, has_label) in statements.items()
    )
    found: dict[str, list[Sample]] = {name: [] for name in statements}
    for name, label, value in fetch_all(union):
        found[name].append((label, value))
    return found


def read_jobs() -> Jobs:
    return Jobs(health(now=database_now()), JobRun.objects.in_bulk())


def read_campaigns() -> Campaigns:
    by_reasons: dict[PauseReason, int] = {}
    archived_campaigns = 0
    for reasons, archived, count in fetch_all(CAMPAIGNS):
        if archived:
            archived_campaigns += count
        else:
            by_reasons[PauseReason(reasons)] = count
    return Campaigns(by_reasons, archived_campaigns)
