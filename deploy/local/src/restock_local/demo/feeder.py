"""The feeder: sends the replay through the doors, one stretch of event time after the other.

What is sent in a stretch is sent in event-time order, and the next one begins when nothing is on
its way any more on the orders' path: between the doors, the ledger and the warehouses. Who learns
from it, forecasts and reviews, catches up until the next review: nothing of theirs comes back
before. So each service sees the same events in the same order whatever the machine's speed, and the
figures follow from the data and the seed alone.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Literal

import orjson

from restock_common.contracts.catalogue import CatalogueEntity, Product, Supplier
from restock_local.demo.calendar import START, Stretch, stretches
from restock_local.demo.door import Door, bodies
from restock_local.demo.geography import LOCATIONS, POOLS, VEHICLES
from restock_local.demo.plan import Cancellation, Plan, Submission
from restock_local.demo.stock import Count
from restock_local.demo.world import Carriers, Delivery, Receipt, Suppliers

ORDERS_A_REQUEST = 300
_RECEIPTS_A_REQUEST = 200
_DELIVERIES_A_REQUEST = 1_000
_ENTITIES_A_REQUEST = 5_000

Moment = Literal["sending", "closing"]
"""Half of a stretch's requests have gone out; its clock has been set and is being followed."""

OnStretch = Callable[[Stretch, Moment], Awaitable[None]]
"""Called at moments of a stretch, beside what goes on."""


async def nothing(_stretch: Stretch, _moment: Moment) -> None:
    """Do nothing beside a stretch."""


@dataclass(frozen=True, slots=True)
class Doors:
    """The doors that the outside world uses."""

    ingest: Door
    dispatcher: Door


@dataclass(frozen=True, slots=True)
class World:
    """Who acts beside the storefront."""

    suppliers: Suppliers
    carriers: Carriers


class Feeder:
    """Sends one replay.

    Args:
        doors: Where to.
        world: Suppliers and carriers, told of what is published by somebody else.
        quiet: Returns once nothing is on its way, anywhere.
        settled: Returns once nothing is on its way on the orders' path.
        listen: Returns once the world has been told of everything that was published.
        on_stretch: See `OnStretch`.
        orders_a_request: How many orders go into one request at most.
    """

    def __init__(
        self,
        doors: Doors,
        world: World,
        quiet: Callable[[], Awaitable[None]],
        settled: Callable[[], Awaitable[None]],
        listen: Callable[[], Awaitable[None]],
        *,
        on_stretch: OnStretch = nothing,
        orders_a_request: int = ORDERS_A_REQUEST,
    ) -> None:
        self._doors = doors
        self._world = world
        self._quiet = quiet
        self._settled = settled
        self._listen = listen
        self._on_stretch = on_stretch
        self._orders_a_request = orders_a_request

    async def prepare(
        self, products: Sequence[Product], suppliers: Sequence[Supplier], counts: Iterable[Count]
    ) -> None:
        """Send the master data, then what stands on the shelves when the replay begins."""
        await self._put("pools", POOLS)
        await self._put("locations", LOCATIONS)
        await self._put("suppliers", suppliers)
        await self._put("vehicles", VEHICLES)
        await self._put("products", products)
        await self._quiet()
        for count in counts:
            await self._doors.ingest.post("/v1/counts", _count_body(count))
        await self._quiet()

    async def replay(self, plan: Plan, days: int, begun: Callable[[Stretch], None]) -> None:
        """Send all that is planned, and what the world answers to it.

        Args:
            plan: What the storefront sends.
            days: How many event days.
            begun: Told of each stretch before it is sent.
        """
        for stretch in stretches(days):
            begun(stretch)
            deliveries = self._world.carriers.due(stretch.begin)
            requests = self._requests(plan, stretch)
            cancellations = plan.cancelled_in(stretch)
            # what is delivered was shipped before: it meets nothing of what is sent now
            await asyncio.gather(self._confirm(deliveries), self._send(requests, stretch))
            for cancellation in cancellations:
                await self._cancel(cancellation)
            if deliveries or requests or cancellations:
                await self._settled()  # offers and answers to them must not race the clock
            await self._doors.ingest.post("/v1/clock", orjson.dumps({"until": stretch.end}))
            await self._on_stretch(stretch, "closing")
            await (self._quiet() if stretch.is_reviewed else self._settled())
            await self._listen()
        await self._confirm(self._world.carriers.due(stretch.end))
        await self._quiet()
        await self._listen()

    async def _put(self, kind: str, entities: Sequence[CatalogueEntity]) -> None:
        items = (entity.model_dump_json().encode() for entity in entities)
        for body in bodies("items", items, max_items=_ENTITIES_A_REQUEST):
            await self._doors.ingest.put(f"/v1/{kind}:batch", body)

    def _requests(self, plan: Plan, stretch: Stretch) -> list[tuple[str, bytes]]:
        """Return what a stretch sends, as (path, body): orders and receipts in event-time order."""
        happenings: list[tuple[datetime, int, Submission | Receipt]] = [
            (receipt.received_at, 0, receipt) for receipt in self._world.suppliers.due(stretch.end)
        ]
        happenings += [(each.at, 1, each) for each in plan.submitted_in(stretch)]
        happenings.sort(key=lambda happening: happening[:2])
        requests = []
        for kind, group in groupby(happenings, key=lambda happening: happening[1]):
            items = (_item(happening[2]) for happening in group)
            path, field, most = (
                ("/v1/receipts:batch", "receipts", _RECEIPTS_A_REQUEST),
                ("/v1/orders:batch", "orders", self._orders_a_request),
            )[kind]
            requests += [(path, body) for body in bodies(field, items, max_items=most)]
        return requests

    async def _send(self, requests: Sequence[tuple[str, bytes]], stretch: Stretch) -> None:
        beside: asyncio.Future[None] | None = None
        for number, (path, body) in enumerate(requests):
            if number == len(requests) // 2:
                beside = asyncio.ensure_future(self._on_stretch(stretch, "sending"))
            await self._doors.ingest.post(path, body)
        if beside is not None:
            await beside

    async def _cancel(self, cancellation: Cancellation) -> None:
        body = {"cancelled_at": cancellation.at, "reason": "changed their mind"}
        await self._doors.ingest.post(f"/v1/orders/{cancellation.order}/cancel", orjson.dumps(body))

    async def _confirm(self, deliveries: Iterable[Delivery]) -> None:
        """Confirm deliveries made by a time that every service has closed."""
        items = map(_delivery_item, deliveries)
        for body in bodies("items", items, max_items=_DELIVERIES_A_REQUEST):
            await self._doors.dispatcher.post("/v1/shipments:delivered", body)


def _item(happening: Submission | Receipt) -> bytes:
    return happening.body if isinstance(happening, Submission) else _receipt_item(happening)


def _receipt_item(receipt: Receipt) -> bytes:
    return orjson.dumps(
        {
            "receipt": receipt.receipt,
            "purchase_order": receipt.purchase_order,
            "location": receipt.location,
            "received_at": receipt.received_at,
            "lines": [
                {"order_line": order_line, "sku": sku, "quantity": units}
                for order_line, sku, units in receipt.lines
            ],
        }
    )


def _delivery_item(delivery: Delivery) -> bytes:
    return orjson.dumps({"allocation": delivery.allocation, "delivered_at": delivery.delivered_at})


def _count_body(count: Count) -> bytes:
    return orjson.dumps(
        {
            "count": count.count,
            "location": count.location,
            "counted_at": START,
            "lines": [{"sku": sku, "quantity": units} for sku, units in count.lines],
        }
    )
