"""Reading several topics from time to time, without a group and without waiting at their ends."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any, Self

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from restock_common.contracts.envelope import Record
from restock_common.errors import Transient
from restock_common.kafka.client import as_record, as_tp
from restock_common.kafka.logs import LogEnds, Reader
from restock_common.settings import KafkaSettings
from restock_common.transact import Partition


class Sweep:
    """Reads what has come to some partitions, when it is asked to, from their first records on.

    Between two sweeps nothing is fetched: the embedded broker searches all of a log for a fetch
    that waits at its end, so that followers of long logs would cost it more than all else.

    Args:
        settings: How to reach the broker.
        partitions: What is read; everything by one process.
    """

    def __init__(self, settings: KafkaSettings, partitions: Sequence[Partition]) -> None:
        self._partitions = partitions
        self._reader = Reader(settings, fetch_max_wait_ms=1)
        self._ends = LogEnds(settings)
        self._client: Any = None
        self._next = dict.fromkeys(map(as_tp, partitions), 0)
        self._sweeping = asyncio.Lock()

    async def __aenter__(self) -> Self:
        """Connect."""
        await self._ends.__aenter__()
        self._client = await self._reader.__aenter__()
        self._client.assign(list(self._next))
        self._client.pause(*self._next)
        for tp in self._next:
            self._client.seek(tp, 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Disconnect."""
        if self._client is not None:
            await self._reader.__aexit__()
        await self._ends.__aexit__()

    async def some(self) -> AsyncIterator[Record]:
        """Yield some of what has come: what one fetch brings. Raises Transient."""
        async with self._sweeping:
            self._client.resume(*self._next)
            for record in await self._fetch(list(self._next), timeout_ms=50):
                yield record
            self._client.pause(*self._next)

    async def rest(self) -> AsyncIterator[Record]:
        """Yield everything up to where the logs end now. Raises Transient."""
        async with self._sweeping:
            bounds = await self._ends.bounds(self._partitions)
            ends = {as_tp(partition): end for partition, (_, end) in bounds.items()}
            behind = {tp for tp, end in ends.items() if self._next[tp] < end}
            self._client.resume(*behind)
            while behind:
                for record in await self._fetch(list(behind), timeout_ms=200):
                    yield record
                done = {tp for tp in behind if self._next[tp] >= ends[tp]}
                self._client.pause(*done)
                behind -= done

    async def _fetch(self, tps: Sequence[TopicPartition], *, timeout_ms: int) -> list[Record]:
        try:
            fetched = await self._client.getmany(*tps, timeout_ms=timeout_ms, max_records=5000)
        except KafkaError as error:
            raise Transient(f"Kafka does not answer: {error!r}") from error
        self._next.update({tp: raws[-1].offset + 1 for tp, raws in fetched.items()})
        return [as_record(raw) for raws in fetched.values() for raw in raws]
