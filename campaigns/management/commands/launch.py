"""What `make run` runs: everything on one machine, to try the product or to develop it."""

import os
import secrets
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain, count
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from budget_manager.broker import BrokerError, private_broker, problem
from budget_manager.environment import masked, text
from budget_manager.processes import exit_on_signals, running

DEFAULT_PORT = 8000
PORTS_TO_TRY = 20


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
        try:
            port = choose_port(text("PORT"))
            if port != DEFAULT_PORT and not text("PORT"):
                self.stdout.write(f"Port {DEFAULT_PORT} is in use, so this is on port {port}.")
            with broker() as redis_url:
                self.prepare_database()
                self.introduce(f"http://localhost:{port}/")
                self.run_processes(port, redis_url)
        except BrokerError as error:
            raise CommandError(str(error)) from None
        except KeyboardInterrupt:
            sys.exit(130)

    def prepare_database(self) -> None:
        call_command("migrate", interactive=False, verbosity=0, stdout=self.stdout)
        call_command("demo", stdout=self.stdout)

    def introduce(self, url: str) -> None:
        """Say where the site is, and once, when there is no superuser yet, with which password."""
        lines = [f"Budget manager: {url}"]
        if not User.objects.filter(is_superuser=True).exists():
            name, password = create_superuser()
            lines += ["", f"Sign in as      {name}", f"with password   {password}", ""]
            lines += ["Shown only this once; a new one:", f".venv/bin/python manage.py changepassword {name}"]
        self.stdout.write(boxed(lines))

    def run_processes(self, port: int, redis_url: str) -> None:
        python = Path(sys.executable)
        environment = {
            **os.environ,
            "REDIS_URL": redis_url,
            "PATH": os.pathsep.join([str(python.parent), os.environ.get("PATH", os.defpath)]),
            "PYTHONUNBUFFERED": "1",
            "DJANGO_RUNSERVER_HIDE_WARNING": "true",
        }
        # Its own reading of .env would win over the environment, so it gets an empty one.
        honcho = [str(python), "-m", "honcho", "start", "--env", os.devnull, "--port", str(port)]
        procfile = ["--procfile", "Procfile.dev", "--app-root", str(settings.BASE_DIR)]
        os.chdir(settings.BASE_DIR)
        self.stdout.flush()
        with running([*honcho, *procfile], environment=environment) as process:
            status = process.wait()
        raise CommandError(f"A process ended by itself (see above), so the others were ended too: status {status}.")


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
    """A superuser with a random password; the name is admin, or admin2 and so on if somebody bears it."""
    names = chain(["admin"], (f"admin{number}" for number in count(2)))
    name = next(name for name in names if not User.objects.filter(username=name).exists())
    password = secrets.token_urlsafe(12)
    User.objects.create_superuser(name, password=password)
    return name, password


def boxed(lines: list[str]) -> str:
    width = max(map(len, lines))
    edge = "+" + "-" * (width + 4) + "+"
    return "\n".join([edge, *(f"|  {line:<{width}}  |" for line in lines), edge])
