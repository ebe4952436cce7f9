"""Demand in through Faust: keyed state in memory, written to its table at checkpoints.

Faust gives the group, the table on RocksDB and its changelog. What it does not give is exactness,
so four things are done here: an event is acknowledged only behind a complete checkpoint, a
checkpoint becomes valid with its last record (see `store`), what lies behind the
partition's offset is skipped, and what was restored is believed only where it adds up (see
`stream.restoring`). Faust's own `take` and plain iteration acknowledge before anything is kept.
"""

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import faust
import structlog
from faust.types import EventT

from forecaster import handlers
from forecaster.domain.state import DEFAULT_LEARNER, PartitionState
from forecaster.stream.faust_app import APP_ID, add_agent, new_app, new_table, record_of
from forecaster.stream.observed import Observed
from forecaster.stream.restoring import Checkpoints, restored
from restock_common import telemetry
from restock_common.contracts.envelope import Message, encode
from restock_common.contracts.event import Event
from restock_common.contracts.forecasts import DemandForecast
from restock_common.contracts.insights import OverrideMeasured
from restock_common.contracts.topics import DEAD_LETTERS, DEMAND, FORECASTS, INSIGHTS
from restock_common.errors import LogMismatch, Permanent
from restock_common.kafka import Producer, first_record, log_bounds, partition_of
from restock_common.runtime import Progress
from restock_common.settings import KafkaSettings
from restock_common.transact import (
    Cursor,
    Outgoing,
    Partition,
    check_log,
    dead_letter,
    log_identity,
)

log = structlog.get_logger()

SERVICE = "forecaster"
_STOP_PATIENCE_S = 15.0
_REVOKE_PATIENCE_S = 1.0
_LOOK_EVERY_S = 0.5
_TAKEN = {
    outcome: telemetry.RECORDS.labels(DEMAND.name, outcome)
    for outcome in ("handled", "dead_letter")
}
_FIELDS = frozenset({"quantity", "occurred_at", "location"})
_AGE = telemetry.EVENT_AGE.labels(DEMAND.name)


