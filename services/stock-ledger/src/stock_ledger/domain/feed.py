"""Levels for those who follow them: which they are, and what one client has still to be told."""

import re
from bisect import bisect_left
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import orjson

from restock_common.contracts.envelope import Message, Position
from restock_common.contracts.event import Event
from restock_common.contracts.stock import StockLevelChanged
from restock_common.contracts.topics import LEDGER
from restock_common.errors import Permanent

Place = tuple[str, str]
"""(sku, location)."""

Positions = Mapping[int, Position]
"""How far each shard's sequence has come."""

BEFORE_ALL = Position(0, 0)

_SOURCE = re.compile(rf"/restock/stock-ledger/{re.escape(LEDGER.name)}/([0-9]{{1,9}})")


@dataclass(frozen=True)
class KnownLevel:
    """A level, and the place in its shard's sequence up to which it is true.

    Attributes:
        level: In units, absolute.
        shard: Whose writer told it.
        position: Of two levels of one place, the one with the greater position is the later.
    """

    level: StockLevelChanged
    shard: int
    position: Position

    @property
    def place(self) -> Place:
        """Return (sku, location)."""
        return self.level.sku, self.level.location

    @property
    def data(self) -> dict[str, Any]:
        """Return what people are told of it."""
        return {
            **self.level.model_dump(mode="json"),
            "available": self.level.available,
            "position": {"shard": self.shard, **self.position._asdict()},
        }

    @cached_property
    def json(self) -> bytes:
        """Return the same as JSON, written once for all who are told."""
        return orjson.dumps(self.data)


def known_level(message: Message[Event]) -> KnownLevel:
    """Return the level that a message of the ledger tells.

    Raises:
        Permanent: It is not the ledger's own, or has no place in a shard's sequence.
    """
    assert isinstance(message.event, StockLevelChanged), f"{message.event!r} is not a level"
    found = _SOURCE.fullmatch(message.source)
    if found is None:
        raise Permanent(f"{message.source!r} is no shard of the ledger", field="header ce_source")
    if message.position is None:
        raise Permanent("is missing", field="header ce_sequence")
    return KnownLevel(message.event, int(found[1]), message.position)


@dataclass(frozen=True, slots=True)
class Interest:
    """Which levels somebody wants to be told of; None stands for all.

    Attributes:
        skus: Of these skus.
        locations: At these locations.
        pools: At the locations of these pools.
    """

    skus: frozenset[str] | None = None
    locations: frozenset[str] | None = None
    pools: frozenset[str] | None = None

    @classmethod
    def of(
        cls,
        skus: Collection[str] | None,
        locations: Collection[str] | None,
        pools: Collection[str] | None,
    ) -> "Interest":
        """Return the interest in what is named; nothing named stands for all."""
        return cls(*(frozenset(names) if names else None for names in (skus, locations, pools)))

    def covers(self, level: StockLevelChanged) -> bool:
        """Return whether a level is wanted."""
        return (
            (self.skus is None or level.sku in self.skus)
            and (self.locations is None or level.location in self.locations)
            and (self.pools is None or level.pool in self.pools)
        )


@dataclass(frozen=True, slots=True)
class Page:
    """Present levels, read at one moment, of all wanted skus up to one, in order of the skus.

    Attributes:
        levels: Those that are wanted.
        positions: How far the books had come at that moment.
        until: The last sku it covers, by code points; None where it covers all that remain.
    """

    levels: Sequence[KnownLevel]
    positions: Positions
    until: str | None


class Backlog:
    """What one client has still to be told: at most one level of each place.

    The client is shown the books page by page, and told each change after. While a page is being
    read, changes arrive that it may or may not hold: they are kept until its positions tell.

    Invariants:
        1. A place is never told a level that is older than one it was told.
        2. Each change of a place after its page is told, or a later one of the same place.
        3. At most one level of a place waits, whatever happens while the client is slow.

    Args:
        interest: What the client wants.
    """

    def __init__(self, interest: Interest) -> None:
        self.interest = interest
        self._untils: list[str] = []
        self._positions: list[Positions] = []
        self._unsure: dict[Place, KnownLevel] = {}
        self._waiting: dict[Place, KnownLevel] = {}

    def __len__(self) -> int:
        """Return how many levels wait."""
        return len(self._waiting)

    def reading(self) -> None:
        """Note that the next page is read from now on: it holds all that came before."""
        self._unsure.clear()

    def shown(self, page: Page) -> None:
        """Note that the client is shown the next page, before anything that waits."""
        self._positions.append(page.positions)
        if page.until is not None:
            self._untils.append(page.until)
        unsure, self._unsure = self._unsure, {}
        for level in unsure.values():
            self.add(level)

    def add(self, known: KnownLevel) -> bool:
        """Take a change, as they come; return whether it takes the place of one that waited."""
        if not self.interest.covers(known.level):
            return False
        number = bisect_left(self._untils, known.level.sku)
        if number == len(self._positions):  # no page has come that far
            self._unsure[known.place] = known
            return False
        if known.position <= self._positions[number].get(known.shard, BEFORE_ALL):
            return False
        coalesced = known.place in self._waiting
        self._waiting[known.place] = known
        return coalesced

    def take(self, limit: int) -> list[KnownLevel]:
        """Return what has waited longest, and forget it."""
        places = [place for place, _ in zip(self._waiting, range(limit), strict=False)]
        return [self._waiting.pop(place) for place in places]
