#!/usr/bin/env python3
"""Django's command line."""

import importlib.util
import os
import sys

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "budget_manager.settings")
    if importlib.util.find_spec("django") is None:
        sys.exit("Django isn't installed for this Python: use `make`, or the Python in .venv that it makes.")
    from budget_manager.command_line import run

    sys.exit(run(sys.argv))
