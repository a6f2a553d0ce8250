"""A real worker imports uploads while it runs checks, and retries after a process is killed."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable
from typing import Any

from celery import Task
from django.contrib.auth.models import User
from django.utils import timezone

from budget_manager.celery import app
from campaigns.models import JobRun, SpendRecord, SpendUpload
from campaigns.services.intake.upload_files import keep_upload
from campaigns.services.intake.upload_preview import confirm_upload
from campaigns.services.jobs.quick_check import JOB as QUICK_PASS
from campaigns.tasks import import_spend_upload, preview_spend_upload, quick_check
from campaigns.tests.support.factories import make_brand, make_campaign
from campaigns.tests.support.outside import POSTGRESQL, OutsideTestCase
from campaigns.tests.support.services_running import Process, running_services

LINES = 60_000


class AWorker(OutsideTestCase):
    """It has one process, as what `celery worker` starts on one core."""

    def setUp(self) -> None:
        super().setUp()
        self.services = self.enterContext(running_services())
        make_campaign(make_brand(name="Alpine"), name="Search")
        self.person = User.objects.create(username="amara", is_superuser=True)

    def keep(self, lines: int, *, skip_errors: bool = True, **options: Any) -> SpendUpload:
        """Keep a file without external ids."""
        rows = (f"2026-11-20T10:00:00Z,Alpine,Search,0.{number + 1:06}\n".encode() for number in range(lines))
        chunks = [b"timestamp,brand,campaign,amount\n", b"".join(rows)]
        about = {"name": "spend.csv", "person": self.person, "now": timezone.now(), "zone": "UTC"}
        return keep_upload(chunks, create=False, skip_errors=skip_errors, **about, **options)  # type: ignore[arg-type]

    def send(self, task: Task[..., None], *arguments: int) -> None:
        with app.connection_for_write(self.services.redis_url) as broker:
            app.send_task(task.name, args=arguments, connection=broker)

    def state(self, upload: SpendUpload) -> str:
        upload.refresh_from_db()
        return upload.state

    def is_done(self, *uploads: SpendUpload) -> Callable[[], bool]:
        return lambda: {self.state(upload) for upload in uploads} == {"done"}

    def importer(self, worker: Process) -> int:
        """Return the id of the process that imports: a child of the worker's child."""

        def found() -> list[int]:
            return [importer for child in _children(worker.pid) for importer in _children(child)]

        self.services.wait_for("an import begins", lambda: bool(found()))
        (importer,) = found()
        return importer

    def test_it_imports_and_then_the_one_that_waits(self) -> None:
        first, second = self.keep(10), self.keep(20)
        with self.services.worker():
            self.send(import_spend_upload, first.pk)
            self.services.wait_for("both are done", self.is_done(first, second))
        self.assertEqual(SpendRecord.objects.count(), 30)

    def test_it_makes_the_preview_of_a_file_and_imports_nothing_before_it_is_confirmed(self) -> None:
        upload = self.keep(30, state=SpendUpload.State.CHECKING)
        with self.services.worker():
            self.send(import_spend_upload, upload.pk)
            self.send(preview_spend_upload, upload.pk)
            self.services.wait_for("its preview is there", lambda: self.state(upload) == "ready")
            self.assertFalse(SpendRecord.objects.exists())
            confirm_upload(upload.pk, skip_errors=False, again=False)
            self.send(import_spend_upload, upload.pk)
            self.services.wait_for("it is done", lambda: self.state(upload) == "done")
        assert upload.preview
        self.assertEqual((SpendRecord.objects.count(), upload.preview["counts"]["imported"]), (30, 30))

    def test_quick_checks_go_on_meanwhile(self) -> None:
        for skip_errors in (True, False) if POSTGRESQL else (True,):  # SQLite has one writer
            with self.subTest(skip_errors=skip_errors), self.services.worker():
                upload = self.keep(LINES, skip_errors=skip_errors)
                JobRun.objects.all().delete()
                self.send(import_spend_upload, upload.pk)
                self.send(quick_check)
                self.services.wait_for("the file is imported", self.is_done(upload))
                run = JobRun.objects.get(name=QUICK_PASS)
                assert run.succeeded_at and upload.ended_at
                self.assertLess(run.succeeded_at, upload.ended_at)

    def test_one_that_waits_for_a_row_keeps_no_quick_check_waiting(self) -> None:
        if not POSTGRESQL:
            self.skipTest("SQLite has no locks of rows")
        upload = self.keep(10, skip_errors=False)
        with self.services.worker() as worker:
            self.run_sql("BEGIN")
            self.run_sql("SELECT 1 FROM campaigns_spendupload WHERE id = %s FOR UPDATE", upload.pk)
            self.send(import_spend_upload, upload.pk)
            self.importer(worker)
            for _ in range(5):
                JobRun.objects.all().delete()
                self.send(quick_check)
                self.services.wait_for("a quick check", JobRun.objects.filter(name=QUICK_PASS).exists)
            self.assertEqual(self.state(upload), "waiting")
            self.run_sql("ROLLBACK")
            self.services.wait_for("the file is imported", self.is_done(upload))

    def test_a_killed_process_is_followed_by_one_that_goes_on(self) -> None:
        upload = self.keep(LINES)
        with self.services.worker() as worker:
            self.send(import_spend_upload, upload.pk)
            importer = self.importer(worker)
            self.services.wait_for("a batch is committed", lambda: bool(self.state(upload) and upload.lines_done))
            os.kill(importer, signal.SIGKILL)
            self.services.wait_for("it is done", self.is_done(upload))
        self.assertEqual((SpendRecord.objects.count(), upload.imported), (LINES, LINES))
        self.assertEqual(upload.attempt, 2)

    def test_it_ends_with_the_worker(self) -> None:
        upload = self.keep(LINES)
        with self.services.worker() as worker:
            self.send(import_spend_upload, upload.pk)
            importer = self.importer(worker)
            self.services.wait_for("a batch is committed", lambda: bool(self.state(upload) and upload.lines_done))
            os.kill(importer, signal.SIGSTOP)  # or it might be done by then
        os.kill(importer, signal.SIGCONT)
        self.services.wait_for("its process is gone", lambda: not _is_there(importer))
        self.assertEqual(self.state(upload), "running")


def _children(pid: int) -> list[int]:
    found = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False)
    return [int(line) for line in found.stdout.split()]


def _is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
