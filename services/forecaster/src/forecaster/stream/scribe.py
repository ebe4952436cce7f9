"""Writes onto the demand log what forecasts follow from besides demand.

Catalogue and promotions are topics of their own: how far they had been read when a day closed would
be chance, and a restart would learn otherwise. So what they say is noted on the partition of the
demand that it matters to, in their order; from then on the log alone decides. A note carries the
position up to which it tells all, so that what two owners of a partition write one after the other,
or what one writes again after a crash, changes nothing.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import ClassVar

import structlog

from forecaster.domain.state import PartitionState
from restock_common import telemetry
from restock_common.contracts.catalogue import Location, Product, SeriesValue
from restock_common.contracts.demand import (
    FactsNoted,
    ForecastOverridden,
    OverrideWithdrawn,
    ProductNote,
    SiteNote,
)
from restock_common.contracts.envelope import Message, Position, Record, derive_id, encode
from restock_common.contracts.event import Event
from restock_common.contracts.promotions import Price, Promotion
from restock_common.contracts.topics import CATALOGUE, DEAD_LETTERS, DEMAND, Topic
from restock_common.errors import Permanent, Transient
from restock_common.kafka import Producer, Tail, partition_of
from restock_common.runtime import Background, Progress
from restock_common.settings import KafkaSettings
from restock_common.transact import Outgoing, dead_letter, read_event

log = structlog.get_logger()

SERVICE = "forecaster"
OVERRIDES_SOURCE = f"/restock/{SERVICE}/overrides"
_SOURCE = f"/restock/{SERVICE}/{CATALOGUE.name}"
_EPOCH = datetime.fromtimestamp(0, UTC)
_NOTED: frozenset[type[Event]] = frozenset({Product, Location, SeriesValue, Promotion, Price})
_RECORDS_MAX = 1_000
_GATHER_S = 0.1
_IDLE_MS = 200
_SETTLED_S = 2.0
"""A catalogue that is told for the first time comes in several records."""
_RETRY_S = 0.5


class Scribe(Background):
    """Notes catalogue and promotions on the partitions that this process works on.

    Args:
        kafka: How to reach the broker.
        producer: What notes are published with.
        states: The partitions, as they are now.
        topic: Catalogue or promotions.
    """

    name: ClassVar[str] = "scribe"

    def __init__(
        self,
        kafka: KafkaSettings,
        producer: Producer,
        states: Callable[[], Sequence[PartitionState]],
        topic: Topic,
    ) -> None:
        self._kafka = kafka
        self._seal = kafka.dead_letter_seal()
        self._producer = producer
        self._states = states
        self._topic = topic
        self._written: dict[tuple[int, str], int] = {}
        self._offsets: dict[int, int] = {}
        self._site_at: float | None = None
        self._complete = False

    async def progress(self) -> Progress:
        """Return how far the topic has been noted."""
        return Progress({self._topic.name: dict(self._offsets)} if self._offsets else {})

    async def _run(self) -> None:
        while True:
            owned = self._owned()
            if not owned:
                await asyncio.sleep(_GATHER_S)
                continue
            tail = Tail(self._kafka, self._topic, idle_ms=_IDLE_MS)
            try:
                await tail.start()
                await self._follow(tail, owned)
            except Transient as error:
                log.info("scribe_retry", topic=self._topic.name, error=str(error))
                await asyncio.sleep(_RETRY_S)
            finally:
                await tail.stop()

    async def _follow(self, tail: Tail, owned: Mapping[int, object]) -> None:
        """Note what comes, until other partitions are worked on here."""
        self._written.clear()
        self._offsets = dict(tail.next_offsets)
        self._complete = self._topic is not CATALOGUE
        async for records, caught_up in _gathered(tail):
            now = self._owned()
            if now.keys() != owned.keys() or any(now[n] is not owned[n] for n in owned):
                return
            await self._note(records)
            if caught_up and not self._complete and self._settled():
                self._complete = True
                await self._producer.publish([*self._completions()])
            self._offsets.update((one.partition, one.offset + 1) for one in records)

    def _owned(self) -> dict[int, PartitionState]:
        return {state.number: state for state in self._states()}

    async def _note(self, records: Sequence[Record]) -> None:
        """Write what of some records has not been noted yet, where it matters."""
        outgoing: list[Outgoing] = []
        entities: list[tuple[Record, Event]] = []
        for record in records:
            try:
                message = read_event(record, _NOTED) if record.value is not None else None
            except Permanent as error:
                outgoing.append(self._letter(record, error))
                continue
            if message is not None:
                entities.append((record, message.event))
                if isinstance(message.event, Location):
                    self._site_at = time.monotonic()
        for state in self._owned().values():
            outgoing += self._notes(state, entities)
        await self._producer.publish(outgoing)

    def _notes(
        self, state: PartitionState, entities: Iterable[tuple[Record, Event]]
    ) -> Iterator[Outgoing]:
        by_source: dict[str, list[tuple[Record, Event]]] = {}
        for record, event in entities:
            source = f"/restock/{SERVICE}/{record.topic}/{record.partition}"
            place = state.number, source
            known = self._written.setdefault(place, state.seen.get(source, (1, 0))[1])
            if record.offset >= known and _matters(event, state.number):
                self._written[place] = record.offset + 1
                by_source.setdefault(source, []).append((record, event))
        for source, told in by_source.items():
            last = told[-1][0]
            facts = _facts(state.number, [event for _, event in told])
            yield _note(facts, source, last.offset + 1, last.written_at)

    def _settled(self) -> bool:
        """Return whether sites have been told, and no more of them for a while."""
        return self._site_at is not None and time.monotonic() - self._site_at > _SETTLED_S

    def _completions(self) -> Iterator[Outgoing]:
        """Yield that no other sites are known."""
        for state in self._owned().values():
            if not state.facts.complete:
                facts = FactsNoted(partition=state.number, complete=True)
                yield _note(facts, f"{_SOURCE}/complete", 1, _EPOCH)

    def _letter(self, record: Record, error: Permanent) -> Outgoing:
        telemetry.RECORDS.labels(record.topic, "dead_letter").inc()
        letter = dead_letter(SERVICE, record, error, self._seal)
        log.warning("dead_letter", topic=record.topic, offset=record.offset, error=str(error))
        headers, body = encode(letter)
        key = letter.event.key
        return Outgoing(DEAD_LETTERS.name, 0, key.encode() if key else None, headers, body)


async def _gathered(tail: Tail) -> AsyncIterator[tuple[list[Record], bool]]:
    """Yield what has come since, now and then, and whether all is among it that was there first."""
    records: asyncio.Queue[Record] = asyncio.Queue(_RECORDS_MAX)

    async def fill() -> None:
        async for record in tail.records():
            await records.put(record)

    filling = asyncio.create_task(fill(), name="scribe-tail")
    try:
        while not filling.done():
            caught_up = tail.caught_up.is_set()
            gathered = [records.get_nowait() for _ in range(records.qsize())]
            yield gathered, caught_up and records.empty()
            await asyncio.sleep(0 if gathered else _GATHER_S)
        await filling
    finally:
        filling.cancel()
        await asyncio.gather(filling, return_exceptions=True)


def _matters(event: Event, number: int) -> bool:
    """Return whether a partition's demand depends on an entity."""
    if isinstance(event, Product | Promotion | Price):
        return partition_of(DEMAND.name, event.sku.encode()) == number
    return True


