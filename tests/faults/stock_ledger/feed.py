"""Publishes a load without pause, and answers what the ledger allocates like a warehouse."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Self

from tests.faults.stock_ledger.load import Load, Sent
from tests.support import message, outgoing

from restock_common.contracts import TYPES
from restock_common.contracts.envelope import decode, derive_id
from restock_common.contracts.fulfilment import (
    AllocationCancelRequested,
    OrderAllocated,
)
from restock_common.contracts.ledger import AllocationWithdrawn, ShipmentDispatched
from restock_common.contracts.topics import FULFILMENT
from restock_common.kafka import Producer, Tail
from restock_common.settings import KafkaSettings

WAREHOUSE = "/faults/warehouse"

_AT_ONCE = 10
_PAUSE_S = 0.05


class Feed:
    """A shop that never closes and a warehouse, over one producer; both outlive the broker.

    Used as a context manager. What the broker has acknowledged is noted, in order.

    Args:
        kafka: How to reach the broker.
        load: What the shop sends.
    """

    def __init__(self, kafka: KafkaSettings, load: Load) -> None:
        self.load = load
        self.acknowledged: dict[tuple[str, int], list[str]] = defaultdict(list)
        self._producer = Producer(kafka)
        self._allocations = Tail(kafka, FULFILMENT)
        self._answers: list[Sent] = []
        self._replied: set[str] = set()
        self._open = True
        self._sending = asyncio.Lock()
        self._tasks: list[asyncio.Task[None]] = []

    async def publish(self, sent: Sequence[Sent]) -> None:
        """Publish, and note what was acknowledged."""
        await self._producer.publish([outgoing(one, partition=shard) for shard, one in sent])
        for shard, one in sent:
            self.acknowledged[one.source, shard].append(one.id)

    async def close_shop(self) -> None:
        """Send no more of the load; the warehouse goes on."""
        async with self._sending:
            self._open = False

    async def close_warehouse(self) -> None:
        """Answer nothing any more; what has been answered is sent."""
        await _cancel(self._tasks)
        await self._send_some()

    def check(self) -> None:
        """Raise what ended the shop or the warehouse, if anything has."""
        for task in self._tasks:
            if task.done() and not task.cancelled():
                task.result()

    async def __aenter__(self) -> Self:
        """Open."""
        await self._producer.start()
        await self._allocations.start()
        await self.publish(self.load.opening())
        self._tasks = [asyncio.create_task(self._publish()), asyncio.create_task(self._answer())]
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close."""
        await _cancel(self._tasks)
        await self._allocations.stop()
        await self._producer.stop()

    async def _publish(self) -> None:
        while True:
            await asyncio.shield(self._send_some())
            await asyncio.sleep(_PAUSE_S)

    async def _send_some(self) -> None:
        async with self._sending:
            answers, self._answers = self._answers, []
            await self.publish([*(self.load.some(_AT_ONCE) if self._open else []), *answers])

    async def _answer(self) -> None:
        """Ship one parcel in two at once; give back what has not left when that is asked for."""
        async for record in self._allocations.records():
            told = decode(record, TYPES)
            match told.event:
                case OrderAllocated() as parcel if derive_id(parcel.allocation)[0] < "8":
                    self._reply(
                        parcel.shard,
                        told.time,
                        ShipmentDispatched(
                            allocation=parcel.allocation,
                            order=parcel.order,
                            location=parcel.location,
                            route="r",
                            dispatched_at=told.time,
                        ),
                    )
                case AllocationCancelRequested() as parcel:
                    self._reply(
                        parcel.shard,
                        told.time,
                        AllocationWithdrawn(
                            allocation=parcel.allocation,
                            order=parcel.order,
                            location=parcel.location,
                            withdrawn_at=told.time,
                        ),
                    )

    def _reply(
        self, shard: int, at: datetime, answer: ShipmentDispatched | AllocationWithdrawn
    ) -> None:
        """Answer once for each parcel: what has left is not given back."""
        if answer.allocation in self._replied:
            return
        self._replied.add(answer.allocation)
        identity = derive_id(WAREHOUSE, answer.allocation)
        sent = message(answer, time=at, message_id=identity, source=WAREHOUSE)
        self._answers.append((shard, sent))


async def _cancel(tasks: Sequence["asyncio.Task[None]"]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
