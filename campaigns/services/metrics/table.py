"""The table of metrics. A new metric is one line here, and a panel in docs/grafana/budget_manager.json.

Names follow Prometheus: base units, instants as Unix seconds, counters that end with _total; the prefix is added when
they are shown. A label has few values that we define: never the name or id of a brand, campaign, person or host. No
label is called job or instance, because Prometheus has labels of these names and would rename ours.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from campaigns.models import SpendUpload, Waiting
from campaigns.services.alerts.kinds import KINDS
from campaigns.services.metrics.sources import Campaigns, Jobs, OfCampaigns, OfJobs, Sample, Sql

# Rows that come and go are counted up to this, which takes less than 0.1 s.
MAX_COUNTED = 1_000_000


@dataclass(frozen=True)
class Metric:
    name: str
    help: str
    source: Sql | OfJobs | OfCampaigns
    # The name of its label, and the values that are shown as 0 where there is no row.
    label: str = ""
    values: tuple[str, ...] = ()
    is_counter: bool = False


def _counted(table: str, condition: str = "TRUE") -> str:
    return f"SELECT COUNT(*) AS value FROM (SELECT 1 FROM {table} WHERE {condition} LIMIT {MAX_COUNTED}) AS counted"


CHANGES = "SELECT COALESCE(MAX(id), 0) AS value FROM campaigns_statuschange"
RECORDS = "SELECT COALESCE(MAX(id), 0) AS value FROM campaigns_spendrecord"
# -1 until the table is analyzed for the first time.
ESTIMATE = "SELECT NULLIF(reltuples, -1) AS value FROM pg_class WHERE oid = CAST('campaigns_spendrecord' AS regclass)"
NEWEST = (
    "SELECT extract(epoch FROM recorded_at) AS value FROM campaigns_spendrecord ORDER BY id DESC LIMIT 1",
    "SELECT strftime('%%s', recorded_at) AS value FROM campaigns_spendrecord ORDER BY id DESC LIMIT 1",
)
BRANDS = """
SELECT CASE WHEN archived_at IS NOT NULL THEN 'archived' WHEN enabled THEN 'on' ELSE 'off' END AS label,
    COUNT(*) AS value
