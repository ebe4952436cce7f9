"""Master data as every service sees it: the compacted topic, read from its start and followed."""

import asyncio
from collections.abc import Callable
from datetime import UTC, date, datetime

import structlog

from restock_common.contracts import TYPES
from restock_common.contracts.catalogue import Catalogue
from restock_common.contracts.envelope import decode
from restock_common.contracts.topics import CATALOGUE
from restock_common.errors import Permanent, Transient
from restock_common.kafka import LogEnds, Tail
from restock_common.runtime.background import Background
from restock_common.runtime.component import Progress
from restock_common.settings import KafkaSettings
from restock_common.transact import Partition

log = structlog.get_logger()

_LOOK_AT_THE_DAY_EVERY_S = 1.0
_READ_TO_NOW_S = 2.0
_LOOK_AGAIN_S = 0.01


def todays_date() -> date:
    """Return the system's day, in UTC."""
    return datetime.now(UTC).date()


class CatalogueReader(Background):
    """Keeps `catalogue` up to date; ready once all that was there at start has been read.

    Args:
        kafka: How to reach the broker.
        today: The day up to which plans have taken effect.
    """

    name = "catalogue reader"

    def __init__(self, kafka: KafkaSettings, *, today: Callable[[], date] = todays_date) -> None:
        self.catalogue = Catalogue()
        self._today = today
        self._tail = Tail(kafka, CATALOGUE, idle_ms=100)
        self._ends = LogEnds(kafka)
        self._asking = asyncio.Lock()

    async def start(self) -> None:
        """Begin to read, and wait until what was there has been read."""
        self.catalogue.advance(self._today())
        await self._tail.start()
        await super().start()
        await self._tail.caught_up.wait()

    async def stop(self) -> None:
        """End."""
        await super().stop()
        await self._tail.stop()
        await self._ends.stop()

    def not_ready(self) -> str | None:
        """Return why lookups may miss something."""
        return None if self._tail.caught_up.is_set() else "the catalogue is being read"

    async def read_to_now(self) -> None:
        """Return once all that the topic holds now has been read.

        Raises:
            Transient: Kafka does not answer, or the reader does not get there soon.
        """
        try:
            async with asyncio.timeout(_READ_TO_NOW_S):
                async with self._asking:
                    bounds = await self._ends.bounds(
                        [Partition(CATALOGUE.name, number) for number in self._tail.next_offsets]
                    )
                while True:
                    read = self._tail.next_offsets
                    if all(read[one.number] >= end for one, (_, end) in bounds.items()):
                        return
                    await asyncio.sleep(_LOOK_AGAIN_S)
        except TimeoutError:
            raise Transient("the catalogue has not been read to its end") from None

    async def progress(self) -> Progress:
        """Return how far the topic has been read."""
        return Progress({CATALOGUE.name: dict(self._tail.next_offsets)})

    async def _run(self) -> None:
        async with asyncio.TaskGroup() as both:
            both.create_task(self._follow_days())
            both.create_task(self._follow_topic())

    async def _follow_days(self) -> None:
        while True:
            self.catalogue.advance(self._today())
            await asyncio.sleep(_LOOK_AT_THE_DAY_EVERY_S)

    async def _follow_topic(self) -> None:
        async for record in self._tail.records():
            if record.value is None:
                continue  # a tombstone: entities are closed by their own fields, not deleted
            try:
                self.catalogue.apply(decode(record, TYPES).event)
            except Permanent as error:
                log.warning("catalogue_record_refused", offset=record.offset, error=str(error))
