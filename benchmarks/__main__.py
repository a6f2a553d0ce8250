"""python -m benchmarks: loads the settings, then runs benchmarks.command."""

import os
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "budget_manager.settings")
django.setup()

from benchmarks.command import main  # noqa: E402  # its models need the settings

main(sys.argv[1:])
