"""Faust's Kafka transport, with larger fetches and a way back to the beginning.

Faust takes every record as soon as it is there, one fetch for a few of them, and lets the broker
hold an empty one for 1.5 s; no setting changes that. Nothing is published before a day is closed,
so a fetch may gather for a moment: that saves the broker more work than it costs the forecast.

Where a partition is read from is told by its state, not by what the group has committed: a state
may be older than that (it was restored up to an earlier checkpoint, or is learned again), and a
partition of which nothing is committed would be left wherever Faust had come to while it restored
the table.
"""

from collections.abc import Callable, Mapping
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
        app = self.transport.app
        assert isinstance(app, App)
        wanted = {
            tp: app.position_of(tp.partition, next_ or 0)
            for tp, next_ in committed.items()
            if tp.topic == DEMAND.name
        }
        if wanted:
            await self.seek_wait(wanted)
        return {**committed, **wanted}


class _Consumer(driver.Consumer):
    def _new_consumer_thread(self) -> driver.AIOKafkaConsumerThread:
        return _ConsumerThread(self, loop=self.loop, beacon=self.beacon)


class _Transport(driver.Transport):
    Consumer = _Consumer


class App(faust.App):
    """A Faust application on this transport.

    Attributes:
        position_of: Tells where a partition is read from: its number and what was committed of it.
    """

    position_of: Callable[[int, int], int] = staticmethod(lambda _number, committed: committed)

    def _new_transport(self) -> driver.Transport:
        return _Transport(self.conf.broker_consumer, self)