FROM campaigns_brand GROUP BY 1
"""
PENDING = _counted("campaigns_pendingspend")
DEAD_ROWS = (
    "SELECT n_dead_tup AS value FROM pg_stat_user_tables WHERE relid = CAST('campaigns_pendingspend' AS regclass)",
    "SELECT 0 AS value",
)
DUE = (
    _counted("campaigns_duebrand", "due_quarter <= CAST(floor(extract(epoch FROM now()) / 900) AS integer)"),
    _counted("campaigns_duebrand", "due_quarter <= CAST(strftime('%%s', 'now') AS integer) / 900"),
)
UPLOADS = "SELECT state AS label, COUNT(*) AS value FROM campaigns_spendupload GROUP BY state"
OPEN_ALERTS = f"""
SELECT kind AS label, COUNT(*) AS value
FROM (SELECT kind FROM campaigns_alert WHERE resolved_at IS NULL LIMIT {MAX_COUNTED}) AS counted
GROUP BY kind
"""
REASONS = "".join(f" WHEN {each.value} THEN '{each.name.lower()}'" for each in Waiting if each)
WAITING_TOTALS = f"""
SELECT CASE waiting{REASONS} END AS label, COUNT(*) AS value
FROM (SELECT waiting FROM campaigns_spendtotal WHERE waiting > 0 LIMIT {MAX_COUNTED}) AS counted
GROUP BY waiting
"""
DELIVERIES = _counted("campaigns_delivery", "next_attempt_at IS NOT NULL")
ALERT_EMAILS = _counted("campaigns_alertemail", "state = 'waiting'")
SHARDS = "SELECT COUNT(*) AS value FROM campaigns_checkshard WHERE finished_at IS NULL"
SIZE = (
    "SELECT pg_database_size(current_database()) AS value",
    "SELECT page_count * page_size AS value FROM pragma_page_count, pragma_page_size",
)


def _pending_since(jobs: Jobs) -> Iterable[Sample]:
    yield "", _seconds(jobs.health.pending.oldest_at)


def _job_success(jobs: Jobs) -> Iterable[Sample]:
    return ((job.name, _seconds(job.succeeded_at)) for job in jobs.health.jobs)


def _job_start(jobs: Jobs) -> Iterable[Sample]:
    return ((name, _seconds(run.started_at)) for name, run in jobs.runs.items())


def _job_duration(jobs: Jobs) -> Iterable[Sample]:
    """While a job runs, and after it failed, its last start is later than its last success."""
    for name, run in jobs.runs.items():
        if run.started_at and run.succeeded_at and run.started_at <= run.succeeded_at:
            yield name, (run.succeeded_at - run.started_at).total_seconds()


def _job_late(jobs: Jobs) -> Iterable[Sample]:
    return ((job.name, job.late) for job in jobs.health.jobs)


def _job_unfinished(jobs: Jobs) -> Iterable[Sample]:
    return ((name, bool(run.problem)) for name, run in jobs.runs.items())


def _processes(jobs: Jobs) -> Iterable[Sample]:
    return ((each.kind, each.running) for each in jobs.health.processes)


def _processes_seen(jobs: Jobs) -> Iterable[Sample]:
    return ((each.kind, _seconds(each.seen_at)) for each in jobs.health.processes)


def _problems(jobs: Jobs) -> Iterable[Sample]:
    yield "", len(jobs.health.problems)


def _warnings(jobs: Jobs) -> Iterable[Sample]:
    yield "", len(jobs.health.warnings)


def _seconds(instant: datetime | None) -> float | None:
    return instant.timestamp() if instant else None


METRICS = (
    Metric("campaigns", "Campaigns by status; archived ones apart.", OfCampaigns(Campaigns.by_status), "status"),
    Metric(
        "paused_campaigns",
        "Paused campaigns by reason; a campaign with two reasons counts for each.",
        OfCampaigns(Campaigns.by_reason),
        "reason",
    ),
    Metric("brands", "Brands that are on, off or archived.", Sql(BRANDS), "state", ("on", "off", "archived")),
    Metric("status_changes_total", "Status changes, by the highest id.", Sql(CHANGES), is_counter=True),
    Metric("spend_records_total", "Spend records inserted, by the highest id.", Sql(RECORDS), is_counter=True),
    Metric("spend_records_estimated", "Spend records in the table, as the database estimates.", Sql(ESTIMATE, RECORDS)),
    Metric("last_spend_record_timestamp_seconds", "When the newest spend record arrived.", Sql(*NEWEST)),
    Metric("pending_spend_rows", "Spend rows not in the totals yet, counted up to 1,000,000.", Sql(PENDING)),
    Metric("pending_spend_dead_rows", "Deleted rows that vacuum hasn't removed; 0 on SQLite.", Sql(*DEAD_ROWS)),
    Metric("oldest_pending_spend_timestamp_seconds", "When the oldest pending row arrived.", OfJobs(_pending_since)),
    Metric("due_brand_marks", "Marks of brands to be checked, counted up to 1,000,000.", Sql(*DUE)),
    Metric("spend_uploads", "Uploaded spend files.", Sql(UPLOADS), "state", tuple(SpendUpload.State.values)),
    Metric(
        "waiting_totals",
        "Reported totals that aren't booked, by reason, counted up to 1,000,000.",
        Sql(WAITING_TOTALS),
        "reason",
        tuple(each.name.lower() for each in Waiting if each),
    ),
    Metric("open_alerts", "Open alerts by kind, counted up to 1,000,000.", Sql(OPEN_ALERTS), "kind", tuple(KINDS)),
    Metric("waiting_deliveries", "Deliveries to webhooks that wait, counted up to 1,000,000.", Sql(DELIVERIES)),
    Metric("waiting_alert_emails", "E-mails about alerts that wait, counted up to 1,000,000.", Sql(ALERT_EMAILS)),
    Metric("unfinished_check_shards", "Shards of full checks that wait, run or were lost.", Sql(SHARDS)),
    Metric("job_last_success_timestamp_seconds", "When the job last succeeded.", OfJobs(_job_success), "task"),
    Metric("job_last_start_timestamp_seconds", "When the job last started.", OfJobs(_job_start), "task"),
    Metric("job_last_duration_seconds", "How long the last run took, if it succeeded.", OfJobs(_job_duration), "task"),
    Metric("job_late", "Whether the job is late by its schedule.", OfJobs(_job_late), "task"),
    Metric("job_unfinished", "Whether the last run left something undone.", OfJobs(_job_unfinished), "task"),
    Metric("processes", "Processes seen in the last two minutes.", OfJobs(_processes), "kind"),
    Metric("process_last_seen_timestamp_seconds", "When one was last seen.", OfJobs(_processes_seen), "kind"),
    Metric("health_problems", "Problems of jobs, pending spend and processes.", OfJobs(_problems)),
    Metric("health_warnings", "Warnings of jobs, pending spend and processes.", OfJobs(_warnings)),
    Metric("database_size_bytes", "Size of the database.", Sql(*SIZE)),
)
