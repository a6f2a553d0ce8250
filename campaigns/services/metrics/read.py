"""Reads all metrics of the table."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from django.db import Error as AnyDatabaseError

from campaigns.database.connection import separate_connection
from campaigns.services.metrics.sources import OfCampaigns, OfJobs, Sample, Sql, read_campaigns, read_jobs, read_sql
from campaigns.services.metrics.table import METRICS, Metric

logger = logging.getLogger(__name__)

# For each kind of source. Together they stay below Prometheus' usual timeout of ten seconds.
TIMEOUT = 2

Samples = dict[str, list[Sample]]


@dataclass(frozen=True)
class Outcome:
    """How reading one kind of source went."""

    succeeded: bool
    seconds: float


@dataclass(frozen=True)
class Reading:
    """The samples of each metric that could be read, by name, and the outcome of each kind of source."""

    samples: Samples = field(default_factory=dict)
    outcomes: dict[str, Outcome] = field(default_factory=dict)


def read_metrics() -> Reading:
    """Read the metrics: one statement for the cheap ones, six for the jobs, one for the campaigns."""
    reading = Reading()
    for name, read in (("tables", _of_tables), ("jobs", _of_jobs), ("campaigns", _of_campaigns)):
        began = time.monotonic()
        samples = _tried(name, read)
        reading.outcomes[name] = Outcome(samples is not None, time.monotonic() - began)
        reading.samples.update(samples or {})
    return reading


def _tried(name: str, read: Callable[[], Samples]) -> Samples | None:
    try:
        with separate_connection(TIMEOUT):
            return read()
    except AnyDatabaseError as error:
        logger.warning("metrics: %s couldn't be read: %s", name, " ".join(str(error).split()))
        return None


def _of_tables() -> Samples:
    statements = {each.name: (each.source, bool(each.label)) for each in METRICS if isinstance(each.source, Sql)}
    found = read_sql(statements)
    return {metric.name: _complete(metric, found[metric.name]) for metric in METRICS if metric.name in found}


def _of_jobs() -> Samples:
    jobs = read_jobs()
    return {
        each.name: _complete(each, each.source.samples(jobs)) for each in METRICS if isinstance(each.source, OfJobs)
    }


def _of_campaigns() -> Samples:
    campaigns = read_campaigns()
    return {
        each.name: _complete(each, each.source.samples(campaigns))
        for each in METRICS
        if isinstance(each.source, OfCampaigns)
    }


def _complete(metric: Metric, samples: Iterable[Sample]) -> list[Sample]:
    """Leave out unknown values, and add 0 for the label values that have no row."""
    known = dict.fromkeys(metric.values, 0.0) | {label: value for label, value in samples if value is not None}
    return list(known.items())
