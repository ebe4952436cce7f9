"""All that one partition of the demand topic knows, as parts that can be written down one by one.

Everything here follows from the partition's log alone. A part is the bytes of one thing (a key, a
group of keys, a sku's plans, a planner's overrides) under a name; a checkpoint writes those that
have changed since the one before, each as it was then and as it is now.
"""

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, TypeVar

from forecaster.domain import facts
from forecaster.domain.facts import Facts
from forecaster.domain.history import RECORD
from forecaster.domain.learner import Key
from forecaster.domain.learners import new_learner
from forecaster.domain.overrides import Override
from forecaster.domain.overrides import dump as dump_overrides
from forecaster.domain.overrides import load as load_overrides
from forecaster.domain.partition import DayTold, Partition

DEFAULT_LEARNER = "global-mixture"
NEVER = -(10**6)
REPLANNED = NEVER - 1
"""In place of the day that a key was published on: something about its future has changed."""
DAY_MS = 86_400_000

Name = tuple[str, ...]
"""A part's name: its kind, and whose it is."""
KEY, GROUP, SKU, SITE, SERIES, OVERRIDES, SHARED = "k", "g", "s", "l", "c", "o", "x"
_SHARED_CHUNK_BYTES = 262_144

KeyT = TypeVar("KeyT")
_LENGTHS = struct.Struct("<HH")
_OPEN = struct.Struct("<iqHH")  # published on, out of stock since, open days with demand, without
_ASKED = struct.Struct("<iq")
_AWAY = struct.Struct("<ii")


class Remembering(dict[KeyT, bytes]):
    """A dict that knows what its entries were at the last checkpoint.

    Attributes:
        before: Of each entry that has changed since; empty bytes where there was none.
    """

    def __init__(self, entries: Iterable[tuple[KeyT, bytes]] = ()) -> None:
        super().__init__(entries)
        self.before: dict[KeyT, bytes] = {}

    def __setitem__(self, key: KeyT, value: bytes) -> None:
        """Put an entry, and remember what was there."""
        if key not in self.before:
            self.before[key] = self.get(key, b"")
        super().__setitem__(key, value)

    def update(self, entries: Iterable[tuple[KeyT, bytes]]) -> None:  # type: ignore[override]
        """Put entries, and remember what was there."""
        for key, value in entries:
            self[key] = value


class Waiting(NamedTuple):
    """What is known of a key's open days, and what has been said of it."""

    published_day: int
    out_since_ms: int
    asked: tuple[tuple[int, int], ...]
    away_ms: tuple[tuple[int, int], ...]


NOTHING = Waiting(NEVER, -1, (), ())


def new_partition(learner: str = DEFAULT_LEARNER) -> Partition:
    """Return a partition that has learned nothing. Raises ValueError for an unknown learner."""
    return Partition(
        new_learner(learner),
        histories=Remembering(),
        states=Remembering(),
        groups=Remembering(),
    )


