"""What `make run` runs: everything on one machine, to try the product or to develop it."""

import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime
from itertools import chain, count
from pathlib import Path
from types import FrameType
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from budget_manager.environment import masked, text
from budget_manager.launcher.broker import BrokerError, private_broker, problem
from budget_manager.launcher.processes import exit_on_signals, foreground, running
from campaigns.database.clock import database_now
from campaigns.models import Heartbeat
from campaigns.services.demo.live import has_demo

DEFAULT_PORT = 8000
PORTS_TO_TRY = 20
SECONDS_TO_START = 60

Process = subprocess.Popen[bytes]


class Command(BaseCommand):
    help = (
        "Prepares the database (tables, a demo data set and a superuser if there are none) "
        "and runs web, worker and beat, with a broker of their own unless REDIS_URL is set. Needs DEBUG=True."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEBUG:
            raise CommandError(
                "launch is for a machine of your own and needs DEBUG=True; "
                "in production run the processes of the Procfile."
            )
        exit_on_signals()
        signal.signal(signal.SIGINT, interrupt_once)
        os.chdir(settings.BASE_DIR)
        try:
            with foreground():
                self.launch()
        except BrokerError as error:
            raise CommandError(str(error)) from None
        except KeyboardInterrupt:
            self.stdout.write("Everything has ended.")

    def launch(self) -> None:
        port = choose_port(text("PORT"))
        if port != DEFAULT_PORT and not text("PORT"):
            self.stdout.write(f"Port {DEFAULT_PORT} is in use, so this is on port {port}.")
        with broker() as redis_url:
            self.prepare_database()
            self.stdout.write("Starting web, worker and beat …")
            self.stdout.flush()
            since = database_now()
            os.environ.setdefault("SITE_URL", f"http://localhost:{port}")
            with started(commands(port), redis_url) as processes:
                wait_until_up(port, since, processes)
                self.stdout.write(boxed(self.introduction(f"http://localhost:{port}/", redis_url)))
                self.stdout.flush()
                wait_for_an_end(processes)

    def prepare_database(self) -> None:
        self.stdout.write("Preparing the database …")
        self.stdout.flush()
        call_command("migrate", interactive=False, verbosity=0, stdout=self.stdout)
        call_command("demo", stdout=self.stdout)

    def introduction(self, url: str, redis_url: str) -> list[str]:
        """Return what a person needs; the password only where there was no superuser yet."""
        names = sorted(User.objects.filter(is_superuser=True, is_active=True).values_list("username", flat=True)[:3])
        sign_in = [f"Sign in as      {' or '.join(names)}"]
        reset = f".venv/bin/python manage.py changepassword {(names or ['NAME'])[0]}"
        if names:
            sign_in += ["To reset the password:", f"    {reset}"]
        else:
            name, password = create_superuser()
            sign_in = [f"Sign in as      {name}", f"with password   {password}"]
            sign_in += ["This password is shown only once. To reset it:", f"    {reset.replace('NAME', name)}"]
        variable = "" if text("REDIS_URL") else f"REDIS_URL={redis_url} "
        return [
            f"Budget manager: {url}",
            "",
            *sign_in,
            "",
            f"Broker: {masked(redis_url)}. To see what the worker is doing:",
            f"    {variable}.venv/bin/celery -A budget_manager inspect active",
            "",
            "Below: each campaign that pauses or resumes. Ctrl-C ends everything.",
        ]


def interrupt_once(_number: int, _frame: FrameType | None) -> None:
    """Begin to end at the first Ctrl-C; a second one wouldn't make it faster."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise KeyboardInterrupt


def commands(port: int) -> dict[str, list[str]]:
    celery = [sys.executable, "-m", "celery", "-A", "budget_manager"]
    scheduler = ["--scheduler", "django_celery_beat.schedulers:DatabaseScheduler"]
    found = {
        "web": [sys.executable, "manage.py", "runserver", f"127.0.0.1:{port}"],
        "worker": [*celery, "worker", "--concurrency", "2"],
        "beat": [*celery, "beat", *scheduler, "--pidfile="],
    }
    if has_demo():
        found["demo"] = [sys.executable, "manage.py", "demo", "--live"]
    return found


@contextmanager
def started(commands: dict[str, list[str]], redis_url: str) -> Iterator[dict[str, Process]]:
    """Run the commands. Their logs are shown; banners, which go to standard output, aren't."""
    connection.close()
    environment = {
        **os.environ,
        "REDIS_URL": redis_url,
        "LAUNCHED": "yes",
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]),
        "PYTHONUNBUFFERED": "1",
        "PYTHONWARNINGS": "ignore:You're running the worker with superuser privileges",  # as in a container
    }
    with ExitStack() as stack:
        processes = {
            name: stack.enter_context(running(command, environment=environment, stdout=subprocess.DEVNULL))
            for name, command in commands.items()
        }
        try:
            yield processes
        finally:
            for process in processes.values():  # all at once; the stack waits for each
                if process.stdin:
                    process.stdin.close()


