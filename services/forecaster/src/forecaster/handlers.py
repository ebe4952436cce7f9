"""What each message does to a partition: demand is added to its day, time closes days.

    DemandObserved -> added to the day that it happened on; nothing is published
    TimeAdvanced   -> the watermark is the minimum over all ledger shards; each midnight that it
                      passes closes a day: keys learn, forecasts are published, then the time

A partition's state, and with it everything published, is a function of its log alone.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NamedTuple

from forecaster.domain import model
from forecaster.domain.calendar import day_of, midnight
from forecaster.domain.dispersion import Window
from restock_common.contracts.demand import DemandObserved
from restock_common.contracts.envelope import Message, Position, Record, derive_id
from restock_common.contracts.event import Event
from restock_common.contracts.forecasts import DemandForecast, HorizonForecast
from restock_common.contracts.ledger import TimeAdvanced
from restock_common.contracts.topics import DEMAND, SHARDS
from restock_common.errors import Permanent
from restock_common.transact import read_event

REFRESH_DAYS = 14
"""A key without demand is published again after so many days."""

MAX_DAYS_AHEAD = 400
"""Demand that lies further ahead of the watermark is an error in its date."""

_HANDLED: frozenset[type[Event]] = frozenset({DemandObserved, TimeAdvanced})


class Key(NamedTuple):
    """What a forecast is for."""

    sku: str
    location: str


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """All that is known of one key: what closed days taught, and what open days hold.

    Attributes:
        learned: None before the end of its first day.
        asked: (day, units) of the days that are still open, ascending.
    """

    learned: model.KeyState | None
    asked: tuple[tuple[int, int], ...] = ()


@dataclass(slots=True)
class PartitionState:
    """One partition of the demand topic: its keys, and what they share.

    Attributes:
        number: The partition.
        next_offset: Everything before it has been taken in.
        log_identity: Told from the log's first record.
        seen: The last position taken from each writer.
        watermarks: The latest time of each writer.
        open_day: The first day that is not closed; None before the first watermark.
        pool: What the keys share.
        learned: Each key as of the last closed day that touched it.
        asked: Units by open day and key.
        before: Each key that has changed since the last checkpoint, as it was then.
    """

    number: int
    next_offset: int = 0
    log_identity: str | None = None
    seen: dict[str, Position] = field(default_factory=dict)
    watermarks: dict[str, datetime] = field(default_factory=dict)
    open_day: int | None = None
    pool: model.Pool = field(default_factory=model.Pool)
    learned: dict[Key, model.KeyState] = field(default_factory=dict)
    asked: dict[int, dict[Key, int]] = field(default_factory=dict)
    before: dict[Key, KeyRecord] = field(default_factory=dict)

    @property
    def watermark(self) -> datetime | None:
        """Return the time up to which every ledger shard has spoken; None before that."""
        return min(self.watermarks.values()) if len(self.watermarks) >= SHARDS else None

    def record_of(self, key: Key) -> KeyRecord:
        """Return all that is known of a key."""
        asked = ((day, units[key]) for day, units in self.asked.items() if key in units)
        return KeyRecord(self.learned.get(key), tuple(sorted(asked)))

    def touch(self, key: Key) -> None:
        """Remember how a key was at the last checkpoint, before it changes."""
        if key not in self.before:
            self.before[key] = self.record_of(key)


@dataclass(frozen=True, slots=True)
class CurrentForecast:
    """What is expected of one key after the last closed day."""

    key: Key
    learned_until: datetime
    horizons: tuple[model.Horizon, ...]


def read(record: Record) -> Message[Event] | None:
    """Return the message of a record; None for one that is not for us. Raises Permanent."""
    return read_event(record, _HANDLED)


def take(state: PartitionState, message: Message[Event]) -> list[Message[Event]]:
    """Take one message in and return what is to be published, in this order.

    Raises:
        Permanent: It can never be handled; the state is as it was.
    """
    if message.position is not None:
        last = state.seen.get(message.source)
        if last is not None and message.position <= last:
            return []
    published: list[Message[Event]] = []
    match message.event:
        case DemandObserved():
            _observe(state, message.event)
        case TimeAdvanced():
            published = _advance(state, message, message.event)
        case other:
            raise Permanent(f"{other.type_name()!r} is not handled", field="header ce_type")
    if message.position is not None:
        state.seen[message.source] = message.position
    return published


def current(state: PartitionState, sku: str) -> list[CurrentForecast]:
    """Return what is expected of a sku after the last closed day, by location."""
    if state.open_day is None:
        return []
    last_day = state.open_day - 1
    return [
        CurrentForecast(key, midnight(state.open_day), model.forecast(known, last_day, state.pool))
        for key, known in sorted(one for one in state.learned.items() if one[0].sku == sku)
    ]


def _observe(state: PartitionState, event: DemandObserved) -> None:
    """Add units to the day that they were asked for on; to the open day where that is closed."""
    day = day_of(event.occurred_at)
    if state.open_day is not None:
        if day > state.open_day + MAX_DAYS_AHEAD:
            raise Permanent(
                f"{event.occurred_at.isoformat()} is more than {MAX_DAYS_AHEAD} days ahead of "
                f"{midnight(state.open_day).date()}, the day that is open",
                field="occurred_at",
            )
        day = max(day, state.open_day)
    key = Key(event.sku, event.location)
    state.touch(key)
    units = state.asked.setdefault(day, {})
    units[key] = units.get(key, 0) + event.quantity


def _advance(
    state: PartitionState, message: Message[Event], event: TimeAdvanced
) -> list[Message[Event]]:
    """Move a writer's time; where that moves the watermark, close days and pass the time on."""
    before = state.watermark
    known = state.watermarks.get(message.source)
    if known is not None and event.until <= known:
        return []
    state.watermarks[message.source] = event.until
    after = state.watermark
    if after is None or (before is not None and after <= before):
        return []
    published = list(_close_days(state, day_of(after)))
    source = f"/restock/forecaster/{DEMAND.name}/{state.number}"
    ids = [derive_id("forecast", *_forecast_identity(one)) for one in published]
    ids.append(derive_id("time", source, after.isoformat()))
    events: list[Event] = [*published, TimeAdvanced(until=after)]
    return [
        Message(
            id=identity,
            source=source,
            time=one.learned_until if isinstance(one, DemandForecast) else after,
            event=one,
            cause=message.id,
            traceparent=message.traceparent,
        )
        for identity, one in zip(ids, events, strict=True)
    ]


