"""What each message does to a partition: demand is added to its day, time closes days.

    DemandObserved       -> added to the day that it happened on; nothing is published
    StockoutStarted      -> from now on the sku cannot be bought there; so much of each day
    StockoutEnded           does not count for a lack of demand
    FactsNoted           -> categories, sites, plans and series, from the day on that they count
    ForecastOverridden   -> what is expected is what the planner says; published at once
    OverrideWithdrawn       and so is the model's word again
    TimeAdvanced         -> the watermark is the minimum over all ledger shards; each midnight that
                            it passes closes a day: keys learn, forecasts are published, then the
                            time

A partition's state, and with it everything published, is a function of its log alone.
"""

from dataclasses import replace
from datetime import datetime

from forecaster.domain.calendar import day_of, midnight
from forecaster.domain.closing import begin_override, close_days
from forecaster.domain.foretell import Foretold, foretell
from forecaster.domain.learner import Key
from forecaster.domain.overrides import Override
from forecaster.domain.state import DAY_MS, OVERRIDES, PartitionState
from forecaster.handlers import facts
from forecaster.handlers.facts import day_number
from forecaster.handlers.published import caused, forecasts, measurements, noticed, source_of
from restock_common.contracts.demand import (
    DemandObserved,
    FactsNoted,
    ForecastOverridden,
    OverrideWithdrawn,
    Stockout,
    StockoutEnded,
    StockoutStarted,
)
from restock_common.contracts.envelope import Message, Record, derive_id
from restock_common.contracts.event import Event
from restock_common.contracts.ledger import TimeAdvanced
from restock_common.contracts.topics import SHARDS
from restock_common.errors import Permanent
from restock_common.transact import read_event

MAX_DAYS_AHEAD = 400
"""Demand that lies further ahead of the open day is an error in its date."""
MAX_DAYS_LATE = 28
"""Demand of a day that closed longer ago is not learned: it is no demand of the open day."""

_HANDLED: frozenset[type[Event]] = frozenset(
    {
        DemandObserved,
        StockoutStarted,
        StockoutEnded,
        FactsNoted,
        ForecastOverridden,
        OverrideWithdrawn,
        TimeAdvanced,
    }
)


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
        if last is not None and tuple(message.position) <= last:
            return []
    published: list[Message[Event]] = []
    match message.event:
        case DemandObserved():
            _observe(state, message.event)
        case TimeAdvanced():
            published = _advance(state, message, message.event)
        case StockoutStarted() | StockoutEnded():
            _stockout(state, message.event)
        case FactsNoted():
            facts.take(state, message.event)
        case ForecastOverridden():
            published = _override(state, message, message.event)
        case OverrideWithdrawn():
            published = _withdraw(state, message, message.event)
        case other:
            raise Permanent(f"{other.type_name()!r} is not handled", field="header ce_type")
    if message.position is not None:
        state.seen[message.source] = (message.position.incarnation, message.position.sequence)
    return published


def current(state: PartitionState, sku: str) -> list[Foretold]:
    """Return what is expected of a sku after the last closed day, by location."""
    if state.open_day is None:
        return []
    keys = {Key(sku, location) for location in state.locations.get(sku, ())}
    keys |= {key for key in state.overrides if key.sku == sku}
    return sorted(foretell(state, sorted(keys), state.open_day - 1), key=lambda one: one.key)


def _observe(state: PartitionState, event: DemandObserved) -> None:
    """Add units to the day that they were asked for on; to the open day where that is closed."""
    if not state.facts.knows_site(event.location):
        raise Permanent(f"{event.location!r} is no location of the catalogue", field="location")
    day = _checked_day(state, event.occurred_at, "occurred_at")
    key = Key(event.sku, event.location)
    state.touch(key)
    units = state.asked.setdefault(day, {})
    units[key] = units.get(key, 0) + event.quantity


def _checked_day(state: PartitionState, moment: datetime, field: str) -> int:
    """Return the day of a moment, or the open day where that is closed. Raises Permanent."""
    day = day_of(moment)
    if state.open_day is None:
        return day
    opened = midnight(state.open_day).date()
    if day > state.open_day + MAX_DAYS_AHEAD:
        raise Permanent(
            f"{moment.isoformat()} is more than {MAX_DAYS_AHEAD} days ahead of {opened}, the day "
            "that is open",
            field=field,
        )
    if day < state.open_day - MAX_DAYS_LATE:
        raise Permanent(
            f"{moment.isoformat()} is more than {MAX_DAYS_LATE} days before {opened}, the day "
            "that is open",
            field=field,
        )
    return max(day, state.open_day)


