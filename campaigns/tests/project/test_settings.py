import json
import os
import re
import shutil
import ssl
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any
from unittest.mock import patch

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.db import connection
from django.test import SimpleTestCase, TestCase
from dotenv import dotenv_values
from kombu import Connection

from budget_manager import environment, simulation
from budget_manager.celery import app
from campaigns.services.groups import GROUPS
from campaigns.services.jobs.schedule import PERIODIC
from campaigns.tests.support.outside import POSTGRESQL
from campaigns.tests.support.processes import BASE_DIR, DOCUMENTED, GOOD_KEY, manage, run


class Refusals(SimpleTestCase):
    """manage.py and celery say in one sentence what is wrong, and how to put it right."""

    def assert_refused(self, result: subprocess.CompletedProcess[str], *words: str) -> None:
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertEqual(len(result.stderr.splitlines()), 1, result.stderr)
        for word in words:
            self.assertIn(word, result.stderr)

    def test_it_refuses_to_start_without_a_secret_key(self) -> None:
        self.assert_refused(manage("check"), "SECRET_KEY is unset", "DEBUG is False", ".env")

    def test_it_refuses_in_the_development_server_too(self) -> None:
        self.assert_refused(manage("runserver", "--noreload"), "SECRET_KEY is unset")

    def test_it_refuses_in_celery_too(self) -> None:
        celery = [sys.executable, "-m", "celery", "-A", "budget_manager", "worker"]
        self.assert_refused(run(celery), "SECRET_KEY is unset")

    def test_it_refuses_a_debug_that_is_neither_true_nor_false(self) -> None:
        self.assert_refused(manage("check", DEBUG="yes"), "DEBUG=yes", "True", "False")

    def test_it_refuses_a_number_of_shards_that_is_none_from_1_to_64(self) -> None:
        for value in ("0", "65", "x", "-1", "1.5", "²"):
            result = manage("check", DEBUG="True", CHECK_SHARDS=value)
            self.assert_refused(result, f"CHECK_SHARDS={value} isn't a number from 1 to 64: use one, such as 1.")

    def test_it_takes_from_1_to_64_shards(self) -> None:
        for value, number in (("", 1), ("1", 1), ("64", 64)):
            with patch.dict(os.environ, CHECK_SHARDS=value):
                self.assertEqual(environment.number("CHECK_SHARDS", 1, least=1, most=64), number)

    def test_it_names_a_postgresql_that_is_not_there_but_not_its_password(self) -> None:
        result = manage("migrate", DEBUG="True", DATABASE_URL="postgres://me:my-secret@127.0.0.1:9/budgets")
        self.assert_refused(result, "budgets", "127.0.0.1", "port 9", "DATABASE_URL")
        self.assertNotIn("my-secret", result.stderr)

    def test_it_names_a_sqlite_file_that_can_not_be_opened(self) -> None:
        result = manage("migrate", DEBUG="True", DATABASE_URL="sqlite:////no/such/directory/db.sqlite3")
        self.assert_refused(result, "/no/such/directory/db.sqlite3", "DATABASE_URL")

    def test_it_asks_for_migrations_where_there_are_no_tables(self) -> None:
        with tempfile.TemporaryDirectory() as directory:
            result = manage("changepassword", "a", DEBUG="True", DATABASE_URL=f"sqlite:///{directory}/db.sqlite3")
        self.assert_refused(result, "no such table", "manage.py migrate")

    def test_it_names_an_option_of_the_database_that_there_is_none_of(self) -> None:
        result = manage("check", DEBUG="True", DATABASE_URL="postgres://me:my-secret@127.0.0.1:9/budgets?foo=1")
        self.assert_refused(result, "DATABASE_URL=postgres://…@127.0.0.1:9/budgets?foo=1", "foo")

    def test_it_starts_neither_worker_nor_beat_nor_web_without_a_database(self) -> None:
        there_is_none = {"DEBUG": "True", "DATABASE_URL": "postgres://me@127.0.0.1:9/budgets"}
        for process in ("worker", "beat"):
            with self.subTest(process):
                celery = [sys.executable, "-m", "celery", "-A", "budget_manager", process]
                self.assert_refused(run(celery, **there_is_none), "budgets", "127.0.0.1", "port 9", "DATABASE_URL")
        self.assert_refused(manage("runserver", "--noreload", **there_is_none), "budgets", "DATABASE_URL")

    def test_it_starts_neither_worker_nor_beat_without_tables(self) -> None:
        for process in ("worker", "beat"):
            with self.subTest(process), tempfile.TemporaryDirectory() as directory:
                celery = [sys.executable, "-m", "celery", "-A", "budget_manager", process]
                url = f"sqlite:///{directory}/db.sqlite3"
                self.assert_refused(run(celery, DEBUG="True", DATABASE_URL=url), "no such table", "manage.py migrate")

    def test_it_keeps_the_traceback_of_an_error_that_nobody_foresaw(self) -> None:
        self.assertIn("Traceback", manage("shell", "--command", "1 / 0", DEBUG="True").stderr)

    def test_it_refuses_weak_keys_of_before_without_printing_them(self) -> None:
        for weak, why in (
            ("change-me", "is still change-me"),
            ("x" * 31, "has 31 characters"),
            ("django-insecure-" * 3, ""),
        ):
            with self.subTest(weak):
                result = manage("check", SECRET_KEY=GOOD_KEY, SECRET_KEY_FALLBACKS=f"{GOOD_KEY},{weak}")
                self.assert_refused(result, "SECRET_KEY_FALLBACKS: key 2 of 2", why, "remove it")
                self.assertNotIn("x" * 31, result.stderr)

    def test_it_refuses_fallbacks_without_a_key(self) -> None:
        self.assert_refused(manage("check", SECRET_KEY_FALLBACKS=GOOD_KEY), "SECRET_KEY is unset")


