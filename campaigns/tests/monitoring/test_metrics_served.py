"""/metrics from the Procfile's web server with several processes, and alerts about a worker that was killed."""

from __future__ import annotations

import http.client
import time
from datetime import timedelta

from django.utils import timezone

from campaigns.models import Heartbeat
from campaigns.tests.monitoring.scraping import samples
from campaigns.tests.support.committed import CommittedTestCase
from campaigns.tests.support.factories import make_campaign
from campaigns.tests.support.processes import GOOD_KEY
from campaigns.tests.support.services_running import WORKER, running_services, web_command

TOKEN = "a-token-of-more-than-sixteen-characters"


class Served(CommittedTestCase):
    def test_every_process_gives_the_same_figures(self) -> None:
        for _ in range(3):
            make_campaign()
        with (
            running_services() as services,
            services.web(*web_command(workers=3), DEBUG="False", SECRET_KEY=GOOD_KEY, METRICS_TOKEN=TOKEN) as address,
        ):
            self.assertEqual(self.get(address, "")[0], 403)
            for _ in range(9):  # a connection each, which any of the three processes takes
                status, text = self.get(address, f"Bearer {TOKEN}")
                self.assertEqual(status, 200)
                self.assertEqual(samples(text)["budget_manager_campaigns"]["active"], 3)
                self.assertEqual(samples(text)["budget_manager_broker_up"], {"": 1})

    def test_a_worker_that_was_killed_is_no_longer_counted(self) -> None:
        with running_services() as services, services.web(METRICS_TOKEN=TOKEN) as address:
            with services.celery(*WORKER) as worker:
                services.wait_for("the worker is counted", lambda: self.workers(address) == 1)
                worker.kill()
            Heartbeat.objects.update(seen_at=timezone.now() - timedelta(minutes=3))  # instead of waiting
            self.assertEqual(self.workers(address), 0)

    def workers(self, address: str) -> float:
        return samples(self.get(address, f"Bearer {TOKEN}")[1])["budget_manager_processes"]["worker"]

    def get(self, address: str, authorization: str) -> tuple[int, str]:
        connection = http.client.HTTPConnection(address, timeout=30)
        began = time.monotonic()
        connection.request("GET", "/metrics", headers={"Authorization": authorization})
        response = connection.getresponse()
        text = response.read().decode()
        connection.close()
        self.assertLess(time.monotonic() - began, 10)
        return response.status, text
