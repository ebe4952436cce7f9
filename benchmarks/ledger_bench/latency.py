"""How soon stock is reserved, or a late entry booked, while they come evenly."""

import asyncio
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Self

from ledger_bench.load import Sent
from restock_common.contracts.stock import StockEvent
from restock_common.contracts.topics import STOCK
from restock_common.kafka import Producer, Tail
from restock_common.settings import KafkaSettings

_TICK_S = 0.005
_PATIENCE_S = 120.0


class Answers:
    """Follows restock.stock.v1 and notes when what a message asked for has been read.

    Told from the headers alone: the type of the event, and the id of the message that caused it.

    Args:
        kafka: How to reach the broker.
        answer: The event that there is one of for each line of a message.
        from_end: Whether only what is yet to come counts.

    Attributes:
        lines: How many lines have been answered, by the message's id.
        read_at: When the last of them was read.
    """

    def __init__(
        self, kafka: KafkaSettings, answer: type[StockEvent], *, from_end: bool = False
    ) -> None:
        self._tail = Tail(kafka, STOCK, from_end=from_end)
        self._answer = answer.type_name().encode()
        self._task: asyncio.Task[None] | None = None
        self.lines: Counter[str] = Counter()
        self.read_at: dict[str, float] = {}

    async def __aenter__(self) -> Self:
        """Read what is there, and go on."""
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
        """Return how many messages have not been answered, each line once; lines by message."""
        return sum(self.lines[one] != wanted for one, wanted in lines.items())

    async def _read(self) -> None:
        async for record in self._tail.records():
            named = dict(record.headers)
            if named["ce_type"] == self._answer:
                cause = named["ce_causationid"].decode()
                self.lines[cause] += 1
                self.read_at[cause] = time.monotonic()


async def measure_latency(
    producer: Producer, answers: Answers, messages: Sequence[Sent], rate: float
) -> list[float]:
    """Publish messages evenly at a rate; return the milliseconds of each, ascending.

    Counted from the moment that a message is handed to the producer, before the broker has
    acknowledged it, until the last of its answers has been read. One request is under way at a
    time: handed over every few milliseconds whatever is under way, they queue in the sender.
    """
    lines = {one.id: one.lines for one in messages}
    sent_at: dict[str, float] = {}
    began, sent = time.monotonic(), 0
    while sent < len(messages):
        now = time.monotonic()
        due = min(len(messages), int(rate * (now - began)))
        if due > sent:
            some = messages[sent:due]
            sent_at.update((one.id, now) for one in some)
            await producer.publish([one.record for one in some])
            sent = due
        await asyncio.sleep(_TICK_S)
    async with asyncio.timeout(_PATIENCE_S):
        while answers.missing(lines):  # noqa: ASYNC110 - read by another task
            await asyncio.sleep(0.1)
    return sorted((answers.read_at[one] - at) * 1000 for one, at in sent_at.items())
