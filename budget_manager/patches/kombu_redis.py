"""Keeps a worker consuming after a failed acknowledgement.

kombu releases a message's prefetch slot only after the broker has confirmed its acknowledgement. If that fails (the
broker hangs for longer than the socket timeout), Celery logs the error, but the slot stays occupied for ever: the
worker answers pings and never takes another task. No upstream issue is about this case; celery/kombu#1125 is its like
on SQS.
"""

from __future__ import annotations

from kombu.transport import redis, virtual


class ForgivingQoS(redis.QoS):
    """Releases the prefetch slot even if the acknowledgement fails; the broker may redeliver the message."""

    def ack(self, delivery_tag: str) -> None:
        try:
            super().ack(delivery_tag)
        except BaseException:
            self._release(delivery_tag)
            raise

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:
        try:
            super().reject(delivery_tag, requeue=requeue)
        except BaseException:
            self._release(delivery_tag)
            raise

    def _release(self, delivery_tag: str) -> None:
        virtual.QoS.ack(self, delivery_tag)


def forgive_lost_acknowledgements() -> None:
    """Install ForgivingQoS for all Redis connections."""
    redis.Channel.QoS = ForgivingQoS