def _facts(number: int, events: Sequence[Event]) -> FactsNoted:
    return FactsNoted(
        partition=number,
        products=tuple(
            ProductNote(
                sku=one.sku,
                category=one.category,
                unit_price=one.unit_price,
                effective_from=one.effective_from,
            )
            for one in events
            if isinstance(one, Product)
        ),
        sites=tuple(
            SiteNote(
                location=one.location,
                country=one.country,
                closed_weekdays=one.closed_weekdays,
                effective_from=one.effective_from,
            )
            for one in events
            if isinstance(one, Location)
        ),
        series=tuple(one for one in events if isinstance(one, SeriesValue)),
        promotions=tuple(one for one in events if isinstance(one, Promotion)),
        prices=tuple(one for one in events if isinstance(one, Price)),
    )


def _note(facts: FactsNoted, source: str, position: int, moment: datetime) -> Outgoing:
    message = Message(
        id=derive_id("facts", source, facts.partition, position),
        source=source,
        time=moment,
        event=facts,
        position=Position(1, position),
    )
    headers, body = encode(message)
    return Outgoing(DEMAND.name, facts.partition, facts.key.encode(), headers, body)


async def write_override(producer: Producer, event: ForecastOverridden | OverrideWithdrawn) -> None:
    """Put what a planner has said onto the log of the sku's demand. Raises Transient."""
    message = Message(
        id=derive_id("override", event.model_dump_json()),
        source=OVERRIDES_SOURCE,
        time=event.at,
        event=event,
    )
    headers, body = encode(message)
    key = event.sku.encode()
    await producer.send(Outgoing(DEMAND.name, partition_of(DEMAND.name, key), key, headers, body))
