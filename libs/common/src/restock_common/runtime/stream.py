"""Reads topics for one application: a transaction a batch, one writer a partition."""

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Generic, TypeVar

import structlog

from restock_common import telemetry, tracing
from restock_common.contracts.envelope import Message, Record
from restock_common.contracts.event import Event
from restock_common.contracts.topics import Topic
from restock_common.errors import Fenced, Transient
from restock_common.kafka import Consumer, Producer, first_record, log_bounds, partition_of
from restock_common.postgres import Connection, PostgresInbox
from restock_common.runtime.component import Progress
from restock_common.runtime.counting import count
from restock_common.runtime.delay import Delay
from restock_common.runtime.garbage import uncollected
from restock_common.runtime.relay import Relay
from restock_common.settings import KafkaSettings
from restock_common.transact import (
    Application,
    Cursor,
    JournalEntry,
    Outcome,
    Partition,
    Writer,
    act,
    check_log,
    log_identity,
    transact,
)

log = structlog.get_logger()
StateT = TypeVar("StateT")

_RETRY_S = 0.2
_LONGEST_RETRY_S = 5.0
_COMMIT_EVERY_S = 1.0
_DRAIN_S = 5.0


class Stream(Generic[StateT]):
    """A service's stream in: the loop around `transact`, and the relay of what it decides.

    Args:
        service: The service's name, also its consumer group.
        kafka: How to reach the broker.
        inbox: Cursors, state and journal.
        producer: What the journal is published with; started before, stopped after this.
        application: How records are read, loaded for, decided and saved.
        topics: What is read.
        max_records: The largest batch of one transaction.
        linger_ms: How long to wait after a batch at most, so that the next one is larger; never
            longer than the batch took, so that a quiet stream answers at once.
        concurrent: Whether partitions are worked on side by side; only where they share no rows.
    """

    def __init__(
        self,
        *,
        service: str,
        kafka: KafkaSettings,
        inbox: PostgresInbox,
        producer: Producer,
        application: Application[Connection, StateT],
        topics: Sequence[Topic],
        max_records: int = 1000,
        linger_ms: int = 0,
        concurrent: bool = False,
    ) -> None:
        self._kafka = kafka
        self._inbox = inbox
        self._producer = producer
        self._application = application
        self._writer = Writer(
            service, partition_of, tracing.decision_span, kafka.dead_letter_seal()
        )
        self._max_records = max_records
        self._linger_s = linger_ms / 1000
        self._concurrent = concurrent
        self._consumer = Consumer(
            kafka, topics, f"restock-{service}", self._assigned, self._revoked, self._halt
        )
        self._cursors: dict[Partition, Cursor] = {}
        self._delay = Delay(self._consumer.group)
        self._relays: dict[Partition, Relay] = {}
        self._locks: dict[Partition, asyncio.Lock] = {}
        self._halted: dict[Partition, str] = {}
        self._lost: dict[Partition, str] = {}
        self._fetched_again: dict[Partition, int] = {}
        self._failures: dict[Partition, int] = {}
        self._joined = False
        self._taking_over: asyncio.Task[None] | None = None
        self._stopping = False
        self._task: asyncio.Task[None] | None = None
        self._committed_at = 0.0
        self._unpublished = 0
        self.committed: Callable[[Sequence[JournalEntry]], None] = lambda _: None
        """Told of each journal that was committed, for what is counted of it."""
        self.advanced = asyncio.Event()
        """Set after each batch: what waits for a watermark looks again."""
        telemetry.READERS.add(self)
        for topic in topics:  # a count that is not there yet cannot be seen to rise
            telemetry.RECORDS.labels(topic.name, "dead_letter")

    @property
    def owned(self) -> frozenset[Partition]:
        """The partitions that this process writes for."""
        return frozenset(self._cursors)

    async def start(self) -> None:
        """Join the group and begin to read."""
        await self._consumer.start()
        self._task = asyncio.create_task(self._run(), name="stream")

    async def stop(self) -> None:
        """Finish the batch, publish its events, commit, leave the group."""
        self._stopping = True
        if self._task is None:
            return
        await asyncio.gather(self._task, return_exceptions=True)
        await self._stop_taking_over()
        await asyncio.gather(*(relay.stop(patience_s=_DRAIN_S) for relay in self._relays.values()))
        await self._commit()
        await self._consumer.stop()

    def not_ready(self) -> str | None:
        """Return why records do not flow."""
        if self._halted:
            return f"halted: {self._halted}"
        if self._lost:
            return f"fenced: {'; '.join(self._lost.values())}"
        if self._taking_over is not None and not self._taking_over.done():
            return "partitions are being taken over"
        return None if self._joined else "no partitions assigned yet"

    def dead(self) -> str | None:
        """Return what ended the loop, if it has ended by itself."""
        if self._task is not None and self._task.done() and not self._stopping:
            return f"the stream ended: {self._task.exception()!r}"
        return next((reason for relay in self._relays.values() if (reason := relay.dead())), None)

    async def progress(self) -> Progress:
        """Return the next offset of each owned partition, and what is on its way out."""
        offsets: dict[str, dict[int, int]] = {}
        for partition, cursor in list(self._cursors.items()):
            offsets.setdefault(partition.topic, {})[partition.number] = cursor.next_offset
        return Progress(offsets, sum(relay.unpublished for relay in self._relays.values()))

    def behind(self) -> Iterable[telemetry.Behind]:
        """Return how far each owned partition is behind its end."""
        return self._delay.behind(time.time(), self._cursors, self._consumer.end)

    async def act(self, partition: Partition, messages: Sequence[Message[Event]]) -> Outcome:
        """Decide messages that come from within, on a partition that this process owns.

        Raises:
            Fenced: The partition is not, or no longer, ours.
            Transient: The database went away; whether it was kept is not known.
            Permanent: A message was refused.
        """
        cursor = self._cursors.get(partition)
        if cursor is None:
            raise Fenced(f"{partition.topic}/{partition.number} is not owned here")
        async with self._locks[partition]:
            try:
                outcome = await act(
                    self._inbox, self._application, self._writer, partition, cursor.epoch, messages
                )
            except Fenced:
                raise
            except Transient:
                await self._resync(cursor)
                raise
            await self._keep(outcome)
        return outcome

    async def _run(self) -> None:
        while not self._stopping:
            try:
                batches = await self._consumer.fetch(max_records=self._max_records, wait_ms=100)
            except Exception as error:  # noqa: BLE001 - aiokafka raises many kinds; all are retried
                log.warning("fetch_retry", error=repr(error))
                await asyncio.sleep(_RETRY_S)
                continue
            began = time.monotonic()
            with uncollected():
                taking = [self._take(partition, records) for partition, records in batches.items()]
                if self._concurrent:
                    await asyncio.gather(*taking)
                else:
                    for one in taking:
                        await one
            if batches:
                self.advanced.set()
                await asyncio.sleep(min(self._linger_s, time.monotonic() - began))
            self._delay.caught_up(time.time(), self._cursors, self._consumer.end)
            if time.monotonic() - self._committed_at >= _COMMIT_EVERY_S:
                await self._commit()

    async def _take(self, partition: Partition, records: Sequence[Record]) -> None:
        """Take one batch of one partition; on a failure, go back to where the database stands."""
        cursor = self._cursors.get(partition)
        if cursor is None or partition in self._halted:
            return
        if self._steps_over(cursor, records):
            return
        relay = self._relays[partition]  # it may be gone when the lock is ours
        async with self._locks[partition]:
            started = time.monotonic()
            try:
                outcome = await transact(
                    self._inbox,
                    self._application,
                    self._writer,
                    partition,
                    cursor.epoch,
                    records,
                    published=relay.published,
                )
            except Fenced as error:
                await self._fenced(cursor, error)
            except Transient as error:
                log.warning("batch_retry", partition=str(partition), error=str(error))
                await asyncio.sleep(self._backoff_s(partition))
                await self._resync(cursor)
            except Exception as error:  # noqa: BLE001 - a bug: this partition halts with an alarm
                self._halt(partition, error)
            else:
                self._failures.pop(partition, None)
                telemetry.BATCH_SECONDS.labels(partition.topic).observe(time.monotonic() - started)
                handled = (message.traceparent for message in outcome.handled)
                tracing.received(partition.topic, started, handled)
                count(partition, outcome)
                if outcome.handled:
                    self._delay.took(partition, outcome.handled[-1].time.timestamp())
                await self._keep(outcome)

    def _backoff_s(self, partition: Partition) -> float:
        """Return the pause before a batch is tried again: twice as long after each failure."""
        failures = self._failures.get(partition, 0)
        self._failures[partition] = failures + 1
        return float(min(_RETRY_S * 2 ** min(failures, 10), _LONGEST_RETRY_S))

    def _steps_over(self, cursor: Cursor, records: Sequence[Record]) -> bool:
        """Fetch again, once, where a batch begins beyond the cursor.

        A log may have holes (a storefront's transaction markers), but a fetch that went astray
        must never move the cursor past records that nobody has read.
        """
        partition, expected = cursor.partition, cursor.next_offset
        if records[0].offset <= expected or self._fetched_again.get(partition) == expected:
            return False
        log.warning("fetched_beyond", at=str(partition), expected=expected, got=records[0].offset)
        self._fetched_again[partition] = expected
        self._consumer.seek(partition, expected)
        return True

    async def _keep(self, outcome: Outcome) -> None:
        self.committed(outcome.journal)
        partition = outcome.cursor.partition
        if self._holds(outcome.cursor):
            self._cursors[partition] = outcome.cursor
            await self._relays[partition].put(outcome.journal, outcome.cursor)

    async def _resync(self, used: Cursor) -> None:
        """Read the cursor again: a commit whose answer was lost may have moved it.

        Nothing is done where the partition has gone, or come back under a newer epoch, meanwhile.
        """
        partition = used.partition
        while not self._stopping and self._holds(used):
            try:
                found = await self._inbox.cursor(partition)
            except Transient as error:
                log.warning("database_away", error=str(error))
                await asyncio.sleep(_RETRY_S)
                continue
            if found.epoch != used.epoch:
                place = f"{partition.topic}/{partition.number}"
                await self._fenced(
                    used, Fenced.taken_over(place, found=found.epoch, ours=used.epoch)
                )
            elif self._holds(used):
                self._cursors[partition] = found
                self._relays[partition].reload(found)
                self._consumer.seek(partition, found.next_offset)
            return

    def _holds(self, used: Cursor) -> bool:
        """Return whether a cursor's partition is still ours, by the same epoch."""
        current = self._cursors.get(used.partition)
        return current is not None and current.epoch == used.epoch

    async def _fenced(self, used: Cursor, error: Fenced) -> None:
        """Let a partition go, unless it has come back to us under a newer epoch meanwhile.

        This process writes to it no more, and is not ready, until its group gives it the partition
        anew. It does not end, since whatever starts it again would have it take the partition
        back: two processes that are in each other's way would then end each other for ever.
        """
        if not self._holds(used):
            return
        partition = used.partition
        log.error("fenced", topic=partition.topic, partition=partition.number, reason=str(error))
        self._lost[partition] = str(error)
        telemetry.FENCED.labels(partition.topic, partition.number).set(1)
        await self._forget(partition)

    def _halt(self, partition: Partition, error: Exception) -> None:
        self._halted[partition] = repr(error)
        self._consumer.pause(partition)
        telemetry.HALTED.labels(partition.topic, partition.number).set(1)
        log.error("partition_halted", partition=str(partition), exc_info=error)

    async def _forget(self, partition: Partition) -> None:
        self._cursors.pop(partition, None)
        self._consumer.pause(partition)
        relay = self._relays.pop(partition, None)
        if relay is not None:
            await relay.stop(patience_s=0)

    def _assigned(self, partitions: list[Partition]) -> None:
        """Take partitions over beside the group's heartbeats: that may have to wait for long."""
        self._joined = True
        self._taking_over = asyncio.create_task(self._take_over(partitions), name="take over")

    async def _take_over(self, partitions: Sequence[Partition]) -> None:
        for partition in partitions:
            try:
                cursor = await self._taken_over(partition)
            except Exception as error:  # noqa: BLE001 - a foreign log or a bug: an alarm
                self._halt(partition, error)
                continue
            self._locks[partition] = asyncio.Lock()
            self._cursors[partition] = cursor
            source = self._writer.source(partition)
            self._relays[partition] = Relay(self._inbox, self._producer, source, cursor)
            self._consumer.start_from(partition, cursor.next_offset)
            telemetry.HALTED.labels(partition.topic, partition.number).set(0)
            telemetry.FENCED.labels(partition.topic, partition.number).set(0)
        log.info("assigned", partitions=[f"{p.topic}/{p.number}" for p in partitions])

    async def _taken_over(self, partition: Partition) -> Cursor:
        """Become a partition's writer, and check its log against the cursor; return that."""
        while True:
            try:
                cursor = await self._inbox.take_over(partition)
                await self._check(cursor)
            except Transient as error:
                log.warning("take_over_retry", partition=str(partition), error=str(error))
                await asyncio.sleep(_RETRY_S)
            else:
                return cursor

    async def _stop_taking_over(self) -> None:
        if self._taking_over is not None:
            self._taking_over.cancel()
            await asyncio.gather(self._taking_over, return_exceptions=True)

    async def _check(self, cursor: Cursor) -> None:
        partition = cursor.partition
        if cursor.next_offset == 0:
            return
        begin, end = (await log_bounds(self._kafka, [partition]))[partition]
        identity = None
        if begin == 0 and end > 0:
            first = await first_record(self._kafka, partition)
            identity = log_identity(first) if first is not None else None
        check_log(cursor, begin=begin, end=end, identity=identity)

    async def _revoked(self, partitions: list[Partition]) -> None:
        await self._stop_taking_over()
        for partition in partitions:
            self._halted.pop(partition, None)
            if self._lost.pop(partition, None):
                telemetry.FENCED.labels(partition.topic, partition.number).set(0)
            await self._forget(partition)

    async def _commit(self) -> None:
        self._committed_at = time.monotonic()
        await self._consumer.commit(
            {partition: cursor.next_offset for partition, cursor in self._cursors.items()}
        )
        unpublished = sum(relay.unpublished for relay in self._relays.values())
        telemetry.UNPUBLISHED.inc(unpublished - self._unpublished)  # a process may run two streams
        self._unpublished = unpublished