class Starts(SimpleTestCase):
    def test_it_migrates_one_application_first_and_the_others_later(self) -> None:
        with tempfile.TemporaryDirectory() as directory:
            values = {"DEBUG": "True", "DATABASE_URL": f"sqlite:///{directory}/db.sqlite3"}
            for one in (("django_celery_beat", "0005"), ("campaigns", "0001"), ("auth", "0005"), ()):
                with self.subTest(one):
                    result = manage("migrate", *one, **values)
                    self.assertEqual((result.returncode, result.stderr), (0, ""))
            code = (
                "from django.contrib.auth.models import Group; from django_celery_beat.models import PeriodicTask;"
                " print(sum(group.permissions.count() for group in Group.objects.all()), PeriodicTask.objects.count())"
            )
            made = manage("shell", "--verbosity", "0", "--command", code, **values).stdout.split()
        expected = sum(map(len, GROUPS.values())), len(PERIODIC)
        self.assertEqual(made, [str(number) for number in expected])

    def test_it_knows_the_keys_of_before(self) -> None:
        code = "from django.conf import settings; print(settings.SECRET_KEY_FALLBACKS)"
        for given, known in (("", []), (f"{GOOD_KEY}1, {GOOD_KEY}2", [f"{GOOD_KEY}1", f"{GOOD_KEY}2"])):
            result = manage("shell", "--command", code, SECRET_KEY=GOOD_KEY, SECRET_KEY_FALLBACKS=given)
            self.assertEqual(result.stdout.strip().splitlines()[-1], str(known))

    def test_it_is_ready_to_be_deployed(self) -> None:
        result = manage("check", "--deploy", "--fail-level", "WARNING", SECRET_KEY=GOOD_KEY)
        self.assertEqual(result.returncode, 0, result.stderr)

    def test_it_runs_tests_without_any_setting(self) -> None:
        result = manage("test", "budget_manager")  # a package without tests
        self.assertEqual(result.returncode, 0, result.stderr)

    def test_it_simulates_without_any_setting(self) -> None:
        result = manage("simulate", "--help")
        self.assertEqual(result.returncode, 0, result.stderr)

    def test_the_real_environment_wins_over_dotenv(self) -> None:
        with tempfile.TemporaryDirectory() as directory:
            for name in ("budget_manager", "campaigns"):
                shutil.copytree(BASE_DIR / name, Path(directory) / name)
            shutil.copy(BASE_DIR / "manage.py", directory)
            (Path(directory) / ".env").write_text("DEBUG=True\nLOG_LEVEL=loud\n")
            clean = {name: value for name, value in os.environ.items() if name not in DOCUMENTED}
            check = [sys.executable, "manage.py", "check"]
            from_file = subprocess.run(check, cwd=directory, env=clean, capture_output=True, text=True)
            louder = {**clean, "LOG_LEVEL": "INFO"}
            from_both = subprocess.run(check, cwd=directory, env=louder, capture_output=True, text=True)
        self.assertIn("LOG_LEVEL=loud", from_file.stderr)
        self.assertEqual(from_both.returncode, 0, from_both.stderr)


