"""A worker goes on after an acknowledgement that its broker didn't take.

kombu forgets a message only once the broker has taken its acknowledgement. Where that fails (the broker hangs for
longer than the socket timeout), celery logs it and goes on, but the message fills the worker's prefetch for ever: the
worker answers pings and never takes another task.
"""

from __future__ import annotations

from kombu.transport import redis, virtual


class ForgivingQoS(redis.QoS):
    """Gives the place of a message free even where the broker can't be told; it may deliver the message again."""

    def ack(self, delivery_tag: str) -> None:
        try:
            super().ack(delivery_tag)
        except BaseException:
            self._give_free(delivery_tag)
            raise

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:
        try:
            super().reject(delivery_tag, requeue=requeue)
        except BaseException:
            self._give_free(delivery_tag)
            raise

    def _give_free(self, delivery_tag: str) -> None:
        virtual.QoS.ack(self, delivery_tag)


def forgive_lost_acknowledgements() -> None:
    """Let every connection to a Redis work like that."""
    redis.Channel.QoS = ForgivingQoS
