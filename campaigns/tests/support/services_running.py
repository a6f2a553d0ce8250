"""Broker, worker, beat and web as real processes on the test database; each has a log that a test can read."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from urllib.parse import quote

from django.db import connection
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from budget_manager.launcher.broker import private_broker
from campaigns.services.jobs.schedule import CHECK
from campaigns.tests.support.outside import SQLITE
from campaigns.tests.support.processes import BASE_DIR, GOOD_KEY, environment

SECONDS_TO_WAIT = 60
WORKER = ("worker", "--concurrency", "1")
BEAT = ("beat", "--scheduler", "django_celery_beat.schedulers:DatabaseScheduler", "--pidfile=")

Process = subprocess.Popen[bytes]


def database_url() -> str:
    """Return the test database's DATABASE_URL for other processes."""
    settings = {name: quote(str(value or ""), safe="") for name, value in connection.settings_dict.items()}
    if SQLITE:
        return f"sqlite:///{settings['NAME']}"
    address = f"{settings['HOST']}:{settings['PORT']}".rstrip(":")
    return f"postgres://{settings['USER']}:{settings['PASSWORD']}@{address}/{settings['NAME']}"


def web_command(
    application: str = "budget_manager.wsgi", *, address: str = "127.0.0.1:0", workers: int = 2
) -> list[str]:
    """Return the Procfile's gunicorn and its options, for another address and maybe another application."""
    line = re.search(r"^web: .*exec (gunicorn .*)$", (BASE_DIR / "Procfile").read_text(), re.MULTILINE)
    assert line, "The Procfile has no web server."
    words = shlex.split(line[1])
    words[words.index("budget_manager.wsgi")] = application
    words[words.index("--bind") + 1] = address
    return [*words, "--workers", str(workers)]


@contextmanager
def running_services() -> Iterator[RunningServices]:
    """A broker of our own; worker, beat and web are started from what is given."""
    with tempfile.TemporaryDirectory() as logs, private_broker() as redis_url:
        yield RunningServices(Path(logs), redis_url)


def check_every_second() -> None:
    """Choose a faster schedule for the check, as staff may."""
    second, _ = IntervalSchedule.objects.get_or_create(every=1, period=IntervalSchedule.SECONDS)
    PeriodicTask.objects.filter(name=CHECK.name).update(crontab=None, interval=second)


class RunningServices:
    """The processes of the Procfile. Each ends, in its own time but for certain, with its context."""

    def __init__(self, logs: Path, redis_url: str) -> None:
        self.logs = logs
        self.redis_url = redis_url

    def worker(self, **variables: str) -> AbstractContextManager[Process]:
        return self.celery(*WORKER, **variables)

    def beat(self) -> AbstractContextManager[Process]:
        return self.celery(*BEAT)

    def celery(self, *arguments: str, **variables: str) -> AbstractContextManager[Process]:
        return self.process(arguments[0], "celery", "-A", "budget_manager", *arguments, **variables)

    @contextmanager
    def web(self, *command: str, **variables: str) -> Iterator[str]:
        """Run the web server, without TLS and without collected static files; give its address, "127.0.0.1:port"."""
        with self.process("web", *command or web_command(), **{"DEBUG": "True"} | variables) as self.web_process:
            listening = re.compile(r"Listening at: http://(\S+)")
            self.wait_for("the web server listens", lambda: listening.search(self.log("web")) is not None)
            yield listening.findall(self.log("web"))[0]

    @contextmanager
    def process(self, name: str, module: str, *arguments: str, **variables: str) -> Iterator[Process]:
        """Run a module of Python with our settings; name is that of its log."""
        values = {
            "DATABASE_URL": database_url(),
            "REDIS_URL": self.redis_url,
            "SECRET_KEY": GOOD_KEY,
            "LOG_LEVEL": "INFO",
        }
        with Path(self.logs, name).open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", module, *arguments],
                cwd=BASE_DIR,
                env=environment(**values | variables),
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def log(self, name: str) -> str:
        return Path(self.logs, name).read_text()

    def said(self) -> str:
        """Return all logs, each under its name."""
        return "\n".join(f"{log.name}:\n{log.read_text()}" for log in sorted(self.logs.iterdir()))

    def wait_for(
        self, what: str, happened: Callable[[], bool], seconds: float = SECONDS_TO_WAIT, *, every: float = 0.1
    ) -> None:
        deadline = time.monotonic() + seconds
        while not happened():
            if time.monotonic() > deadline:
                raise AssertionError(f"{what}: not within {seconds} s.\n{self.said()}")
            time.sleep(every)
