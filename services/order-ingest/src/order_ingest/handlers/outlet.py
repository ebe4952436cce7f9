"""The one way out: to Kafka, or to a spool in PostgreSQL while Kafka is away, in one order."""

import asyncio
import time
from collections.abc import Collection, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

import structlog

from order_ingest.handlers.gathered import Gathered
from restock_common import telemetry
from restock_common.errors import Transient
from restock_common.kafka import Producer
from restock_common.transact import Outgoing, Partition

log = structlog.get_logger()

FEW = 1_000
"""So few records are waited for, so that what comes next need not be spooled behind them."""

_LOOK_AGAIN_S = 0.02
_DRAIN_PATIENCE_S = 30.0
"""Nobody waits for an answer, and what was given up has to be waited for and sent again."""


@dataclass(frozen=True, slots=True)
class Spooled:
    """What lies in the spool.

    Attributes:
        rows: How many records.
        first: The first one's sequence; None where there is none.
        oldest_s: How long the first one has waited.
    """

    rows: int = 0
    first: int | None = None
    oldest_s: float = 0.0


class Draining(Protocol):
    """The head of the spool, in the hands of the only drainer."""

    @property
    def entries(self) -> Sequence[Outgoing]:
        """The first records, in their order."""

    async def remove(self) -> None:
        """Delete them: Kafka has them."""

    async def doubt(self, partitions: Collection[Partition]) -> None:
        """Note where something may still arrive from here."""


class Spool(Protocol):
    """Keeps what Kafka does not take now; `store.PostgresSpool`."""

    async def is_empty(self) -> bool:
        """Return whether nothing is spooled, by any replica."""

    async def look(self) -> Spooled:
        """Return what lies there."""

    async def add(self, entries: Sequence[Outgoing], doubted: Collection[Partition]) -> None:
        """Append records; returns once they are committed. Raises Transient.

        Args:
            entries: The records, in their order.
            doubted: Where something may still arrive from here, noted in the same transaction.
        """

    async def doubt(self, partitions: Collection[Partition]) -> None:
        """Say again where something may still arrive from here; nowhere else, from now on."""

    def drain(self) -> AbstractAsyncContextManager[Draining | None]:
        """Take the first records in hand; None where another drainer is at work."""


class Outlet:
    """Publishes what the doors take; what Kafka does not acknowledge soon is spooled.

    Invariant: what is put after another put has returned comes after it on each partition, through
    whichever replica. While anything is spooled, all goes through the spool, on all replicas: each
    publication looks at the spool first, behind the moment at which its request came in.

    Args:
        producer: What events are published with.
        spool: Where they go while Kafka is away.
        patience_s: How long Kafka's acknowledgement is waited for.

    Attributes:
        spooled: What lay in the spool when it was last looked at.
    """

    def __init__(self, producer: Producer, spool: Spool, *, patience_s: float) -> None:
        self._producer = producer
        self._spool = spool
        self._patience_s = patience_s
        self._gathered = Gathered(self._put_all)
        self._diverted = False
        self._doubting = False
        self.spooled = Spooled()

    @property
    def diverted(self) -> bool:
        """Whether all goes to the spool, without asking Kafka first."""
        return self._diverted

    async def put(self, entries: Sequence[Outgoing]) -> None:
        """Return once the records are durable: in Kafka, or in the spool. Raises Transient."""
        await self._gathered(entries)

    async def put_in_kafka(self, entries: Sequence[Outgoing]) -> None:
        """Return once Kafka has the records: for what is not worth keeping. Raises Transient."""
        if self._diverted or not await self._spool.is_empty():
            raise Transient("what came before waits in the spool")
        if not await self._publish(entries, self._patience_s):
            raise Transient(f"Kafka has not acknowledged within {self._patience_s:g} s")

    async def drain(self) -> bool:
        """Bring what is spooled to Kafka, some of it; return whether there is more to do at once.

        Where something may still arrive that was given up, it is waited for: whatever follows it
        must not be overtaken. Raises Transient where PostgreSQL is away.
        """
        before, self.spooled = self.spooled, await self._spool.look()
        telemetry.SPOOLED.set(self.spooled.rows)
        telemetry.SPOOL_AGE.set(self.spooled.oldest_s)
        unsettled = self._producer.unsettled
        if unsettled or self._doubting:
            await self._spool.doubt(unsettled)
            self._doubting = bool(unsettled)
        if unsettled:
            return False
        if self.spooled.rows == 0:
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
            unsettled = self._producer.unsettled
            self._doubting |= bool(unsettled)
            await self._spool.add(entries, unsettled)
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
        return await self._publish(entries, self._patience_s)

    async def _publish(self, entries: Sequence[Outgoing], patience_s: float) -> bool:
        try:
            async with asyncio.timeout(patience_s):
                await self._producer.publish(entries)
        except TimeoutError:
            self._divert(True)
            return False
        return True

    async def _drain_some(self) -> int:
        """Publish the first of what is spooled, and delete it; return how many records."""
        async with self._spool.drain() as draining:
            if draining is None or not draining.entries:
                return 0
            if not await self._publish(draining.entries, _DRAIN_PATIENCE_S):
                self._doubting = True
                await draining.doubt(self._producer.unsettled)
                return 0
            await draining.remove()
        telemetry.SPOOL_OUT.inc(len(draining.entries))
        return len(draining.entries)

    def _divert(self, diverted: bool) -> None:
        if diverted != self._diverted:
            log.warning("spool_diverted" if diverted else "spool_passed", rows=self.spooled.rows)
        self._diverted = diverted
        telemetry.DIVERTED.set(diverted)
