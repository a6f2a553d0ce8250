"""Runs send_alerts once, so many seconds later than now: `python -m campaigns.tests.torture.kills.sender 0`.

It writes a line before, so that a test knows when it begins.
"""

from __future__ import annotations

import os
import sys
from datetime import timedelta

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "budget_manager.settings")
django.setup()

from django.utils import timezone  # noqa: E402  # its models need the settings

from campaigns.services.alerts.outgoing import send_alerts  # noqa: E402

sys.stdout.write("begins\n")
sys.stdout.flush()
LATER = timedelta(seconds=float(sys.argv[1]))
send_alerts(clock=lambda: timezone.now() + LATER)
