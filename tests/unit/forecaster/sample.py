"""Messages as the ledger's shards send them, and a log that is taken in by hand."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from forecaster import handlers
from forecaster.handlers import PartitionState
from restock_common.contracts.demand import DemandObserved
from restock_common.contracts.envelope import Message, Position, derive_id
from restock_common.contracts.event import Event
from restock_common.contracts.forecasts import DemandForecast
from restock_common.contracts.ledger import TimeAdvanced
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
