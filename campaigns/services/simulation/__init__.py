"""The simulation: a spend file played through the real models and services, to choose budgets.

Options and the file's history make the plan; play runs it in a temporary database; report has the figures, table and
plot show them. `manage.py simulate` calls them in this order.
"""

from __future__ import annotations


class SimulationError(Exception):
    """The simulation can't run; the message names the value and the remedy."""
