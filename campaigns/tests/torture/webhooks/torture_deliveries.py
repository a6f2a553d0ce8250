"""How many deliveries a worker sends: a figure of an idle machine, and `make test` keeps all cores busy."""

from __future__ import annotations

from django.utils import timezone

from campaigns.models import Delivery
from campaigns.tests.support.outside import OutsideTestCase
from campaigns.tests.support.services_running import running_services
from campaigns.tests.webhooks.receiving import make_delivery, make_endpoint, receiver
from campaigns.tests.webhooks.test_worker import OURS, WORKER


class Deliveries(OutsideTestCase):
    def test_one_worker_sends_a_thousand_a_minute(self) -> None:
        """To one endpoint, one after the other, each over a connection of its own."""
        services = self.enterContext(running_services())
        with receiver(tls=True) as server:
            endpoint = make_endpoint(server.url)
            for _ in range(200):
                make_delivery(endpoint, now=timezone.now())
            with services.celery(*WORKER, **OURS), services.beat():
                not_delivered = Delivery.objects.exclude(state=Delivery.State.DELIVERED)
                services.wait_for("all are delivered", lambda: not not_delivered.exists())
        self.assertLess(server.begun[-1] - server.begun[0], 12)
        self.assertEqual(server.most_open, 1)
