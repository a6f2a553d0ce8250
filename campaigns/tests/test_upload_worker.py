"""A real worker imports what staff upload, and takes up again what a killed process left."""

from __future__ import annotations

import os
import signal
import subprocess
from typing import Any

from django.contrib.auth.models import User
from django.utils import timezone

from budget_manager.celery import app
from campaigns.models import SpendRecord, SpendUpload
from campaigns.services.spend_uploads import keep_upload
from campaigns.services.upload_confirm import confirm_upload
from campaigns.tasks import import_spend_upload, preview_spend_upload
from campaigns.tests.factories import make_brand, make_campaign
from campaigns.tests.outside import OutsideTestCase
from campaigns.tests.services_running import running_services

LINES = 60_000


class AWorker(OutsideTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.services = self.enterContext(running_services())
        make_campaign(make_brand(name="Alpine"), name="Search")
        self.person = User.objects.create(username="amara", is_superuser=True)

    def keep(self, lines: int, **options: Any) -> SpendUpload:
        """Keep a file without external ids, whose errors are to be skipped."""
        rows = (f"2026-11-20T10:00:00Z,Alpine,Search,0.{number + 1:06}\n".encode() for number in range(lines))
        chunks = [b"timestamp,brand,campaign,amount\n", b"".join(rows)]
        about = {"name": "spend.csv", "person": self.person, "now": timezone.now(), "zone": "UTC"}
        return keep_upload(chunks, create=False, skip_errors=True, **about, **options)  # type: ignore[arg-type]

    def send(self, upload: SpendUpload, task: Any = import_spend_upload) -> None:
        with app.connection_for_write(self.services.redis_url) as broker:
            app.send_task(task.name, args=[upload.pk], connection=broker)

    def state(self, upload: SpendUpload) -> str:
        upload.refresh_from_db()
        return upload.state

    def test_it_imports_and_then_the_one_that_waits(self) -> None:
        first, second = self.keep(10), self.keep(20)
        with self.services.worker():
            self.send(first)
            self.services.wait_for("both are done", lambda: {self.state(first), self.state(second)} == {"done"})
        self.assertEqual(SpendRecord.objects.count(), 30)

    def test_it_makes_the_preview_of_a_file_and_imports_nothing_before_it_is_confirmed(self) -> None:
        upload = self.keep(30, state=SpendUpload.State.CHECKING)
        with self.services.worker():
            self.send(upload, import_spend_upload)
            self.send(upload, preview_spend_upload)
            self.services.wait_for("its preview is there", lambda: self.state(upload) == "ready")
            self.assertFalse(SpendRecord.objects.exists())
            self.send(confirm_upload(upload.pk, skip_errors=False, again=False))
            self.services.wait_for("it is done", lambda: self.state(upload) == "done")
        assert upload.preview
        self.assertEqual((SpendRecord.objects.count(), upload.preview["counts"]["imported"]), (30, 30))

    def test_a_killed_process_is_followed_by_one_that_goes_on(self) -> None:
        upload = self.keep(LINES)
        with self.services.worker() as worker:
            self.send(upload)
            self.services.wait_for("a batch is committed", lambda: bool(self.state(upload) and upload.lines_done))
            found = subprocess.run(["pgrep", "-P", str(worker.pid)], capture_output=True, text=True, check=True)
            os.kill(int(found.stdout.split()[-1]), signal.SIGKILL)
            self.services.wait_for("it is done", lambda: self.state(upload) == "done")
        self.assertEqual((SpendRecord.objects.count(), upload.imported), (LINES, LINES))
        self.assertEqual(upload.attempt, 2)
