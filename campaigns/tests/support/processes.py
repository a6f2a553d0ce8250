"""The product's commands as processes of their own, as people start them."""

import os
import re
import subprocess
import sys
from pathlib import Path

from django.conf import settings

BASE_DIR: Path = settings.BASE_DIR
DOCUMENTED = set(re.findall(r"^#?([A-Z_]+)=", (BASE_DIR / ".env.example").read_text(), re.MULTILINE))
# The Procfile's shell replaces empty ones of these; gunicorn reads WEB_CONCURRENCY itself, and refuses an empty one.
SHELL_VARIABLES = set(re.findall(r"\$\{([A-Z_]+):-", (BASE_DIR / "Procfile").read_text()))
GOOD_KEY = "a-key-of-more-than-fifty-characters-that-is-for-tests-only"


def environment(**values: str) -> dict[str, str]:
    """This process's environment with our variables empty, which hides those of .env, but for these."""
    inherited = {name: value for name, value in os.environ.items() if name not in SHELL_VARIABLES}
    return {**inherited, **dict.fromkeys(DOCUMENTED - SHELL_VARIABLES, ""), **values}


def manage(*arguments: str, **values: str) -> subprocess.CompletedProcess[str]:
    """Run `manage.py` to its end with these variables only."""
    return run([sys.executable, "manage.py", *arguments], **values)


def run(command: list[str], **values: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=BASE_DIR,
        env=environment(**values),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )
