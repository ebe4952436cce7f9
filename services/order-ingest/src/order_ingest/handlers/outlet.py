"""The one way out: to Kafka, or to a spool in PostgreSQL while Kafka is away, in one order."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import structlog

from order_ingest.handlers.gathered import Gathered
from restock_common import telemetry, tracing
from restock_common.errors import Transient
from restock_common.kafka import Producer
from restock_common.transact import Outgoing

log = structlog.get_logger()

FEW = 1_000
"""So few records are waited for, so that what comes next need not be spooled behind them."""

_LOOK_AGAIN_S = 0.02
_DRAIN_PATIENCE_S = 5.0
"""Much shorter than others wait before they believe that whoever drains has gone."""


@dataclass(frozen=True, slots=True)
class Spooled:
    """What lies in the spool.

    Attributes:
        rows: How many records.
        first: The first one's sequence; None where there is none.
        oldest_s: How long the first one has waited.
        beat: When it was last said that something may still arrive from here; None where it cannot.
        doubted: Whether something may still arrive from another replica.
    """

    rows: int = 0
    first: int | None = None
    oldest_s: float = 0.0
    beat: datetime | None = None
    doubted: bool = False


@dataclass(frozen=True, slots=True)
class Head:
    """The first of what is spooled, in the hands of the only replica that may publish.

    Attributes:
        entries: The records, in their order.
        places: Their sequences.
        beat: What was said when it was claimed.
    """

    entries: Sequence[Outgoing]
    places: Sequence[int]
    beat: datetime


class Spool(Protocol):
    """Keeps what Kafka does not take now; `store.PostgresSpool`."""

    async def is_empty(self) -> bool:
        """Return whether nothing is spooled, and nothing may arrive from another replica."""

    async def look(self) -> Spooled:
        """Return what lies there; forget what replicas doubted that have gone."""

    async def add(self, entries: Sequence[Outgoing], *, doubting: bool) -> None:
        """Append records; returns once they are committed. Raises Transient.

        Args:
            entries: The records, in their order.
            doubting: Whether something may still arrive from here, said in the same transaction.
        """

    async def doubt(self) -> None:
        """Say that something may still arrive from here."""

    async def settle(self, beat: datetime) -> None:
        """Doubt no more, unless that was said again after this."""

    async def claim(self) -> Head | None:
        """Say that something may arrive from here, and return the first records.

        None where another replica doubts. Once this has returned, no other publishes. To be called
        where nothing is unsettled.
        """

    async def remove(self, head: Head, *, settled: bool) -> None:
        """Delete records that Kafka has; where all is settled, doubt no more."""


class Outlet:
    """Publishes what the doors take; what Kafka does not acknowledge soon is spooled.

    Invariant: what is put after another put has returned comes after it on each partition, through
    whichever replica. While anything is spooled, or may still arrive from another replica, all goes
    through the spool, on all replicas: each publication looks there first, behind the moment at
    which its request came in. Who drains has said before that something may arrive from it.

    Args:
        producer: What events are published with.
        spool: Where they go while Kafka is away.
        patience_s: How long Kafka's next acknowledgement is waited for, however much is published.

    Attributes:
        spooled: What lay in the spool when it was last looked at.
    """

    def __init__(self, producer: Producer, spool: Spool, *, patience_s: float) -> None:
        self._producer = producer
        self._spool = spool
        self._patience_s = patience_s
        self._gathered = Gathered(self._put_all)
        self._diverted = False
        self.spooled = Spooled()

    @property
    def diverted(self) -> bool:
        """Whether all goes to the spool, without asking Kafka first."""
        return self._diverted

    async def is_clear(self) -> bool:
        """Return whether all that was taken is in Kafka. Raises Transient."""
        return not self._diverted and await self._spool.is_empty()

    async def put(self, entries: Sequence[Outgoing]) -> None:
        """Return once the records are durable: in Kafka, or in the spool. Raises Transient."""
        await self._gathered(entries)

    async def put_in_kafka(self, entries: Sequence[Outgoing]) -> None:
        """Return once Kafka has the records: for what is not worth keeping. Raises Transient."""
        if self._diverted or not await self._spool.is_empty():
            raise Transient("what came before waits in the spool")
        if not await self._publish(entries):
            raise Transient(f"Kafka has not acknowledged within {self._patience_s:g} s")

    async def drain(self) -> bool:
        """Bring what is spooled to Kafka, some of it; return whether there is more to do at once.

        Where something may still arrive that was given up, it is waited for: whatever follows it
        must not be overtaken. Raises Transient where PostgreSQL is away.
        """
        before, self.spooled = self.spooled, await self._spool.look()
        telemetry.SPOOLED.set(self.spooled.rows)
        telemetry.SPOOL_AGE.set(self.spooled.oldest_s)
        if self._producer.unsettled:
            await self._spool.doubt()
            return False
        if self.spooled.beat is not None:
            await self._spool.settle(self.spooled.beat)
        if not (self.spooled.rows or self.spooled.doubted):
            self._divert(False)
            return False
        drained = await self._drain_some()
        left = self.spooled.rows - drained
        by_another = before.first is not None and before.first < (self.spooled.first or 0)
        if (drained or by_another) and left <= FEW:
            self._divert(False)
        return drained > 0

    async def _put_all(self, entries: list[Outgoing]) -> list[None]:
        if not await self._put_directly(entries):
            await self._spool.add(entries, doubting=self._producer.unsettled)
            telemetry.SPOOL_IN.inc(len(entries))
        return [None] * len(entries)

    async def _put_directly(self, entries: list[Outgoing]) -> bool:
        """Publish unless that has to wait for what is spooled; return whether it was done."""
        if self._diverted:
            return False
        deadline = time.monotonic() + self._patience_s
        while not await self._spool.is_empty():
            if self._diverted or time.monotonic() > deadline:
                self._divert(True)
                return False
            await asyncio.sleep(_LOOK_AGAIN_S)
        return await self._publish(entries)

    async def _publish(self, entries: Sequence[Outgoing]) -> bool:
        """Publish; give up, and turn to the spool, where for a while nothing is acknowledged."""
        clock = asyncio.get_running_loop().time
        started = time.monotonic()
        try:
            async with asyncio.timeout(self._patience_s) as limit:
                await self._producer.publish(
                    entries, acknowledged=lambda: limit.reschedule(clock() + self._patience_s)
                )
        except TimeoutError:
            self._divert(True)
            return False
        telemetry.PUBLISHED.inc(len(entries))
        telemetry.PUBLISH_SECONDS.observe(time.monotonic() - started)
        tracing.sent(started, ((one.topic, tracing.traceparent_of(one.headers)) for one in entries))
        return True

    async def _drain_some(self) -> int:
        """Publish the first of what is spooled, and delete it; return how many records."""
        head = await self._spool.claim()
        if head is None:
            return 0
        try:
            async with asyncio.timeout(_DRAIN_PATIENCE_S):
                await self._producer.publish(head.entries)
        except TimeoutError:
            return 0
        await self._spool.remove(head, settled=not self._producer.unsettled)
        telemetry.SPOOL_OUT.inc(len(head.entries))
        return len(head.entries)

    def _divert(self, diverted: bool) -> None:
        if diverted != self._diverted:
            log.warning("spool_diverted" if diverted else "spool_passed", rows=self.spooled.rows)
        self._diverted = diverted
        telemetry.DIVERTED.set(diverted)
