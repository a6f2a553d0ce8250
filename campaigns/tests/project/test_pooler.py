"""The product behind PgBouncer in transaction mode, in a database whose settings don't suit it."""

from __future__ import annotations

import getpass
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import skipUnless

from django.db import connection
from django.test import SimpleTestCase

from campaigns.database.connection import execute
from campaigns.database.session_settings import OURS
from campaigns.tests.project.test_session_settings import HOSTILE
from campaigns.tests.support.outside import POSTGRESQL
from campaigns.tests.support.processes import manage

NAME = "budget_manager_behind_a_pooler"
SERVERS = 3

CONFIGURATION = """
[databases]
* = host={HOST} port={PORT} user={USER} password={PASSWORD}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = {servers}
"""

WORK = """
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from campaigns import tasks
from campaigns.database.connection import execute
from campaigns.models import Brand, Campaign
brand = Brand.objects.create(name="Acme", daily_budget=10)
campaign = Campaign.objects.create(brand=brand, name="Winter")
execute("INSERT INTO campaigns_spendrecord (brand_id, campaign_id, amount) VALUES (1, 1, 20)")
tasks.quick_check()
tasks.check_budgets()
print(Campaign.objects.get().status)
client = Client(headers={"host": "localhost"})
client.force_login(User.objects.create_superuser("a"))
for page in ("index", "campaigns_brand_changelist", "campaigns_campaign_changelist", "campaigns_jobrun_changelist"):
    print(client.get(reverse(f"admin:{page}")).status_code)
print(client.get("/health/jobs").json()["problems"])
"""


# What the settings are in transactions on all of the pooler's server connections.
SHOW = f"""
from django.db import connection
names = {list(HOSTILE)}
connections = [connection.copy() for _ in range({SERVERS})]
for each in connections:
    each.ensure_connection()  # sets what we need on one server connection, while no other is open
for each in connections:
    each.set_autocommit(False)
    each.cursor().execute("SELECT 1")  # keeps its server connection until the end of the transaction
for each in connections:
    with each.cursor() as cursor:
        print([cursor.execute(f"SHOW {{name}}").fetchone()[0].partition(",")[0] for name in names])
"""


@contextmanager
def pgbouncer() -> Iterator[int]:
    """Run one in front of the server of the tests, and give its port. It refuses to run as root."""
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory, "pgbouncer.ini")
        settings = {name: connection.settings_dict[name] for name in ("HOST", "PORT", "USER", "PASSWORD")}
        file.write_text(CONFIGURATION.format(**settings, port=port, servers=SERVERS).replace("password=\n", "\n"))
        Path(directory).chmod(0o755)
        user = "postgres" if getpass.getuser() == "root" else None
        process = subprocess.Popen(["pgbouncer", "--quiet", file], user=user, stderr=subprocess.DEVNULL)
        try:
            while process.poll() is None and not is_open(port):
                time.sleep(0.01)
            yield port
        finally:
            process.terminate()
            process.wait()


def is_open(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


if POSTGRESQL:

    @skipUnless(shutil.which("pgbouncer"), "PgBouncer isn't installed")
    class BehindPgBouncer(SimpleTestCase):
        databases = {"default"}

        def setUp(self) -> None:
            self.port = self.enterContext(pgbouncer())
            self.addCleanup(execute, f"DROP DATABASE {NAME} WITH (FORCE)")
            execute(f"CREATE DATABASE {NAME}")
            self.url = f"postgres://{connection.settings_dict['USER']}@127.0.0.1:{self.port}/{NAME}"

        def run_it(self, *command: str) -> str:
            result = manage(*command, DEBUG="True", LOG_LEVEL="CRITICAL", DATABASE_URL=self.url)
            self.assertEqual((result.returncode, result.stderr), (0, ""))
            return result.stdout

        def make_hostile(self) -> None:
            for name, value in HOSTILE.items():
                execute(f"ALTER DATABASE {NAME} SET {name} = '{value}'")

        def reconnect(self) -> None:
            """Let the pooler's server connections begin anew; by their end, which RECONNECT waits for too."""
            execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [NAME])

        def test_all_of_it_works_and_stays_as_we_set_it(self) -> None:
            self.make_hostile()
            self.assertIn("let a pooler reconnect", self.run_it("migrate"))
            self.reconnect()
            worked = self.run_it("shell", "--verbosity", "0", "--command", WORK).splitlines()
            self.assertEqual(worked[:5], ["paused", "200", "200", "200", "200"])
            self.assertNotIn("pooler", worked[5])
            self.assertEqual(self.run_it("verify_spend"), "All totals match the spend records.\n")
            shown = self.run_it("shell", "--verbosity", "0", "--command", SHOW).splitlines()
            self.assertEqual(shown, [str([OURS[name] for name in HOSTILE])] * SERVERS)

        def test_health_names_what_has_changed_since(self) -> None:
            self.run_it("migrate")
            self.make_hostile()
            self.reconnect()
            shown = self.run_it(
                "shell",
                "--verbosity",
                "0",
                "--command",
                "from django.test import Client; print(Client().get('/health/jobs').json()['problems'])",
            )
            self.assertIn("default_transaction_isolation is repeatable read instead of read committed", shown)
            self.assertIn(
                "run `python manage.py migrate`, which sets them for our role, and let the pooler reconnect", shown
            )
