"""Processes of the product that can be killed, frozen and started again, as machines do it to them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from budget_manager.launcher.broker import find_server, problem
from campaigns.tests.support.processes import BASE_DIR, GOOD_KEY, environment
from campaigns.tests.torture.kills.waiting import free_port, wait_until

WORKER = ("celery", "-A", "budget_manager", "worker", "--concurrency", "1")
BEAT = (
    *("celery", "-A", "budget_manager", "beat", "--pidfile="),
    *("--scheduler", "django_celery_beat.schedulers:DatabaseScheduler"),
)


class Killable:
    """A process with a session of its own; start it, end it in whatever way, and start it again."""

    def __init__(
        self, name: str, command: Sequence[str], *, log: Path, variables: Mapping[str, str] | None = None
    ) -> None:
        self.name = name
        self.command = command
        self.log = log
        self.variables = variables
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self.process, f"{self.name} was never started"
        return self.process.pid

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command,
                cwd=BASE_DIR,
                env=None if self.variables is None else dict(self.variables),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def kill(self) -> None:
        """Kill -9 it and all that it started, as a machine that loses power does."""
        self._signal_all(signal.SIGKILL)
        self._wait()

    def kill_alone(self) -> None:
        """Kill -9 it and leave its children orphans."""
        os.kill(self.pid, signal.SIGKILL)
        self._wait()

    def freeze(self) -> None:
        """Stop it in its tracks: its connections stay open, and it answers nothing."""
        self._signal_all(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal_all(signal.SIGCONT)

    def end(self) -> None:
        """Kill it, unless it has ended."""
        if self.is_running():
            self.kill()

    def children(self) -> list[int]:
        """Return the ids of the processes that it has started: of a worker, those that run its tasks."""
        return [int(pid) for pid in Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()]

    def has_read(self, file: Path) -> int:
        """Return how many bytes of the file it has read, 0 where it hasn't opened it."""
        for descriptor in Path(f"/proc/{self.pid}/fd").iterdir():
            with suppress(OSError):  # it is closed already
                if descriptor.readlink() == file:
                    position = Path(f"/proc/{self.pid}/fdinfo/{descriptor.name}").read_text()
                    return int(position.partition("pos:")[2].split()[0])
        return 0

    def said(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def _signal_all(self, number: int) -> None:
        os.killpg(self.pid, number)

    def _wait(self) -> None:
        assert self.process
        self.process.wait(timeout=30)


class Broker(Killable):
    """A Redis or Valkey on a port of its own that stays the same; it forgets everything when it is killed."""

    def __init__(self, directory: Path) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        options = {"port": str(self.port), "bind": "127.0.0.1", "dir": str(directory), "save": "", "appendonly": "no"}
        words = (word for name, value in options.items() for word in (f"--{name}", value))
        super().__init__("broker", [find_server(), *words], log=directory / "broker.log")

    def start(self) -> None:
        super().start()
        wait_until("the broker answers", lambda: problem(self.url, seconds=1) is None, said=self.said)


class Services:
    """Worker, beat, web and commands on one database and one broker; their logs say why a test failed."""

    def __init__(self, directory: Path, *, database_url: str, redis_url: str) -> None:
        self.directory = directory
        self.variables = environment(
            DATABASE_URL=database_url,
            REDIS_URL=redis_url,
            SECRET_KEY=GOOD_KEY,
            LOG_LEVEL="INFO",
            DEBUG="True",
        )
        self.all: list[Killable] = []

    def make(self, name: str, *arguments: str) -> Killable:
        """Return a service that isn't started yet: a module of Python's path and its arguments."""
        command = [sys.executable, "-m", *arguments]
        made = Killable(name, command, log=self.directory / f"{name}.log", variables=self.variables)
        self.all.append(made)
        return made

    def start(self, name: str, *arguments: str) -> Killable:
        service = self.make(name, *arguments)
        service.start()
        return service

    def start_worker(self, name: str = "worker") -> Killable:
        return self.start(name, *WORKER, "--hostname", f"{name}@here")

    def start_beat(self, name: str = "beat") -> Killable:
        return self.start(name, *BEAT)

    def manage(self, name: str, *arguments: str) -> Killable:
        """Start a command of manage.py."""
        service = self.make(name)
        service.command = [sys.executable, "manage.py", *arguments]
        service.start()
        return service

    def end(self) -> None:
        for service in reversed(self.all):
            service.end()

    def said(self) -> str:
        """Return the end of each log."""
        return "\n".join(f"{service.name}:\n{service.said()[-3000:]}" for service in self.all)

    def wait_until(self, what: str, happened: Callable[[], bool], *, every: float = 0.05) -> None:
        wait_until(what, happened, said=self.said, every=every)
