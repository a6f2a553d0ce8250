"""The simulation: a file's history played through the real models and services, to choose budgets with.

options (what was asked for) and history (the file) make the plan; play runs it in the database; report says
what came of it; table and plot show that. `manage.py simulate` calls them in this order, in a throw-away
database.
"""

from __future__ import annotations


class SimulationError(Exception):
    """What stops a simulation, in a sentence that names the thing, the value and the remedy."""
