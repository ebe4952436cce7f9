"""Messages as the ledger's shards send them, and a log that is taken in by hand."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from forecaster import handlers, store
from forecaster.domain.checkpoint import Checkpoint, Loaded, Torn
from forecaster.domain.state import PartitionState
from restock_common.contracts.catalogue import SeriesValue
from restock_common.contracts.demand import (
    DemandObserved,
    FactsNoted,
    ForecastOverridden,
    ProductNote,
    SiteNote,
    StockoutEnded,
    StockoutStarted,
)
from restock_common.contracts.envelope import Message, Position, derive_id
from restock_common.contracts.event import Event
from restock_common.contracts.forecasts import DemandForecast
from restock_common.contracts.ledger import TimeAdvanced
from restock_common.contracts.promotions import Price, Promotion
from restock_common.contracts.topics import SHARDS

FIRST_DAY = datetime(2017, 1, 2, tzinfo=UTC)


def midnight(days: float) -> datetime:
    """Return the moment so many days after the first midnight."""
    return FIRST_DAY + timedelta(days=days)


class Shards:
    """The ledger's shards: each numbers what it sends."""

    def __init__(self) -> None:
        self._sequences = [0] * SHARDS

    def says(self, shard: int, event: Event, time: datetime) -> Message[Any]:
        """Return the next message of a shard."""
        self._sequences[shard] += 1
        position = Position(1, self._sequences[shard])
        source = f"/restock/stock-ledger/restock.ledger.v1/{shard}"
        return Message(
            id=derive_id(source, position), source=source, time=time, event=event, position=position
        )

    def asks(
        self, day: float, sku: str, quantity: int = 1, *, location: str = "north", shard: int = 0
    ) -> Message[Any]:
        """Return demand at noon of a day."""
        moment = midnight(day + 0.5)
        event = DemandObserved(
            sku=sku,
            location=location,
            pool="pool",
            order=f"shop:{day}",
            line="1",
            quantity=quantity,
            occurred_at=moment,
        )
        return self.says(shard, event, moment)

    def time(self, until: datetime, shards: Iterable[int] = range(SHARDS)) -> list[Message[Any]]:
        """Return the time as these shards pass it on."""
        return [self.says(shard, TimeAdvanced(until=until), until) for shard in shards]

    def out_of_stock(
        self, start: float, end: float, sku: str, *, location: str = "north", shard: int = 0
    ) -> list[Message[Any]]:
        """Return that nothing of a sku could be bought for a while."""
        return [
            self.says(
                shard, kind(sku=sku, location=location, pool="pool", at=midnight(at)), midnight(at)
            )
            for kind, at in ((StockoutStarted, start), (StockoutEnded, end))
        ]


def noted(number: int, event: FactsNoted) -> Message[Any]:
    """Return facts as they are noted on a partition, the `number`th time."""
    return Message(
        id=f"facts-{number}",
        source="/restock/forecaster/restock.catalogue.v1/0",
        time=FIRST_DAY,
        event=event,
        position=Position(1, number),
    )


def facts(day: int = 0) -> FactsNoted:
    """Return some of everything that can be noted."""
    first = midnight(day).date()
    return FactsNoted(
        partition=0,
        products=(
            ProductNote(sku="tea", category="drinks", unit_price=4.0),
            ProductNote(sku="ale", category="beer", effective_from=midnight(day + 3).date()),
        ),
        sites=(SiteNote(location="north", country="US", closed_weekdays=(6,)),),
        series=(SeriesValue(series="weather", day=first, value=21.5),),
        promotions=(
            Promotion(
                promotion="spring",
                sku="tea",
                starts_on=midnight(day + 2).date(),
                ends_on=midnight(day + 5).date(),
                discount_share=0.2,
                mechanic="display",
            ),
        ),
        prices=(Price(sku="tea", effective_from=midnight(day + 4).date(), price=3.0),),
    )


def overridden(day: int, sku: str = "tea", **how: Any) -> Message[Any]:
    """Return that a planner expects 10 units a day for four days, unless told otherwise."""
    told = {
        "override": "o-1",
        "sku": sku,
        "location": "north",
        "first_day": midnight(day).date(),
        "last_day": midnight(day + 3).date(),
        "units_per_day": 10.0,
        "by": "ada",
        "reason": "a fair in town",
        "at": midnight(day),
    }
    event = ForecastOverridden.model_validate(told | how)
    return Message(
        id=f"override-{event.override}-{day}",
        source="/restock/forecaster/overrides",
        time=midnight(day),
        event=event,
    )


class Table:
    """A table that checkpoints are written to, record by record, and its changelog."""

    def __init__(self) -> None:
        self.records: dict[bytes, bytes] = {}
        self.changelog: list[tuple[bytes, bytes]] = []
        self.complete = self.digest = 0

    def begin(self, state: PartitionState) -> Checkpoint:
        """Return what a checkpoint writes."""
        return store.checkpoint(state, self.complete, self.digest)

    def write(self, records: Iterable[tuple[bytes, bytes]]) -> None:
        """Write some records."""
        for name, value in records:
            self.records[name] = value
            self.changelog.append((name, value))

    def save(self, state: PartitionState) -> int:
        """Write a whole checkpoint; return its offset."""
        written = self.begin(state)
        self.write([*written.parts.items(), (store.head_name(state.number), written.head)])
        self.complete, self.digest = state.next_offset, written.digest
        state.forget_changes()
        return self.complete

    def load(self, number: int = 0) -> PartitionState:
        """Return the partition as of the last whole checkpoint."""
        found = loaded(self.records, number)
        assert isinstance(found, Loaded), found
        self.complete, self.digest = found.state.next_offset, found.digest
        return found.state


def loaded(records: Mapping[bytes, bytes], number: int = 0) -> Loaded | Torn:
    """Return what is found of a partition."""
    return store.load(records.items(), [number])[number]


def take_all(state: PartitionState, messages: Sequence[Message[Any]]) -> list[Message[Any]]:
    """Take messages in as the stream does, one offset each; return all that is published."""
    published = []
    for message in messages:
        published += handlers.take(state, message)
        state.next_offset += 1
    return published


def forecasts(published: Iterable[Message[Any]]) -> list[DemandForecast]:
    """Return the forecasts among what was published."""
    return [one.event for one in published if isinstance(one.event, DemandForecast)]


def times(published: Iterable[Message[Any]]) -> list[datetime]:
    """Return the times among what was published."""
    return [one.event.until for one in published if isinstance(one.event, TimeAdvanced)]
