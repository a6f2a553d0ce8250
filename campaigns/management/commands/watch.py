"""Checks from outside whether everything is well, and notifies people if not: for cron or systemd."""

from __future__ import annotations

import logging
import signal
import socket
import sys
import time
from argparse import ArgumentParser
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError

from budget_manager.launcher.processes import exit_on_signals
from budget_manager.monitoring import web_address
from budget_manager.observe.calls import host_of
from budget_manager.watch.channels import DeliveryFailed, channels
from budget_manager.watch.look import look_at, look_directly
from budget_manager.watch.memory import Memory, OpenProblem
from budget_manager.watch.notice import Notice
from budget_manager.watch.rounds import Round, Watch

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    help = (
        "Looks at database, broker and jobs, and notifies WATCH_EMAIL and WATCH_WEBHOOK_URL of problems: once, again"
        " after a day, and when it is well again. Needs neither database nor broker. Exit status: 0 if all is well, 1"
        " if something is wrong, 2 if a message couldn't be sent."
    )
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        how_often = parser.add_mutually_exclusive_group()
        how_often.add_argument("--once", action="store_true", help="Look once and end (the default), for cron.")
        how_often.add_argument("--every", type=int, metavar="SECONDS", help="Look again and again, for systemd.")
        how_often.add_argument("--test", action="store_true", help="Send a test message through each channel.")
        parser.add_argument("--url", help="Look at the health endpoints of this site, instead of database and broker.")
        parser.add_argument("--name", help="What messages call the installation. Default: the host's name.")
        parser.add_argument("--confirm", type=float, default=10, metavar="SECONDS", help="Look twice. Default: 10.")
        parser.add_argument(
            "--state",
            type=Path,
            default=settings.BASE_DIR / "watch.json",
            help="The file that keeps what was reported.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        url, every = self.address(options["url"]), options["every"]
        name = options["name"] or (host_of(url) if url else socket.gethostname())
        if every is not None and every < 1:
            raise CommandError(f"--every {every} isn't a number of seconds from 1 on.", returncode=2)
        if not channels():
            self.stderr.write("Nobody is notified: set WATCH_EMAIL (with EMAIL_URL) or WATCH_WEBHOOK_URL.")
        if options["test"]:
            self.test(name)
            return
        look = (lambda: look_at(url)) if url else look_directly
        watch = Watch(look, Memory(options["state"]), name, options["confirm"])
        if every:
            self.repeat(watch, every)
        elif status := self.once(watch):
            sys.exit(status)

    def address(self, url: str | None) -> str:
        try:
            return web_address("--url", url or "")
        except ImproperlyConfigured as error:
            raise CommandError(str(error), returncode=2) from None

    def once(self, watch: Watch) -> int:
        try:
            with watch.memory.locked() as is_ours:
                if not is_ours:
                    self.stderr.write("Another watch uses the same --state file, so this one ends.")
                    return 0
                done = watch.round(clock=lambda: datetime.now(UTC))
        except OSError as error:
            raise CommandError(
                f"{watch.memory.path} can't be written ({error.strerror}): choose another --state.", returncode=2
            ) from error
        self.report(done)
        return done.exit_status

    def report(self, done: Round) -> None:
        """Print what was sent, so that cron, which mails output, does so once; without a channel, all problems."""
        for channel, notice in done.sent.items():
            self.stdout.write(f"Sent by {channel}: {notice.subject}\n{notice.text}")
        for channel, reason in done.failed.items():
            self.stderr.write(f"The {channel} couldn't be sent ({reason}); the next look tries again.")
        if not channels():
            for problem in done.problems:
                self.stdout.write(problem.sentence)

    def repeat(self, watch: Watch, every: int) -> None:
        """Look until SIGTERM or Ctrl-C. No error ends it: it has to be there when everything else fails."""
        exit_on_signals()
        signal.signal(signal.SIGINT, lambda *_: sys.exit(130))
        while True:
            began = time.monotonic()
            try:
                self.once(watch)
            except Exception:
                logger.exception("watch: this look failed, the next one tries again")
            self.stdout.flush()
            time.sleep(max(1.0, every - (time.monotonic() - began)))

    def test(self, name: str) -> None:
        now = datetime.now(UTC).isoformat(timespec="seconds")
        notice = Notice(name, {"test": OpenProblem("This is a test: nothing is wrong.", now)}, ["test"], [])
        for channel, send in channels().items():
            try:
                send(notice)
            except DeliveryFailed as error:
                raise CommandError(f"The {channel} couldn't be sent ({error}).", returncode=2) from error
            self.stdout.write(f"The {channel} was accepted.")
