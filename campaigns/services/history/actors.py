"""The names of people and jobs in the histories: one for each, on every page, in files and in logs."""

from __future__ import annotations

from campaigns.services.jobs.schedule import JOBS

# Imports of spend, by file or by command.
IMPORT = "import_spend"
JOB_NAMES = {job.run_name: job.name for job in JOBS}


def actor_name(actor: str) -> str:
    """Return who or what made a change as people read it: a person's username, or what a job is called."""
    return f"{JOB_NAMES[actor]} (job)" if actor in JOB_NAMES else actor


def is_person(actor: str) -> bool:
    """Return whether a person made the change in the admin; jobs and commands report what was changed by SQL."""
    return actor not in JOB_NAMES and actor != IMPORT and not actor.startswith("manage.py ")
