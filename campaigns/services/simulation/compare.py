"""A simulation and, beside it, the same without the quick check: what the quick check is worth, in money."""

from __future__ import annotations

from django.db import transaction

from campaigns.services.simulation.history import History
from campaigns.services.simulation.looks import Looks
from campaigns.services.simulation.plan import BrandPlan
from campaigns.services.simulation.play import Progress, Step, play
from campaigns.services.simulation.report import Report, make_report


def simulate(
    history: History, plan: list[BrandPlan], looks: Looks, progress: Progress = list
) -> tuple[Report, list[Step]]:
    """Play the history in the database, which must be empty and migrated; return the figures, and what happened.

    Where there is a quick check, the report holds that of the check alone, played first and rolled back.
    """
    alone = _of_check_alone(history, plan, looks, progress) if looks.quick else None
    steps = play(history, plan, looks, progress)
    return make_report(history, plan, steps, looks, alone), steps


@transaction.atomic
def _of_check_alone(history: History, plan: list[BrandPlan], looks: Looks, progress: Progress) -> Report:
    steps = play(history, plan, looks.check_alone, progress)
    report = make_report(history, plan, steps, looks.check_alone)
    transaction.set_rollback(True)
    return report
