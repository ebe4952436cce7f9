"""Faust's Kafka transport, with larger fetches and a way back to the beginning.

Faust takes every record as soon as it is there, one fetch for a few of them, and lets the broker
hold an empty one for 1.5 s; no setting changes that. Nothing is published before a day is closed,
so a fetch may gather for a moment: that saves the broker more work than it costs the forecast.

While it restores a table, Faust may fetch records of the demand topic and drop them, and counts on
the seek to the committed offsets that follows. That seek leaves a partition alone that has nothing
committed, so a process that was killed before its first commit would never see these records again.
"""

from collections.abc import Mapping
from typing import Any

import faust
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from restock_common.contracts.topics import DEMAND

FETCH_MIN_BYTES = 500_000
FETCH_MAX_WAIT_MS = 200


class _ConsumerThread(driver.AIOKafkaConsumerThread):
    def _create_worker_consumer(self, transport: driver.Transport) -> Any:
        consumer = super()._create_worker_consumer(transport)
        consumer._fetch_min_bytes = FETCH_MIN_BYTES
        consumer._fetch_max_wait_ms = FETCH_MAX_WAIT_MS
        return consumer

    async def seek_to_committed(self) -> Mapping[TP, int]:
        committed = await super().seek_to_committed()
        fresh = [tp for tp, next_ in committed.items() if tp.topic == DEMAND.name and not next_]
        if fresh:
            await self.call_thread(self._ensure_consumer().seek_to_beginning, *fresh)
        return committed


class _Consumer(driver.Consumer):
    def _new_consumer_thread(self) -> driver.AIOKafkaConsumerThread:
        return _ConsumerThread(self, loop=self.loop, beacon=self.beacon)


class _Transport(driver.Transport):
    Consumer = _Consumer


class App(faust.App):
    """A Faust application on this transport."""

    def _new_transport(self) -> driver.Transport:
        return _Transport(self.conf.broker_consumer, self)