class Safety(SimpleTestCase):
    """Cookies, HTTPS and passwords: in production, and on a developer's machine."""

    def settings(self, *names: str, **values: str) -> dict[str, Any]:
        """Return the settings as a process reads them that is started with these variables."""
        code = (
            "import json; from django.conf import settings as s; print(json.dumps({n: getattr(s, n) for n in NAMES}))"
        )
        command = code.replace("NAMES", str(names))
        result = manage("shell", "--verbosity", "0", "--command", command, **values)
        self.assertEqual(result.returncode, 0, result.stderr)
        read: dict[str, Any] = json.loads(result.stdout)
        return read

    ONLY_BY_HTTPS = (
        "SECURE_SSL_REDIRECT",
        "SECURE_HSTS_SECONDS",
        "SECURE_HSTS_INCLUDE_SUBDOMAINS",
        "SECURE_HSTS_PRELOAD",
        "SESSION_COOKIE_SECURE",
        "CSRF_COOKIE_SECURE",
    )
    COOKIES = {
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "CSRF_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_AGE": 12 * 60 * 60,
        "SESSION_SERIALIZER": "django.contrib.sessions.serializers.JSONSerializer",
    }

    def test_production_is_reached_by_https_only(self) -> None:
        read = self.settings(*self.ONLY_BY_HTTPS, *self.COOKIES, SECRET_KEY=GOOD_KEY)
        self.assertEqual(
            read, dict.fromkeys(self.ONLY_BY_HTTPS, True) | {"SECURE_HSTS_SECONDS": 31_536_000} | self.COOKIES
        )

    def test_a_developers_machine_needs_none(self) -> None:
        read = self.settings(*self.ONLY_BY_HTTPS, *self.COOKIES, DEBUG="True")
        self.assertEqual(read, dict.fromkeys(self.ONLY_BY_HTTPS, False) | {"SECURE_HSTS_SECONDS": 0} | self.COOKIES)

    def test_no_header_is_believed_unless_a_proxy_is_trusted(self) -> None:
        self.assertEqual(
            self.settings("BEHIND_PROXY", "SECURE_PROXY_SSL_HEADER", DEBUG="True"),
            {"BEHIND_PROXY": False, "SECURE_PROXY_SSL_HEADER": None},
        )
        trusting = self.settings("BEHIND_PROXY", "SECURE_PROXY_SSL_HEADER", DEBUG="True", TRUST_PROXY_HEADER="True")
        self.assertEqual(
            trusting, {"BEHIND_PROXY": True, "SECURE_PROXY_SSL_HEADER": ["HTTP_X_FORWARDED_PROTO", "https"]}
        )

    def test_a_password_has_twelve_characters(self) -> None:
        with self.assertRaisesMessage(ValidationError, "at least 12 characters"):
            validate_password("ecwocbu7-9z")
        validate_password("ecwocbu7-9zq")


