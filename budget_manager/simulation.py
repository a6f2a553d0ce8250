"""The throw-away database of `manage.py simulate`, made before the settings load: it can touch no other."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

VARIABLE = "BUDGET_MANAGER_SIMULATION"
PREFIX = "budget-manager-simulation-"


@contextmanager
def throw_away_database() -> Iterator[None]:
    """DATABASE_URL names a SQLite file in a temporary directory, which is deleted at the end."""
    with tempfile.TemporaryDirectory(prefix=PREFIX, ignore_cleanup_errors=True) as directory:
        os.environ["DATABASE_URL"] = "sqlite:///" + quote(str(Path(directory) / "simulation.sqlite3"))
        os.environ[VARIABLE] = "1"
        yield


def is_throw_away(database_name: str) -> bool:
    """Whether the database is a file that throw_away_database() made."""
    directory = Path(database_name).parent
    return (
        os.environ.get(VARIABLE) == "1"
        and directory.name.startswith(PREFIX)
        and directory.parent.resolve() == Path(tempfile.gettempdir()).resolve()
    )
