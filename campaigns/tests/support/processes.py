"""The product's commands as processes of their own, as people start them."""

import os
import re
import subprocess
import sys
from pathlib import Path

from django.conf import settings

BASE_DIR: Path = settings.BASE_DIR
DOCUMENTED = set(re.findall(r"^#?([A-Z_]+)=", (BASE_DIR / ".env.example").read_text(), re.MULTILINE))
# The shell replaces these, even empty ones; gunicorn reads WEB_CONCURRENCY itself, and refuses an empty one.
OF_THE_SHELL = set(re.findall(r"\$\{([A-Z_]+):-", (BASE_DIR / "Procfile").read_text()))
GOOD_KEY = "a-key-of-more-than-fifty-characters-that-is-for-tests-only"


def environment(**values: str) -> dict[str, str]:
    """This process's environment with our variables empty, which hides those of .env, but for these."""
    return {**os.environ, **dict.fromkeys(DOCUMENTED - OF_THE_SHELL, ""), **values}


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