def _stockout(state: PartitionState, event: Stockout) -> None:
    """Note since when a key is out of stock, or for how long it was on each open day."""
    _checked_day(state, event.at, "at")
    key = Key(event.sku, event.location)
    at = round(event.at.timestamp() * 1000)
    if state.open_day is not None:
        at = max(at, state.open_day * DAY_MS)
    state.touch(key)
    since = state.out_since_ms.pop(key, None)
    if isinstance(event, StockoutStarted):
        state.out_since_ms[key] = at if since is None else since
        return
    if since is None:
        return
    start = since if state.open_day is None else max(since, state.open_day * DAY_MS)
    for day in range(start // DAY_MS, at // DAY_MS + 1):
        ms = min(at, (day + 1) * DAY_MS) - max(start, day * DAY_MS)
        if ms > 0:
            away = state.away_ms.setdefault(day, {})
            away[key] = away.get(key, 0) + ms


def _override(
    state: PartitionState, message: Message[Event], event: ForecastOverridden
) -> list[Message[Event]]:
    """Take what a planner has set, and publish what is expected now."""
    key = Key(event.sku, event.location)
    first_day, last_day = day_number(event.first_day), day_number(event.last_day)
    same = (last_day, event.units_per_day, event.factor, event.by, event.reason)
    for one in state.overrides.get(key, ()):
        told = (one.last_day, one.units_a_day, one.factor, one.by, one.reason)
        known = one.name == event.override and one.withdrawn is None
        if known and told == same and one.first_day >= first_day:
            return []  # told again: what it is measured by goes on
    if state.open_day is not None and not (
        state.open_day <= last_day and first_day <= state.open_day + MAX_DAYS_AHEAD
    ):
        raise Permanent(
            f"{event.first_day} to {event.last_day} is over, or too far ahead", field="last_day"
        )
    begin_override(
        state,
        key,
        Override(
            event.override,
            first_day,
            last_day,
            event.units_per_day,
            event.factor,
            event.by,
            event.reason,
            event.at.isoformat(),
        ),
    )
    return _told_at_once(state, key, message)


def _withdraw(
    state: PartitionState, message: Message[Event], event: OverrideWithdrawn
) -> list[Message[Event]]:
    """Let the model's word count again."""
    key = Key(event.sku, event.location)
    known = state.overrides.get(key, ())
    ended = (event.by, event.reason, event.at.isoformat())
    now = tuple(
        replace(one, withdrawn=ended)
        if one.name == event.override and one.withdrawn is None and not one.measured
        else one
        for one in known
    )
    if now == known:
        return []
    state.touch_part((OVERRIDES, *key))
    state.overrides[key] = now
    return _told_at_once(state, key, message)


def _advance(
    state: PartitionState, message: Message[Event], event: TimeAdvanced
) -> list[Message[Event]]:
    """Move a writer's time; where that moves the watermark, close days and pass the time on."""
    before = _watermark(state)
    known = state.watermarks.get(message.source)
    if known is not None and event.until <= known:
        return []
    state.watermarks[message.source] = event.until
    after = _watermark(state)
    if after is None or (before is not None and after <= before):
        return []
    closed = close_days(state, day_of(after))
    source = source_of(state)
    identity = derive_id("time", source, after.isoformat())
    told = caused(identity, source, after, TimeAdvanced(until=after), message)
    return [
        *measurements(state, closed.measured, message),
        *noticed(state, closed.noticed, message),
        *forecasts(state, closed.keys, message),
        told,
    ]


def _watermark(state: PartitionState) -> datetime | None:
    """Return the time up to which every ledger shard has spoken; None before that."""
    return min(state.watermarks.values()) if len(state.watermarks) >= SHARDS else None


def _told_at_once(state: PartitionState, key: Key, message: Message[Event]) -> list[Message[Event]]:
    """Return a key's forecast as of the last closed day, told because of a planner."""
    if state.open_day is None:
        return []
    return forecasts(state, [key], message, message.id)
