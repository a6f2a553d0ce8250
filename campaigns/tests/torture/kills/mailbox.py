"""Beat's real scheduler and the messages that it leaves at a real broker, by a clock that a test moves."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils import timezone
from django_celery_beat.models import PeriodicTask
from django_celery_beat.schedulers import DatabaseScheduler

from budget_manager.celery import app

make_scheduler: Any = DatabaseScheduler  # it has no types


class Mailbox:
    """What waits at the broker."""

    def __init__(self, url: str) -> None:
        self.url = url
        app.loader.import_default_modules()  # as a worker does when it starts

    def deliver(self) -> list[str]:
        """Do what a worker does, by the clock of this process: drop what has expired, run the rest.

        Return the names of the tasks that ran.
        """
        ran = []
        with app.connection_for_read(self.url) as connection:
            queue = app.amqp.queues[app.conf.task_default_queue](connection.default_channel)
            while message := queue.get():
                name, expires = message.headers["task"], message.headers["expires"]
                if timezone.now() <= datetime.fromisoformat(expires):
                    app.tasks[name]()
                    ran.append(name.rpartition(".")[2])
                message.ack()
        return ran


class MovedBeat:
    """A beat that lives by the moved clock; what it has to send goes to the broker."""

    def __init__(self, url: str) -> None:
        self.scheduler: Any = make_scheduler(app)
        self.scheduler.connection = app.connection_for_write(url)

    def fire(self) -> None:
        """Send all that is due now."""
        while self.scheduler.tick() == 0:
            pass

    def stop(self) -> None:
        self.scheduler.close()
        self.scheduler.connection.close()


def start_schedule_at(instant: datetime) -> None:
    """Let every job have run at the instant, as in an installation that has been running until then."""
    PeriodicTask.objects.update(last_run_at=instant, date_changed=instant)