class Values(SimpleTestCase):
    def test_tasks_that_wait_for_other_servers_are_not_in_the_queue_of_the_checks(self) -> None:
        for job in PERIODIC:
            queue = app.amqp.router.route({}, job.task)["queue"].name
            waits = job.task in ("campaigns.tasks.deliver", "campaigns.tasks.send_alerts")
            self.assertEqual(queue, "budget_manager_deliveries" if waits else "budget_manager", job.task)

    """Each variable, read from the environment."""

    def read(self, function: Any, *arguments: Any, variables: dict[str, str], **options: Any) -> Any:
        with patch.dict(os.environ, variables):
            return function(*arguments, **options)

    def refusal(self, function: Any, *arguments: Any, variables: dict[str, str], **options: Any) -> str:
        with self.assertRaises(ImproperlyConfigured) as caught:
            self.read(function, *arguments, variables=variables, **options)
        return str(caught.exception)

    def test_every_variable_is_explained(self) -> None:
        modules = ("settings", "environment", "mail", "monitoring")
        source = "".join((BASE_DIR / "budget_manager" / f"{module}.py").read_text() for module in modules)
        names = set(re.findall(r'\b(?:text|flag|items|hosts|origins|number)\("([A-Z_]+)"', source))
        self.assertGreater(len(names), 20)
        self.assertLessEqual(names, DOCUMENTED)

    def test_the_examples_key_is_the_placeholder(self) -> None:
        self.assertEqual(dotenv_values(BASE_DIR / ".env.example")["SECRET_KEY"], environment.PLACEHOLDER_KEY)

    def test_it_refuses_weak_keys_unless_debugging(self) -> None:
        weak = ["", environment.PLACEHOLDER_KEY, "k" * 31, "django-insecure-" + "k" * 40]
        for key in weak:
            with self.subTest(key=key):
                variables = {"SECRET_KEY": key}
                refusal = self.refusal(environment.secret_key, variables=variables, debug=False)
                self.assertIn("SECRET_KEY", refusal)
                self.assertTrue(self.read(environment.secret_key, variables=variables, debug=True))

    def test_it_takes_a_key_of_32_characters(self) -> None:
        key = self.read(environment.secret_key, variables={"SECRET_KEY": "k" * 32}, debug=False)
        self.assertEqual(key, "k" * 32)

    def test_it_takes_time_zones_by_their_iana_names_only(self) -> None:
        self.assertEqual(self.read(environment.time_zone, variables={"TIME_ZONE": ""}), "UTC")
        name = "America/St_Johns"
        self.assertEqual(self.read(environment.time_zone, variables={"TIME_ZONE": name}), name)
        for name in ("Mars/Olympus", "America", "/etc/localtime", "UTC+1", "localtime", "Factory", "right/UTC"):
            with self.subTest(name=name):
                refusal = self.refusal(environment.time_zone, variables={"TIME_ZONE": name})
                self.assertIn(f"TIME_ZONE={name}", refusal)

    def test_it_takes_hosts_as_requests_name_them_only(self) -> None:
        name = "ALLOWED_HOSTS"
        good = ["*", "budget.example.com", ".example.com", "10.0.0.1", "[::1]", "xn--mller-kva.example"]
        self.assertEqual(self.read(environment.hosts, name, "", variables={name: ", ".join(good)}), good)
        for value in ("http://x", "x:8000", "x/", "*.example.com", "::1", "a b", "müller.example", "."):
            with self.subTest(value):
                refusal = self.refusal(environment.hosts, name, "", variables={name: f"localhost,{value}"})
                self.assertIn(f"ALLOWED_HOSTS: {value} isn't a host: use names without scheme", refusal)

    def test_it_takes_origins_with_a_scheme_only(self) -> None:
        name = "CSRF_TRUSTED_ORIGINS"
        read = self.read(environment.origins, name, variables={name: "https://a.example, http://b.example:81"})
        self.assertEqual(read, ["https://a.example", "http://b.example:81"])
        self.assertIn("c.example", self.refusal(environment.origins, name, variables={name: "c.example"}))

    def test_it_takes_the_brokers_that_redis_and_celery_can_read(self) -> None:
        good = [
            "redis://localhost",
            "redis://:p%40ss@10.0.0.1:6380/3",
            "rediss://user:pass@redis.example:6380/0?ssl_cert_reqs=none",
            "unix:///run/redis.sock?db=2",
        ]
        for url in good:
            with self.subTest(url=url):
                self.assertEqual(self.read(environment.redis_url, variables={"REDIS_URL": url}), url)
        default = self.read(environment.redis_url, variables={"REDIS_URL": ""})
        self.assertEqual(default, "redis://localhost:6379/0")

    def test_it_refuses_other_brokers_without_showing_the_password(self) -> None:
        bad = [
            "localhost:6379",
            "amqp://guest:hidden@localhost//",
            "redis://:hidden@localhost:port/0",
            "redis://:hidden@localhost:6379/zero",
            "redis://:hid/den@localhost:6379/0",
            "redis://:hidden@localhost:6379/0?socket_timeout=3",
            "rediss://:hidden@localhost/0?ssl_cert_reqs=perhaps",
            "redis://[::1/0",
            "unix://relative/redis.sock",
        ]
        for url in bad:
            with self.subTest(url=url):
                refusal = self.refusal(environment.redis_url, variables={"REDIS_URL": url})
                self.assertIn("REDIS_URL=", refusal)
                self.assertNotRegex(refusal, "hidden|hid/den")

    def test_it_names_the_broker_as_celery_does(self) -> None:
        socket = environment.broker_url("unix:///run/redis.sock?db=2")
        self.assertEqual(socket, "redis+socket:///run/redis.sock?virtual_host=2")
        self.assertEqual(environment.broker_url("redis://localhost:6379/1"), "redis://localhost:6379/1")

    def test_it_checks_the_certificate_of_a_broker_unless_told_otherwise(self) -> None:
        checked = Connection(environment.broker_url("rediss://localhost/0"))
        self.assertEqual(checked.ssl, {"ssl_cert_reqs": ssl.CERT_REQUIRED})
        unchecked = Connection(environment.broker_url("rediss://localhost/0?ssl_cert_reqs=none"))
        self.assertEqual(unchecked.ssl, {"ssl_cert_reqs": ssl.CERT_NONE})

    def test_it_takes_sqlite_files_and_postgresql(self) -> None:
        base = Path("/srv/budgets")
        names = {
            "": "/srv/budgets/db.sqlite3",
            "sqlite:///data/x.sqlite3": "/srv/budgets/data/x.sqlite3",
            "sqlite:////var/x.sqlite3": "/var/x.sqlite3",
            "postgres://me:p%40ss@db.example/budgets": "budgets",
            "postgresql:///budgets": "budgets",
        }
        for url, name in names.items():
            with self.subTest(url=url):
                entry = self.read(environment.database, base, variables={"DATABASE_URL": url})
                self.assertEqual(entry["NAME"], name)

    def test_it_refuses_other_databases_without_showing_the_password(self) -> None:
        bad = [
            "db.sqlite3",
            "sqlite://",
            "sqlite://:memory:",
            "mysql://me:hidden@localhost/budgets",
            "postgres://me:hidden@localhost:port/budgets",
            "postgres://me:hid#den@localhost/budgets",
            "postgres://me:hidden@localhost/",
            "postgres://localhost/budgets?password=hidden&foo=1",
        ]
        for url in bad:
            with self.subTest(url=url):
                refusal = self.refusal(environment.database, BASE_DIR, variables={"DATABASE_URL": url})
                self.assertIn("DATABASE_URL=", refusal)
                self.assertNotRegex(refusal, "hidden|hid#den")

    def test_it_takes_libpqs_options_behind_the_database(self) -> None:
        url = "postgres://db1,db2/budgets?sslmode=require&target_session_attrs=read-write&connect_timeout=5"
        entry = self.read(environment.database, BASE_DIR, variables={"DATABASE_URL": url})
        options = {"sslmode": "require", "target_session_attrs": "read-write", "connect_timeout": 5}
        self.assertEqual(entry["OPTIONS"], options)

    def test_it_refuses_options_that_nothing_reads(self) -> None:
        bad = {
            "postgres://localhost/budgets?foo=1": "foo: not an option of libpq",
            "postgres://localhost/budgets?foo": "foo: not an option of libpq",
            "postgres://localhost/budgets?pool=true": "pool: not an option of libpq",
            "postgres://localhost/budgets?dbname=other": "dbname: not an option of libpq",
            "postgres://localhost/budgets?sslmode=": "sslmode: without a value",
            "postgres://localhost/budgets?sslmode=require&sslmode=disable": "sslmode: given twice",
            "postgres://localhost/budgets?connect_timeout=soon": "connect_timeout: not a number",
            "sqlite:///db.sqlite3?timeout=60": "timeout: not an option of SQLite",
        }
        for url, why in bad.items():
            with self.subTest(url=url):
                refusal = self.refusal(environment.database, BASE_DIR, variables={"DATABASE_URL": url})
                self.assertIn(f"DATABASE_URL={url} isn't valid ({why}): use", refusal)


