"""A worker whose broker is lost while it acknowledges has room for the next task all the same."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.test import SimpleTestCase

from budget_manager.celery import app
from campaigns.tasks import check_budgets
from campaigns.tests.torture.kills.processes import Broker


class Acknowledgement(SimpleTestCase):
    def setUp(self) -> None:
        directory = self.enterContext(tempfile.TemporaryDirectory(prefix="budget-manager-broker-"))
        self.broker = Broker(Path(directory))
        self.broker.start()
        self.addCleanup(self.broker.end)

    def assert_room_after(self, answer: Callable[[Any], object]) -> None:
        """Take a message with room for one, lose the broker, and answer."""
        with app.connection_for_write(self.broker.url) as connection:
            app.send_task(check_budgets.name, connection=connection)
            channel: Any = connection.default_channel
            channel.basic_qos(0, 1, False)
            message = app.amqp.queues[app.conf.task_default_queue](channel).get()
            self.assertFalse(channel.qos.can_consume())
            self.broker.kill()
            with self.assertRaises(connection.connection_errors):
                answer(message)
            self.assertTrue(channel.qos.can_consume())

    def test_an_acknowledgement_that_fails_leaves_room_for_the_next_task(self) -> None:
        self.assert_room_after(lambda message: message.ack())

    def test_a_rejection_that_fails_does_too(self) -> None:
        self.assert_room_after(lambda message: message.reject())

    def test_a_message_that_fails_to_go_back_does_too(self) -> None:
        self.assert_room_after(lambda message: message.requeue())