def wait_until_up(port: int, since: datetime, processes: dict[str, Process]) -> None:
    """Wait until web answers, and worker and beat have been seen; after SECONDS_TO_START their logs say why not."""
    deadline = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < deadline:
        seen = set(Heartbeat.objects.filter(seen_at__gte=since).values_list("kind", flat=True))
        connection.close()
        if not is_free(port) and len(seen) == len(Heartbeat.Kind):
            return
        raise_if_ended(processes)
        time.sleep(0.2)


def wait_for_an_end(processes: dict[str, Process]) -> None:
    """Wait until a process ends by itself, which is an error, or the make that started us is gone."""
    parent = os.getppid()
    while "MAKELEVEL" not in os.environ or os.getppid() == parent:
        raise_if_ended(processes)
        time.sleep(0.5)


def raise_if_ended(processes: dict[str, Process]) -> None:
    for name, process in processes.items():
        if name != "demo" and (status := process.poll()) is not None:
            raise CommandError(f"{name} ended by itself (see above), so everything was ended: status {status}.")


@contextmanager
def broker() -> Iterator[str]:
    """The URL of the broker that REDIS_URL names, if it answers; unset, of a private one."""
    if not text("REDIS_URL"):
        with private_broker() as url:
            yield url
        return
    if reason := problem(settings.REDIS_URL):
        raise BrokerError(
            f"The broker REDIS_URL={masked(settings.REDIS_URL)} doesn't answer ({reason}): "
            "start it, correct REDIS_URL, or unset it to use a private broker."
        )
    yield settings.REDIS_URL


def choose_port(wanted: str) -> int:
    """PORT, which must be free; unset, the first free port from 8000 on."""
    if wanted:
        if not wanted.isdecimal() or not 0 < int(wanted) < 65536:
            raise CommandError(f"PORT={wanted} isn't a port: write a number from 1 to 65535.")
        if not is_free(int(wanted)):
            raise CommandError(f"PORT={wanted} is in use: end the program that uses it, or set PORT to another one.")
        return int(wanted)
    for port in range(DEFAULT_PORT, DEFAULT_PORT + PORTS_TO_TRY):
        if is_free(port):
            return port
    raise CommandError(
        f"The ports {DEFAULT_PORT} to {DEFAULT_PORT + PORTS_TO_TRY - 1} are in use: set PORT to a free one."
    )


def is_free(port: int) -> bool:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def create_superuser() -> tuple[str, str]:
    """A superuser with a random password; the name is admin, or admin2 and so on if it is taken."""
    names = chain(["admin"], (f"admin{number}" for number in count(2)))
    name = next(name for name in names if not User.objects.filter(username=name).exists())
    password = secrets.token_urlsafe(12)
    User.objects.create_superuser(name, password=password)
    return name, password


def boxed(lines: Sequence[str]) -> str:
    width = max(map(len, lines))
    edge = "+" + "-" * (width + 4) + "+"
    return "\n".join([edge, *(f"|  {line:<{width}}  |" for line in lines), edge])