class Simulation(SimpleTestCase):
    def test_its_database_is_a_file_that_is_gone_afterwards(self) -> None:
        with patch.dict(os.environ):
            with simulation.throw_away_database():
                name = environment.database(BASE_DIR)["NAME"]
                self.assertTrue(simulation.is_throw_away(name))
                Path(name).touch()
            self.assertFalse(Path(name).parent.exists())

    def test_no_other_database_is_taken_for_it(self) -> None:
        with patch.dict(os.environ), simulation.throw_away_database():
            for name in ("budgets", str(BASE_DIR / "db.sqlite3"), f"/srv/{simulation.PREFIX}x/db.sqlite3"):
                self.assertFalse(simulation.is_throw_away(name), name)
        with patch.dict(os.environ, {simulation.VARIABLE: ""}):
            self.assertFalse(simulation.is_throw_away(f"{tempfile.gettempdir()}/{simulation.PREFIX}x/a"))


if POSTGRESQL:

    class ServerThatVanished(TestCase):
        def test_a_connection_gives_up_within_a_minute(self) -> None:
            connection.ensure_connection()
            message = connection.connection.info.get_parameters()
            names = (
                "connect_timeout",
                "tcp_user_timeout",
                "keepalives_idle",
                "keepalives_interval",
                "keepalives_count",
            )
            self.assertEqual([message.get(name) for name in names], ["10", "30000", "30", "10", "3"])
