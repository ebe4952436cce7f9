"""How soon an order's stock is reserved while orders come evenly, at a rate that can be kept."""

import asyncio
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Self

from ledger_bench.load import Order
from restock_common.contracts.envelope import Headers
from restock_common.contracts.stock import StockReserved
from restock_common.contracts.topics import STOCK
from restock_common.kafka import Producer, Tail
from restock_common.settings import KafkaSettings

_TICK_S = 0.005
_PATIENCE_S = 120.0
_RESERVED = StockReserved.type_name().encode()


class Reservations:
    """Follows restock.stock.v1 and notes when the reservations of an order have been read.

    Told from the headers alone: the type of the event, and the id of the order that caused it.

    Attributes:
        lines: How many lines have been reserved, by the id of the order's message.
        read_at: When the last of them was read.
    """

    def __init__(self, kafka: KafkaSettings) -> None:
        self._tail = Tail(kafka, STOCK)
        self._task: asyncio.Task[None] | None = None
        self.lines: Counter[str] = Counter()
        self.read_at: dict[str, float] = {}

    async def __aenter__(self) -> Self:
        """Read all that is there, and go on."""
        await self._tail.start()
        self._task = asyncio.create_task(self._read())
        await self._tail.caught_up.wait()
        return self

    async def __aexit__(self, *_: object) -> None:
        """End."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._tail.stop()

    def missing(self, lines: Mapping[str, int]) -> int:
        """Return how many orders have not been reserved, each line once; lines by order."""
        return sum(self.lines[order] != wanted for order, wanted in lines.items())

    async def _read(self) -> None:
        async for record in self._tail.records():
            cause = _reserved_for(record.headers)
            if cause is not None:
                self.lines[cause] += 1
                self.read_at[cause] = time.monotonic()


async def measure_latency(
    producer: Producer, reservations: Reservations, orders: Sequence[Order], rate: float
) -> list[float]:
    """Publish orders evenly at a rate; return the milliseconds of each, ascending.

    Counted from the moment that an order is handed to the producer, before the broker has
    acknowledged it, until the last of its reservations has been read. One request is under way at
    a time: handed over every few milliseconds whatever is under way, orders queue in the sender.
    """
    lines = {order.id: order.lines for order in orders}
    sent_at: dict[str, float] = {}
    began, sent = time.monotonic(), 0
    while sent < len(orders):
        now = time.monotonic()
        due = min(len(orders), int(rate * (now - began)))
        if due > sent:
            some = orders[sent:due]
            sent_at.update((order.id, now) for order in some)
            await producer.publish([order.record for order in some])
            sent = due
        await asyncio.sleep(_TICK_S)
    async with asyncio.timeout(_PATIENCE_S):
        while reservations.missing(lines):  # noqa: ASYNC110 - read by another task
            await asyncio.sleep(0.1)
    return sorted((reservations.read_at[one] - at) * 1000 for one, at in sent_at.items())


def _reserved_for(headers: Headers) -> str | None:
    """Return the id of the order that a reservation was made for; None of any other event."""
    named = dict(headers)
    return named["ce_causationid"].decode() if named["ce_type"] == _RESERVED else None
