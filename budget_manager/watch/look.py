"""Looks whether everything is well: through the health endpoints of a site, or directly at database and broker."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from budget_manager import health
from budget_manager.observe.calls import CallFailed, answer, host_of

# For each endpoint; they answer within three seconds for the database and three for the broker.
SECONDS = 10
# Of the answer of /health/jobs, besides the jobs.
PARTS = ("pending", "beat", "worker", "deliveries", "alert_emails")


class Problem(NamedTuple):
    """What is wrong. The key stays the same while the sentence changes, as in "waits 9 minutes", "waits 10 minutes"."""

    key: str
    sentence: str


def look_directly() -> list[Problem]:
    """Return the problems that this process finds itself. Neither database nor broker have to be there."""
    _, ready = health.ready()
    if found := list(_of_checks(ready["checks"])):
        return found
    _, jobs = health.jobs()
    return list(_of_jobs(jobs))


def look_at(url: str) -> list[Problem]:
    """Return the problems that the endpoints of a site name, or that it doesn't answer."""
    site = url.rstrip("/")
    try:
        _get(f"{site}/health/live")
        if found := list(_of_checks(_get(f"{site}/health/ready")["checks"])):
            return found
        return list(_of_jobs(_get(f"{site}/health/jobs")))
    except CallFailed as error:
        return [Problem("web", f"The site at {host_of(url)} doesn't answer as it should: {error}.")]
    except (KeyError, TypeError, AttributeError):
        return [Problem("web", f"The site at {host_of(url)} gives answers that this version doesn't understand.")]


def _get(url: str) -> dict[str, Any]:
    """Return the JSON that an endpoint answers, with 200 or 503. Raises CallFailed."""
    status, text = answer(url, seconds=SECONDS)
    try:
        body = json.loads(text) if status in (200, 503) else None
    except ValueError:
        body = None
    if not isinstance(body, dict) or "status" not in body:
        raise CallFailed(f"HTTP {status}" if status != 200 else "something else answers at this address")
    return body


def _of_checks(checks: Mapping[str, str]) -> Iterator[Problem]:
    return (Problem(name, sentence) for name, sentence in checks.items() if sentence != health.OK)


def _of_jobs(body: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield the problems, each under the name of its job or kind of process; others, which are rare, under one."""
    left = list(body["problems"])
    parts = {**body.get("jobs", {}), **{name: body[name] for name in PARTS if name in body}}
    for name, part in parts.items():
        if part["status"] in left:
            left.remove(part["status"])
            yield Problem(name, part["status"])
    if left:
        yield Problem("other", " ".join(left))