@dataclass(slots=True)
class PartitionState:
    """One partition of the demand topic: what it has taught, and what of it is still open.

    Attributes:
        number: The partition.
        partition: What closed days have taught.
        next_offset: Everything before it has been taken in.
        log_identity: Told from the log's first record.
        seen: The last position taken from each writer.
        watermarks: The latest time of each writer.
        open_day: The first day that is not closed; None before the first watermark.
        life: Told apart from states of this partition that were given up.
        silent_until: What follows from records before it has been published in an earlier life.
        asked: Units by open day and key.
        out_since_ms: Since when each key is out of stock that is.
        away_ms: For how long of an open day a key was out of stock.
        published: The last closed day after which a forecast of a key was published.
        facts: What is known of skus, sites and days.
        overrides: What planners have set, by key.
        locations: Of each sku that has a forecast.
        before: Parts that have changed since the last checkpoint, as they were then.
        shared: What the learner knew of all keys together when a day was last closed.
        shared_before: The same at the last checkpoint.
    """

    number: int
    partition: Partition = field(default_factory=new_partition)
    next_offset: int = 0
    log_identity: str | None = None
    seen: dict[str, tuple[int, int]] = field(default_factory=dict)
    watermarks: dict[str, datetime] = field(default_factory=dict)
    open_day: int | None = None
    life: int = 0
    silent_until: int = 0
    asked: dict[int, dict[Key, int]] = field(default_factory=dict)
    out_since_ms: dict[Key, int] = field(default_factory=dict)
    away_ms: dict[int, dict[Key, int]] = field(default_factory=dict)
    published: dict[Key, int] = field(default_factory=dict)
    facts: Facts = field(default_factory=Facts)
    overrides: dict[Key, tuple[Override, ...]] = field(default_factory=dict)
    locations: dict[str, set[str]] = field(default_factory=dict)
    before: dict[Name, bytes] = field(default_factory=dict)
    shared: bytes = b""
    shared_before: bytes = b""

    def waiting(self, key: Key) -> Waiting:
        """Return what is known of a key's open days."""
        return Waiting(
            self.published.get(key, NEVER),
            self.out_since_ms.get(key, -1),
            tuple(sorted((day, units[key]) for day, units in self.asked.items() if key in units)),
            tuple(sorted((day, ms[key]) for day, ms in self.away_ms.items() if key in ms)),
        )

    def touch(self, key: Key) -> None:
        """Remember what waits of a key, before it changes."""
        name = (KEY, *key)
        if name not in self.before:
            self.before[name] = _packed(self.waiting(key))

    def touch_part(self, name: Name) -> None:
        """Remember a part that is no key's, before it changes."""
        if name not in self.before:
            self.before[name] = self.part(name)

    def part(self, name: Name) -> bytes:
        """Return a part as it is now; empty where nothing is known."""
        kind, *whose = name
        match kind:
            case "k":
                key = Key(*whose)
                partition = self.partition
                return _key_part(
                    partition.histories.get(key, b""),
                    partition.states.get(key, b""),
                    _packed(self.waiting(key)),
                )
            case "g":
                return self.partition.groups.get((whose[0], whose[1]), b"")
            case "o":
                return dump_overrides(self.overrides.get(Key(*whose), ()))
            case "x":
                return _chunk(self.shared, int(whose[0]))
            case _:
                return self.facts.part(kind, whose[0])

    def changed(self) -> Iterator[tuple[Name, bytes, bytes]]:
        """Yield each part that has changed since the last checkpoint: its name, before, and now."""
        partition = self.partition
        histories, states, groups = partition.histories, partition.states, partition.groups
        assert isinstance(histories, Remembering)
        assert isinstance(states, Remembering)
        assert isinstance(groups, Remembering)
        keys = histories.before.keys() | states.before.keys()
        keys |= {Key(*name[1:]) for name in self.before if name[0] == KEY}
        for key in sorted(keys):
            waits = _packed(self.waiting(key))
            old_history = histories.before.get(key, histories.get(key, b""))
            old_state = states.before.get(key, states.get(key, b""))
            name = (KEY, *key)
            old = _key_part(old_history, old_state, self.before.get(name, waits))
            yield name, old, _key_part(histories.get(key, b""), states.get(key, b""), waits)
        for group in sorted(groups.before):
            yield (GROUP, *group), groups.before[group], groups[group]
        for name in sorted(name for name in self.before if name[0] != KEY):
            yield name, self.before[name], self.part(name)
        yield from self._changed_shared()

    def _changed_shared(self) -> Iterator[tuple[Name, bytes, bytes]]:
        longest = max(len(self.shared), len(self.shared_before))
        for place in range(-(-longest // _SHARED_CHUNK_BYTES)):
            old, new = _chunk(self.shared_before, place), _chunk(self.shared, place)
            if old != new:
                yield (SHARED, str(place)), old, new

    def parts(self) -> Iterator[tuple[Name, bytes]]:
        """Yield all that is known, part by part."""
        kept = self.partition
        keys = kept.histories.keys() | self.published.keys() | self.out_since_ms.keys()
        keys = keys.union(*self.asked.values(), *self.away_ms.values())
        names: set[Name] = {(KEY, *key) for key in keys}
        names |= {(GROUP, *group) for group in kept.groups}
        names |= {(OVERRIDES, *key) for key in self.overrides}
        names |= set(self.facts.names())
        count = -(-len(self.shared) // _SHARED_CHUNK_BYTES)
        names |= {(SHARED, str(place)) for place in range(count)}
        for name in sorted(names):
            part = self.part(name)
            if part:
                yield name, part

    def forget_changes(self) -> None:
        """Take what is known now for what is written down."""
        self.before.clear()
        for kept in (self.partition.histories, self.partition.states, self.partition.groups):
            assert isinstance(kept, Remembering)
            kept.before.clear()
        self.shared_before = self.shared

    def take_parts(self, parts: Iterable[tuple[Name, bytes]]) -> None:
        """Take up again what `parts` yielded; the partition's own fields are filled in already.

        Raises:
            ValueError: A part is not of this version.
        """
        shared: dict[int, bytes] = {}
        kept = self.partition
        for name, part in parts:
            kind, *whose = name
            match kind:
                case "k":
                    self._take_key(Key(*whose), part)
                case "g":
                    _check_history(part)
                    dict.__setitem__(kept.groups, (whose[0], whose[1]), part)
                case "o":
                    self.overrides[Key(*whose)] = load_overrides(part)
                case "x":
                    shared[int(whose[0])] = part
                case _:
                    self.facts.take(kind, whose[0], part)
        self.shared = self.shared_before = b"".join(shared[place] for place in sorted(shared))
        if self.shared:
            kept.learner.restore(self.shared)
        kept.index()
        facts.derive(self.facts, kept, self.open_day)

    def _take_key(self, key: Key, part: bytes) -> None:
        of_history, of_state = _LENGTHS.unpack_from(part)
        at = _LENGTHS.size
        history, state = part[at : at + of_history], part[at + of_history :][:of_state]
        if history:
            _check_history(history)
            dict.__setitem__(self.partition.histories, key, history)
            self.locations.setdefault(key.sku, set()).add(key.location)
        if state:
            dict.__setitem__(self.partition.states, key, state)
        waits = _unpacked(part[at + of_history + of_state :])
        if waits.published_day != NEVER:
            self.published[key] = waits.published_day
        if waits.out_since_ms >= 0:
            self.out_since_ms[key] = waits.out_since_ms
        for day, units in waits.asked:
            self.asked.setdefault(day, {})[key] = units
        for day, ms in waits.away_ms:
            self.away_ms.setdefault(day, {})[key] = ms

    def close_day(self, day: int) -> tuple[set[Key], list[Key]]:
        """Teach a day that has ended; return the keys that came up in it, and all looked at."""
        units = self.asked.get(day, {})
        away = self._away_on(day)
        known = self.partition.histories.keys()
        came = units.keys() | {key for key in away if key in known}
        for key in units.keys() | self.away_ms.get(day, {}).keys():
            self.touch(key)
        told = DayTold(units, {key: away[key] for key in came & away.keys()})
        visited = self.partition.close(day, told)
        for key in units:
            self.locations.setdefault(key.sku, set()).add(key.location)
        self.asked.pop(day, None)
        self.away_ms.pop(day, None)
        return came, visited

    def _away_on(self, day: int) -> dict[Key, float]:
        """Return for how much of a day each key was out of stock, where it was at all."""
        gone = dict(self.away_ms.get(day, {}))
        end = (day + 1) * DAY_MS
        for key, since in self.out_since_ms.items():
            if since < end:
                gone[key] = gone.get(key, 0) + min(end - since, DAY_MS)
        return {key: min(ms / DAY_MS, 1.0) for key, ms in gone.items() if ms > 0}


def _chunk(whole: bytes, place: int) -> bytes:
    return whole[place * _SHARED_CHUNK_BYTES : (place + 1) * _SHARED_CHUNK_BYTES]


def _check_history(part: bytes) -> None:
    if len(part) != RECORD.itemsize:
        raise ValueError(f"a history has {len(part)} bytes, not {RECORD.itemsize}")


def _key_part(history: bytes, state: bytes, waits: bytes) -> bytes:
    if not (history or state or waits):
        return b""
    return _LENGTHS.pack(len(history), len(state)) + history + state + waits


def _packed(waiting: Waiting) -> bytes:
    if waiting == NOTHING:
        return b""
    return b"".join(
        (
            _OPEN.pack(*waiting[:2], len(waiting.asked), len(waiting.away_ms)),
            *(_ASKED.pack(*one) for one in waiting.asked),
            *(_AWAY.pack(*one) for one in waiting.away_ms),
        )
    )


def _unpacked(packed: bytes) -> Waiting:
    if not packed:
        return NOTHING
    published_day, out_since_ms, asked, away = _OPEN.unpack_from(packed)
    middle = _OPEN.size + asked * _ASKED.size
    end = middle + away * _AWAY.size
    return Waiting(
        published_day,
        out_since_ms,
        tuple(_ASKED.iter_unpack(packed[_OPEN.size : middle])),
        tuple(_AWAY.iter_unpack(packed[middle:end])),
    )
