"""Faust's Kafka transport, with fetches that come back at once and a way back to the beginning.

Faust lets the broker hold a fetch for 1.5 s, with no setting to change it. Apache Kafka answers as
soon as there is a record; the embedded broker looks again only after half of the wait, which would
add most of a second to every event day of a replay.

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

FETCH_MAX_WAIT_MS = 50


class _ConsumerThread(driver.AIOKafkaConsumerThread):
    def _create_worker_consumer(self, transport: driver.Transport) -> Any:
        consumer = super()._create_worker_consumer(transport)
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
