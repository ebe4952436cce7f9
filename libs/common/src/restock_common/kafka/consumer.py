"""Reading as a member of a group, from offsets that the reader's own database keeps."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError

from restock_common import telemetry
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

Assigned = Callable[[list[Partition]], None]
Revoked = Callable[[list[Partition]], Awaitable[None]]
Unreadable = Callable[[Partition, Exception], None]

_RETRY_S = 0.2
_APART_WAIT_MS = 50
_COMMIT_S = 1.0


class Consumer(ConsumerRebalanceListener):  # type: ignore[misc]
    """Reads the partitions that its group gives it, from offsets that its owner keeps.

    Args:
        settings: How to reach the broker.
        topics: What is read.
        group: Members of one group share the partitions.
        on_assigned: Told of new partitions; each stays paused until `start_from` says where it
            begins. It returns at once: the client sends no heartbeat while it is under way.
        on_revoked: Told before partitions go to another member; must not wait for a fetch.
        on_unreadable: Told where the next record is none that the client can read; it pauses the
            partition.

    Attributes:
        group: As given.
    """

    def __init__(
        self,
        settings: KafkaSettings,
        topics: Sequence[Topic],
        group: str,
        on_assigned: Assigned,
        on_revoked: Revoked,
        on_unreadable: Unreadable,
    ) -> None:
        self._topics = [topic.name for topic in topics]
        self._settings = settings
        self.group = group
        self._on_assigned = on_assigned
        self._on_revoked = on_revoked
        self._on_unreadable = on_unreadable
        self._client: Any = None
        self._next: dict[TopicPartition, int] = {}

    async def start(self) -> None:
        """Join the group. Raises Transient where the broker does not answer."""
        self._client = AIOKafkaConsumer(
            **client_options(self._settings),
            group_id=self.group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            session_timeout_ms=self._settings.kafka_session_timeout_ms,
            heartbeat_interval_ms=self._settings.kafka_session_timeout_ms // 4,
            max_poll_interval_ms=300_000,
            fetch_max_wait_ms=50,
            max_partition_fetch_bytes=MAX_REQUEST_BYTES,
        )
        self._client.subscribe(self._topics, listener=self)
        try:
            await self._client.start()
        except KafkaError as error:
            await stop_client(self._client)
            raise Transient(f"Kafka does not answer: {error!r}") from error

    async def stop(self) -> None:
        """Leave the group."""
        if self._client is not None:
            await stop_client(self._client)

    async def fetch(self, *, max_records: int, wait_ms: int) -> dict[Partition, list[Record]]:
        """Return what has come, by partition, in offset order; empty after `wait_ms`.

        Before a partition is paused, the client may have fetched from where the group's commits
        stand; that is not where its owner starts, so it is dropped.
        """
        try:
            fetched = await self._client.getmany(timeout_ms=wait_ms, max_records=max_records)
        except Exception as error:  # noqa: BLE001 - aiokafka raises what its decoding raises
            telemetry.KAFKA_RETRIES.labels("fetch").inc()
            log.warning("fetch_retry", error=repr(error))
            await asyncio.sleep(_RETRY_S)
            fetched = await self._fetch_apart(max_records)
        held = {tp: raws for tp, raws in fetched.items() if tp in self._next}
        self._next.update({tp: raws[-1].offset + 1 for tp, raws in held.items()})
        return {
            Partition(tp.topic, tp.partition): [as_record(raw) for raw in raws]
            for tp, raws in held.items()
        }

    async def _fetch_apart(self, max_records: int) -> dict[TopicPartition, list[Any]]:
        """Fetch again from where each partition stands, one record at a time.

        A fetch that fails has moved on past what it had already taken from other partitions, and
        from this one before the record that it cannot read: all of that would be lost.
        """
        apart = sorted(self._next.keys() & self._client.assignment())
        for tp in apart:
            self._client.seek(tp, self._next[tp])
        fetched: dict[TopicPartition, list[Any]] = {}
        for tp in apart:
            raws: list[Any] = []
            try:
                while len(raws) < max_records and (
                    one := await self._client.getmany(tp, timeout_ms=_APART_WAIT_MS, max_records=1)
                ):
                    raws += one[tp]
            except KafkaError as error:
                log.warning("fetch_retry", partition=str(tp), error=repr(error))
            except Exception as error:  # noqa: BLE001 - whatever decoding raises
                if not raws:
                    self._on_unreadable(Partition(tp.topic, tp.partition), error)
            if raws:
                fetched[tp] = raws
        return fetched

    async def commit(self, offsets: Mapping[Partition, int]) -> None:
        """Tell the broker how far we are, for its lag figures; the truth is kept by the owner.

        So it is not waited for long: the client would try until a coordinator answers, while the
        partitions themselves may well be there.
        """
        assigned = self._client.assignment()
        known = {as_tp(partition): offset for partition, offset in offsets.items()}
        held = {tp: offset for tp, offset in known.items() if tp in assigned}
        if not held:
            return
        try:
            async with asyncio.timeout(_COMMIT_S):
                await self._client.commit(held)
        except (CommitFailedError, IllegalStateError, KafkaError, TimeoutError) as error:
            log.info("commit_skipped", error=repr(error))

    def end(self, partition: Partition) -> int | None:
        """Return where a partition ended when it was last fetched from; None before that."""
        tp = as_tp(partition)
        if self._client is None or tp not in self._client.assignment():
            return None
        end: int | None = self._client.highwater(tp)
        return end

    def seek(self, partition: Partition, offset: int) -> None:
        """Read on from an offset, unless the partition has gone to another member."""
        tp = as_tp(partition)
        if tp in self._client.assignment():
            self._client.seek(tp, offset)
            self._next[tp] = offset

    def start_from(self, partition: Partition, offset: int) -> None:
        """Begin to read a new partition, unless it has gone to another member."""
        self.seek(partition, offset)
        tp = as_tp(partition)
        if tp in self._client.assignment():
            self._client.resume(tp)

    def pause(self, partition: Partition) -> None:
        """Fetch nothing more from a partition while it stays ours."""
        tp = as_tp(partition)
        if tp in self._client.assignment():
            self._client.pause(tp)

    async def on_partitions_assigned(self, assigned: Sequence[TopicPartition]) -> None:
        """Hold each partition until its owner says where it starts."""
        if assigned:
            self._client.pause(*assigned)
        self._on_assigned([Partition(tp.topic, tp.partition) for tp in assigned])

    async def on_partitions_revoked(self, revoked: Sequence[TopicPartition]) -> None:
        """Tell the owner what goes."""
        for tp in revoked:
            self._next.pop(tp, None)
        await self._on_revoked([Partition(tp.topic, tp.partition) for tp in revoked])
