"""The names of people, jobs and commands in the histories: one for each, on every page, in files and in logs."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import Q

from campaigns.services.jobs.schedule import JOBS

# Imports of spend, by file or by command.
IMPORT = "import_spend"
COMMAND = "manage.py "
JOB_NAMES = {job.run_name: job.name for job in JOBS}


def job_name(run_name: str) -> str:
    """Return a job's name for people, of the name under which its runs are noted."""
    return JOB_NAMES.get(run_name, run_name)


def actor_name(actor: str) -> str:
    """Return who or what made a change as people read it: a username, "Check budgets (job)", "enforce (command)"."""
    if actor in JOB_NAMES or actor == IMPORT:
        return f"{JOB_NAMES.get(actor, 'Spend import')} (job)"
    return f"{actor.removeprefix(COMMAND)} (command)" if actor.startswith(COMMAND) else actor


def acted_by(column: str, text: str) -> Q:
    """Return the condition that an actor's stored name, or the name that people read, contains the text."""
    return Q(**{f"{column}__icontains": text}) | Q(**{f"{column}__in": list(_read_as(text))})


def _read_as(text: str) -> Iterator[str]:
    return (actor for actor in (*JOB_NAMES, IMPORT) if text.casefold() in actor_name(actor).casefold())


def is_person(actor: str) -> bool:
    """Return whether a person made the change in the admin; jobs and commands report what was changed by SQL."""
    return actor not in JOB_NAMES and actor != IMPORT and not actor.startswith(COMMAND)