@dataclass(slots=True)
class _Held:
    """A partition that this process works on.

    Attributes:
        state: As it is now.
        complete: The offset of the last complete checkpoint.
        digest: Of all parts as of then.
        restored: The partition's record as it was loaded, until the changelog is sure to have it:
            a process that was killed may have left it in its own RocksDB alone.
        unacknowledged: Events that the next checkpoint acknowledges.
        checkpoint_at: When the last checkpoint was begun.
        lock: Held while a record is taken in or a checkpoint is written.
    """

    state: PartitionState
    complete: int
    digest: int = 0
    restored: bytes | None = None
    unacknowledged: list[EventT[Any]] = field(default_factory=list)
    checkpoint_at: float = field(default_factory=time.monotonic)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class Forecaster:
    """The demand topic in, forecasts out; a component of the service.

    Args:
        kafka: How to reach the broker.
        producer: What forecasts and dead letters are published with.
        checkpoints: How states are written down.
        data_dir: Where RocksDB lives.
        checkpoint_every_events: A checkpoint is due after so many events of one partition.
        checkpoint_every_s: And after so many seconds.
        learner: What learns, as it is registered.
    """

    def __init__(
        self,
        *,
        kafka: KafkaSettings,
        producer: Producer,
        checkpoints: Checkpoints,
        data_dir: Path,
        checkpoint_every_events: int,
        checkpoint_every_s: float,
        learner: str = DEFAULT_LEARNER,
    ) -> None:
        self._kafka = kafka
        self._seal = kafka.dead_letter_seal()
        self._producer = producer
        self._checkpoints = checkpoints
        self._every_events = checkpoint_every_events
        self._every_s = checkpoint_every_s
        self._learner = learner
        self._held: dict[int, _Held] = {}
        self._joined = False
        self._stopping = False
        self._tasks: list[asyncio.Task[None]] = []
        self._app = new_app(kafka, data_dir)
        self._app.position_of = self._position_of
        self._table = new_table(self._app, kafka)
        self._observed = Observed(APP_ID, lambda: self._app.consumer)
        telemetry.READERS.add(self)
        add_agent(self._app, self._run)
        self._app.on_partitions_revoked.connect(self._revoked)
        self._app.on_rebalance_complete.connect(self._recovered)

    async def start(self) -> None:
        """Begin to join the group and to restore the table; `not_ready` tells when it is done."""
        self._tasks = [
            asyncio.create_task(self._app.start(), name="faust"),
            asyncio.create_task(self._keep_checkpoints(), name="checkpoints"),
        ]

    async def stop(self) -> None:
        """Take nothing more, write a last checkpoint, commit, leave the group."""
        self._stopping = True
        if not self._tasks:
            return
        starting, keeping = self._tasks
        keeping.cancel()
        try:
            async with asyncio.timeout(_STOP_PATIENCE_S):
                for held in [] if self._app.crashed else list(self._held.values()):
                    await self._checkpoint(held)
        except TimeoutError:
            log.warning("checkpoint_skipped", reason="the broker did not acknowledge in time")
        if not starting.done():
            starting.cancel()
        await self._app.stop()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def not_ready(self) -> str | None:
        """Return why demand does not flow."""
        return None if self._joined else "no partitions assigned and restored yet"

    def dead(self) -> str | None:
        """Return what ended it, if it has ended by itself."""
        if self._stopping:
            return None
        if self._app.crashed:
            return f"faust crashed: {self._app.crash_reason!r}"
        for task in self._tasks:
            if task.done() and not task.cancelled() and task.exception() is not None:
                return f"{task.get_name()} ended: {task.exception()!r}"
        return None

    async def progress(self) -> Progress:
        """Return the next offset of each partition; all before it is handled and published."""
        offsets = {number: held.state.next_offset for number, held in self._held.items()}
        return Progress({DEMAND.name: offsets} if offsets else {})

    def behind(self) -> Iterable[telemetry.Behind]:
        """Return how far each partition is behind its end."""
        return self._observed.behind(time.time(), self._states())

    def _states(self) -> dict[int, PartitionState]:
        return {number: held.state for number, held in self._held.items()}

    def states(self) -> list[PartitionState]:
        """Return the partitions that are worked on here, as they are now."""
        return [held.state for held in self._held.values()]

    def _position_of(self, number: int, committed: int) -> int:
        """Return where a partition is read from: after what its state has learned."""
        held = self._held.get(number)
        return committed if held is None else held.state.next_offset

    async def _run(self, stream: faust.Stream[Any]) -> None:
        async for event in stream.noack().events():
            if self._stopping:
                return
            held = self._held.get(event.message.partition)
            # what was fetched before a rebalance comes again after it, from the committed offset
            if held is None or event.message.generation_id != self._app.consumer_generation_id:
                continue
            async with held.lock:
                if self._held.get(held.state.number) is held:
                    await self._take_whole(held, event)
            if len(held.unacknowledged) >= self._every_events:
                await self._checkpoint(held)

    async def _take_whole(self, held: _Held, event: EventT[Any]) -> None:
        """Take one record in, or let go of the partition: a state half moved is never kept."""
        whole = False
        try:
            await self._take(held, event)
            whole = True
        finally:
            if not whole:
                self._held.pop(held.state.number, None)

    async def _take(self, held: _Held, event: EventT[Any]) -> None:
        """Take one record in and publish what follows; then, and only then, the offset moves."""
        state, record = held.state, record_of(event)
        if record.offset < state.next_offset:
            held.unacknowledged.append(event)
            return
        if record.offset > state.next_offset:
            raise LogMismatch(
                f"{DEMAND.name}/{state.number}: the log goes on at {record.offset}, the state has "
                f"learned up to {state.next_offset}: what lies between has been deleted"
            )
        if record.offset == 0:
            state.log_identity = log_identity(record)
        started = time.monotonic()
        open_day = state.open_day
        message = None
        try:
            message = handlers.read(record)
            outcome = "handled"
            published = self._observed.take(state, message) if message is not None else []
        except Permanent as error:
            outcome = "dead_letter"
            field_ = error.field if error.field in _FIELDS else "record"
            telemetry.REFUSED_DEMAND.labels(field_).inc()
            letter = dead_letter(SERVICE, record, error, self._seal)
            published = [letter]
            log.warning(
                "dead_letter",
                topic=record.topic,
                partition=record.partition,
                offset=record.offset,
                field=letter.event.field,
                reason=letter.event.reason,
            )
        if record.offset >= state.silent_until:
            await self._publish(state.number, published)
        state.next_offset = record.offset + 1
        held.unacknowledged.append(event)
        _TAKEN[outcome].inc()
        if message is not None:
            _AGE.set(time.time() - message.time.timestamp())
        if state.open_day != open_day:
            telemetry.DAY_CLOSE_SECONDS.observe(time.monotonic() - started)
            await self._write(held)

    async def _publish(self, partition: int, messages: list[Message[Any]]) -> None:
        if not messages:
            return
        await self._producer.publish([_outgoing(partition, one) for one in messages])
        telemetry.PUBLISHED.inc(len(messages))
        telemetry.FORECASTS.inc(sum(isinstance(one.event, DemandForecast) for one in messages))
        for one in messages:
            if isinstance(one.event, OverrideMeasured):
                for who, loss in (("planner", one.event.planner), ("model", one.event.model)):
                    telemetry.OVERRIDE_ERROR.labels(who).inc(loss.absolute_error)
                    telemetry.OVERRIDE_PINBALL.labels(who).inc(loss.pinball)

    async def _checkpoint(self, held: _Held) -> None:
        async with held.lock:
            await self._write(held)

    async def _write(self, held: _Held) -> None:
        """Write down what has changed, the partition's record last, then acknowledge."""
        state = held.state
        held.checkpoint_at = time.monotonic()
        if not held.unacknowledged or self._held.get(state.number) is not held:
            return
        event = held.unacknowledged[-1]
        name = self._checkpoints.head_name(state.number)
        if held.restored is not None:
            await self._table.write(event, {name: held.restored})
            held.restored = None
            if self._held.get(state.number) is not held:
                return
        if state.next_offset > held.complete:
            written = self._checkpoints.checkpoint(state, held.complete, held.digest)
            await self._table.write(event, written.parts)
            if self._held.get(state.number) is not held:
                return  # revoked meanwhile: without the partition's record, nothing was written
            await self._table.write(event, {name: written.head})
            held.complete, held.digest = state.next_offset, written.digest
            state.forget_changes()
            telemetry.CHECKPOINT_KEYS.inc(len(written.parts))
            telemetry.CHECKPOINT_SECONDS.observe(time.monotonic() - held.checkpoint_at)
        for event in held.unacknowledged:
            event.ack()
        held.unacknowledged.clear()

    async def _keep_checkpoints(self) -> None:
        while True:
            await asyncio.sleep(min(_LOOK_EVERY_S, self._every_s))
            if self._joined:
                self._observed.caught_up(time.time(), self._states())
            for held in list(self._held.values()):
                if time.monotonic() - held.checkpoint_at >= self._every_s:
                    await self._checkpoint(held)

    async def _revoked(self, *_: object, **__: object) -> None:
        """Let go of everything: the next owner reads again from the last complete checkpoint.

        Nothing more is written here: a process that was away for too long would write over the
        records of the one that has taken its place. What is on its way is waited for, so that it
        lies before what the next owner restores.
        """
        self._joined = False
        held = list(self._held.values())
        self._held.clear()
        try:
            async with asyncio.timeout(_REVOKE_PATIENCE_S):
                for one in held:
                    async with one.lock:
                        continue
        except TimeoutError:
            log.warning("revoked_while_writing", reason="the broker did not acknowledge in time")

    async def _recovered(self, *_: object, **__: object) -> None:
        """The table is restored: load the states before the first event comes."""
        numbers = [
            tp.partition for tp in self._app.consumer.assignment() if tp.topic == DEMAND.name
        ]
        loaded = await restored(
            self._kafka,
            self._table.changelog_topic_name,
            self._checkpoints,
            self._table.stored(),
            numbers,
            self._learner,
        )
        for one in loaded.values():
            await self._check_log(one.state)
        self._held = {
            number: _Held(one.state, one.state.next_offset, one.digest, one.head)
            for number, one in loaded.items()
        }
        self._observed.took_up(self._states())
        self._joined = True
        log.info("assigned", partitions={n: one.state.next_offset for n, one in self._held.items()})

    async def _check_log(self, state: PartitionState) -> None:
        """Refuse a log that this table was not learned from. Raises LogMismatch."""
        if state.next_offset == 0:
            return
        partition = Partition(DEMAND.name, state.number)
        begin, end = (await log_bounds(self._kafka, [partition]))[partition]
        first = await first_record(self._kafka, partition) if begin == 0 < end else None
        check_log(
            Cursor(partition, 0, next_offset=state.next_offset, log_identity=state.log_identity),
            begin=begin,
            end=end,
            identity=log_identity(first) if first is not None else None,
        )


def _outgoing(partition: int, message: Message[Event]) -> Outgoing:
    """Return the record of a message; what is told of a partition goes where its forecasts go."""
    event = message.event
    key = event.key.encode() if event.key is not None else None
    topic = event.topic if event.topic in {DEAD_LETTERS, INSIGHTS} else FORECASTS
    if topic is DEAD_LETTERS:
        partition = 0
    elif topic is INSIGHTS and key is not None:
        partition = partition_of(topic.name, key)
    headers, body = encode(message)
    return Outgoing(topic.name, partition, key, headers, body)
