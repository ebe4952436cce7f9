"""Looking at logs without a group: where they begin and end, and what is in them."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from restock_common.contracts.envelope import Record
from restock_common.contracts.topics import Topic
from restock_common.errors import Transient
from restock_common.kafka.client import (
    MAX_REQUEST_BYTES,
    as_record,
    as_tp,
    client_options,
    stop_client,
)
from restock_common.settings import KafkaSettings
from restock_common.transact import Partition

log = structlog.get_logger()


class Tail:
    """Follows one topic, alone: every process reads all of it.

    Args:
        settings: How to reach the broker.
        topic: What is followed.
        idle_ms: How long the broker may hold an empty fetch back. Apache Kafka answers at once when
            something comes, the embedded one only then: more means fewer fetches there, and later.
        from_end: Leave out what is there at start.
    """

    def __init__(
        self, settings: KafkaSettings, topic: Topic, *, idle_ms: int = 50, from_end: bool = False
    ) -> None:
        self._settings = settings
        self._from_end = from_end
        self._partitions = [Partition(topic.name, number) for number in range(topic.partitions)]
        self._reader = Reader(settings, fetch_max_wait_ms=idle_ms)
        self._client: Any = None
        self._ends: dict[int, int] = {}
        self.next_offsets: dict[int, int] = {}
        self.caught_up = asyncio.Event()

    async def start(self) -> None:
        """Note where the topic ends now. Raises Transient where the broker does not answer."""
        try:
            bounds = await log_bounds(self._settings, self._partitions)
            self._client = await self._reader.__aenter__()
        except KafkaError as error:
            raise Transient(f"Kafka does not answer: {error!r}") from error
        self._client.assign([as_tp(partition) for partition in self._partitions])
        for partition, (begin, end) in bounds.items():
            first = end if self._from_end else begin
            self._client.seek(as_tp(partition), first)
            self.next_offsets[partition.number] = first
            self._ends[partition.number] = end
        self._look()

    async def stop(self) -> None:
        """Disconnect."""
        if self._client is not None:
            await stop_client(self._client)

    async def records(self) -> AsyncIterator[Record]:
        """Yield every record, for ever; `next_offsets` moves once the caller asks for the next."""
        assert self._client is not None, "the tail has not been started"
        while True:
            try:
                fetched = await self._client.getmany(timeout_ms=200, max_records=5000)
            except KafkaError as error:
                log.warning("fetch_retry", error=repr(error))
                await asyncio.sleep(0.2)
                continue
            for tp, raws in fetched.items():
                for raw in raws:
                    yield as_record(raw)
                    self.next_offsets[tp.partition] = raw.offset + 1
                self._look()

    def _look(self) -> None:
        if all(self.next_offsets[number] >= end for number, end in self._ends.items()):
            self.caught_up.set()


class LogEnds:
    """Tells where logs end, again and again, over one connection, made when it is first asked.

    The embedded broker answers ListOffsets with the first offset of the last batch plus one, so
    the last batch is fetched where it is a new one; on Apache Kafka that gives the same figure.
    It also walks over all of a log to answer, so where logs begin is asked once.
    """

    def __init__(self, settings: KafkaSettings) -> None:
        # A fetch that waits for more would hold up what is asked next on the same connection.
        self._reader = Reader(settings, fetch_max_wait_ms=1)
        self._client: Any = None
        self._begins: dict[TopicPartition, int] = {}
        self._last_batch: dict[TopicPartition, int] = {}
        self._ends: dict[TopicPartition, int] = {}

    async def __aenter__(self) -> "LogEnds":
        """Be ready to ask."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Disconnect."""
        await self.stop()

    async def stop(self) -> None:
        """Disconnect."""
        if self._client is not None:
            await stop_client(self._client)

    async def bounds(self, partitions: Sequence[Partition]) -> dict[Partition, tuple[int, int]]:
        """Return (first offset when first asked, offset after the last record) of each.

        Raises:
            Transient: The broker does not answer.
        """
        if self._client is None:
            self._client = await self._reader.__aenter__()
        tps = [as_tp(partition) for partition in partitions]
        try:
            new = [tp for tp in tps if tp not in self._begins]
            if new:
                self._begins.update(await self._client.beginning_offsets(new))
            listed = await self._client.end_offsets(tps)
            await self._read_last_batches(
                [tp for tp in tps if listed[tp] != self._last_batch.get(tp)], listed
            )
        except KafkaError as error:
            raise Transient(f"Kafka does not answer: {error!r}") from error
        return {Partition(tp.topic, tp.partition): (self._begins[tp], self._ends[tp]) for tp in tps}

    async def _read_last_batches(
        self, changed: Sequence[TopicPartition], listed: Mapping[TopicPartition, int]
    ) -> None:
        assert self._client is not None
        waiting = {tp for tp in changed if listed[tp] > self._begins[tp]}
        self._ends.update({tp: listed[tp] for tp in changed})
        if not waiting <= self._client.assignment():
            # Only where a fetch follows: aiokafka 0.14 loses the cancellation of its fetcher, and
            # so never stops, where it is stopped before it has taken a new assignment up. All at
            # once, paused: each new assignment costs a round of metadata.
            self._client.assign(list(self._begins))
            self._client.pause(*self._begins)
        for tp in waiting:
            self._client.seek(tp, listed[tp] - 1)
            self._client.resume(tp)
        while waiting:
            fetched = await self._client.getmany(*waiting, timeout_ms=200)
            if not fetched:  # deleted meanwhile?
                self._begins.update(await self._client.beginning_offsets(list(waiting)))
                waiting = {tp for tp in waiting if listed[tp] > self._begins[tp]}
            for tp, raws in fetched.items():
                self._ends[tp] = raws[-1].offset + 1
            # Of a partition that nothing has come from, the high-water mark is an old one.
            read = {tp for tp in fetched if self._client.highwater(tp) <= self._ends[tp]}
            self._client.pause(*read)
            waiting -= read
        self._last_batch.update({tp: listed[tp] for tp in changed})


