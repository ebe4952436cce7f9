"""The topics read back while the demo runs: what was really published, and the world's news."""

import asyncio
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Self

import orjson

from restock_common.contracts import TYPES
from restock_common.contracts.dead_letters import DeadLetter
from restock_common.contracts.demand import DemandObserved
from restock_common.contracts.dispatch import RoutePlanned, ShipmentDelivered, ShipmentUnserved
from restock_common.contracts.envelope import Record, decode
from restock_common.contracts.event import Event
from restock_common.contracts.forecasts import DemandForecast
from restock_common.contracts.ledger import OrderPlaced, ShipmentDispatched
from restock_common.contracts.replenishment import PurchaseOrderPlaced
from restock_common.contracts.stock import StockReserved
from restock_common.contracts.topics import (
    DEAD_LETTERS,
    DEMAND,
    DISPATCH,
    FORECASTS,
    LEDGER,
    REPLENISHMENT,
    STOCK,
)
from restock_common.errors import Transient
from restock_common.kafka import Sweep
from restock_common.settings import KafkaSettings
from restock_common.transact import Partition
from restock_local.demo.world import Carriers, Suppliers

_READ = (LEDGER, STOCK, DEMAND, FORECASTS, REPLENISHMENT, DISPATCH, DEAD_LETTERS)
_PARTITIONS = [Partition(topic.name, n) for topic in _READ for n in range(topic.partitions)]
_EVERY_S = 0.5


class Tally:
    """Counts what was published, each thing once however often its record was written.

    Attributes:
        order_records: OrderPlaced records on the ledger topic, by global order id.
        reserved_records: StockReserved records; may count a repeated one again.
        demand_lines: DemandObserved events of different ids, by (order, line).
        forecasts: Ids of DemandForecast events.
        purchase_orders: Ids of purchase orders placed.
        routes: Ids of routes planned.
        delivered: Allocations that reached the customer.
        unserved: Allocations that found no place on a route at least once.
        dead_letters: Reasons, by the source record.
    """

    def __init__(self, suppliers: Suppliers, carriers: Carriers) -> None:
        self.order_records: Counter[str] = Counter()
        self.reserved_records = 0
        self.demand_lines: Counter[tuple[str, str]] = Counter()
        self.forecasts: set[bytes] = set()
        self.purchase_orders: set[str] = set()
        self.routes: set[str] = set()
        self.delivered: set[str] = set()
        self.unserved: set[str] = set()
        self.dead_letters: dict[tuple[str, int, int], str] = {}
        self._demand_ids: set[bytes] = set()
        self._suppliers = suppliers
        self._carriers = carriers
        self._takers: dict[bytes, Callable[[Record, bytes], None]] = {
            _type(OrderPlaced): self._take_order,
            _type(StockReserved): self._take_reservation,
            _type(DemandObserved): self._take_demand,
            _type(DemandForecast): self._take_forecast,
            **{
                _type(kind): self._take_event
                for kind in (
                    ShipmentDispatched,
                    PurchaseOrderPlaced,
                    RoutePlanned,
                    ShipmentUnserved,
                    ShipmentDelivered,
                    DeadLetter,
                )
            },
        }

    @property
    def demand_events(self) -> int:
        """Return how many demands were observed, by different ids."""
        return len(self._demand_ids)

    def take(self, record: Record) -> None:
        """Count one record. The many kinds are looked at no closer than needed."""
        attributes = dict(record.headers)
        taker = self._takers.get(attributes.get("ce_type", b""))
        if taker is not None:
            taker(record, attributes.get("ce_id", b""))

    def _take_order(self, record: Record, _identity: bytes) -> None:
        self.order_records[_fields(record)["order"]] += 1

    def _take_reservation(self, _record: Record, _identity: bytes) -> None:
        self.reserved_records += 1

    def _take_demand(self, record: Record, identity: bytes) -> None:
        if identity not in self._demand_ids:
            self._demand_ids.add(identity)
            fields = _fields(record)
            self.demand_lines[fields["order"], fields["line"]] += 1

    def _take_forecast(self, _record: Record, identity: bytes) -> None:
        self.forecasts.add(identity)

    def _take_event(self, record: Record, _identity: bytes) -> None:
        match decode(record, TYPES).event:
            case ShipmentDispatched() as shipment:
                self._carriers.take_departure(shipment)
            case PurchaseOrderPlaced() as order:
                self.purchase_orders.add(order.purchase_order)
                self._suppliers.take_order(order)
            case RoutePlanned() as route:
                self.routes.add(route.route)
                self._carriers.take_route(route)
            case ShipmentUnserved(allocation=allocation):
                self.unserved.add(allocation)
            case ShipmentDelivered(allocation=allocation):
                self.delivered.add(allocation)
            case DeadLetter() as letter:
                source = (letter.source_topic, letter.source_partition, letter.source_offset)
                self.dead_letters[source] = f"{letter.consumer}: {letter.reason}"
            case _:
                pass


class Readback:
    """Reads the topics in the background, every now and then, and keeps a tally of them."""

    def __init__(self, kafka: KafkaSettings, tally: Tally) -> None:
        self._sweep = Sweep(kafka, _PARTITIONS)
        self._tally = tally
        self._background: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Begin to read."""
        await self._sweep.__aenter__()
        self._background = asyncio.create_task(self._read_now_and_then())
        return self

    async def __aexit__(self, *_: object) -> None:
        """End."""
        if self._background is not None:
            self._background.cancel()
            await asyncio.gather(self._background, return_exceptions=True)
        await self._sweep.__aexit__()

    async def catch_up(self) -> None:
        """Return once all that is on the topics now has been counted. Raises Transient."""
        if self._background is not None and self._background.done():
            self._background.result()
        async for record in self._sweep.rest():
            self._tally.take(record)

    async def _read_now_and_then(self) -> None:
        """Leave little to catch up with."""
        while True:
            await asyncio.sleep(_EVERY_S)
            with suppress(Transient):  # the next time, or `catch_up` tells
                async for record in self._sweep.some():
                    self._tally.take(record)


def _type(kind: type[Event]) -> bytes:
    return kind.type_name().encode()


def _fields(record: Record) -> dict[str, str]:
    fields: dict[str, str] = orjson.loads(record.value or b"{}")
    return fields