def _forecast_identity(event: DemandForecast) -> tuple[str, str, str]:
    return event.sku, event.location, event.learned_until.isoformat()


def _close_days(state: PartitionState, today: int) -> Iterator[DemandForecast]:
    """Close every day before `today`; return the forecasts, by key, as of the last of them.

    Published are the keys with demand in these days, and those published two weeks ago or longer.
    """
    if state.open_day is None:
        state.open_day = min([today, *state.asked])
    if state.open_day >= today:
        return iter(())
    touched: set[Key] = set()
    for day in range(state.open_day, today):
        touched.update(_close_day(state, day))
    state.open_day = today
    return _forecasts(state, sorted(touched), today - 1)


def _close_day(state: PartitionState, day: int) -> Sequence[Key]:
    """Teach the day to its keys, in key order, and to the pool; return them."""
    asked = state.asked.get(day, {})
    touched = sorted(asked.keys() | _due(state.learned, day))
    ended: list[Window] = []
    for key in touched:
        state.touch(key)
        state.learned[key], windows = model.learn(
            state.learned.get(key), day, asked.get(key, 0), state.pool
        )
        ended.extend(windows)
    state.pool = state.pool.learn(day, sum(asked.values()), ended)
    state.asked.pop(day, None)
    return touched


def _due(learned: Mapping[Key, model.KeyState], day: int) -> set[Key]:
    return {key for key, known in learned.items() if day - known.published_day >= REFRESH_DAYS}


def _forecasts(state: PartitionState, keys: Sequence[Key], day: int) -> Iterator[DemandForecast]:
    for key in keys:
        known = replace(state.learned[key], published_day=day)
        state.learned[key] = known
        yield DemandForecast(
            sku=key.sku,
            location=key.location,
            model=model.MODEL_NAME,
            learned_until=midnight(day + 1),
            horizons=tuple(
                HorizonForecast(days=one.days, mean=one.mean, size=one.size)
                for one in model.forecast(known, day, state.pool)
            ),
        )