async def log_bounds(
    settings: KafkaSettings, partitions: Sequence[Partition]
) -> dict[Partition, tuple[int, int]]:
    """Return (first offset, offset after the last record) of each partition."""
    async with LogEnds(settings) as ends:
        return await ends.bounds(partitions)


async def first_record(settings: KafkaSettings, partition: Partition) -> Record | None:
    """Return a log's first record; None where there is none."""
    begin, end = (await log_bounds(settings, [partition]))[partition]
    if begin == end:
        return None
    async with Reader(settings) as client:
        client.assign([as_tp(partition)])
        client.seek(as_tp(partition), begin)
        try:
            return as_record(await client.getone())
        except KafkaError as error:
            raise Transient(f"Kafka does not answer: {error!r}") from error


async def read_to_end(
    settings: KafkaSettings, topic: Topic, start: Mapping[int, int] | None = None
) -> AsyncGenerator[Record, None]:
    """Yield every record of a topic up to where it ends now, in order on each partition."""
    partitions = [Partition(topic.name, number) for number in range(topic.partitions)]
    async for record in read_partitions_to_end(settings, partitions, start):
        yield record


async def read_partitions_to_end(
    settings: KafkaSettings, partitions: Sequence[Partition], start: Mapping[int, int] | None = None
) -> AsyncGenerator[Record, None]:
    """Yield every record of some partitions up to where they end now, in order on each.

    Args:
        settings: How to reach the broker.
        partitions: Of one topic.
        start: The first offset that is read, by the partition's number.
    """
    bounds = await log_bounds(settings, partitions)
    async with Reader(settings) as client:
        client.assign([as_tp(partition) for partition in partitions])
        open_until: dict[TopicPartition, int] = {}
        for partition, (begin, end) in bounds.items():
            first = max(begin, (start or {}).get(partition.number, begin))
            client.seek(as_tp(partition), first)
            if first < end:
                open_until[as_tp(partition)] = end
        while open_until:
            for tp, raws in (await client.getmany(timeout_ms=500, max_records=5000)).items():
                for raw in raws:
                    if tp in open_until and raw.offset < open_until[tp]:
                        yield as_record(raw)
            for tp in list(open_until):
                if await client.position(tp) >= open_until[tp]:
                    del open_until[tp]


class Reader:
    """A consumer without a group, for looking at logs."""

    def __init__(self, settings: KafkaSettings, *, fetch_max_wait_ms: int = 50) -> None:
        self._settings = settings
        self._fetch_max_wait_ms = fetch_max_wait_ms
        self._client: Any = None

    async def __aenter__(self) -> Any:
        self._client = AIOKafkaConsumer(
            **client_options(self._settings),
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_partition_fetch_bytes=MAX_REQUEST_BYTES,
            fetch_max_wait_ms=self._fetch_max_wait_ms,
        )
        try:
            await self._client.start()
        except BaseException as error:  # whoever is tired of waiting leaves no client behind either
            await stop_client(self._client)
            if isinstance(error, KafkaError):
                raise Transient(f"Kafka does not answer: {error!r}") from error
            raise
        # aiokafka's own task must have begun: cancelled before that, its end is our CancelledError.
        await asyncio.sleep(0)
        return self._client

    async def __aexit__(self, *_: object) -> None:
        await stop_client(self._client)
