"""A dispatcher in this process, on a real broker and a real database, and what it is told."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from pydantic import SecretStr
from tests.support import message, publish, read_messages, until

from dispatcher.api import Deliveries, Drivers, create_api
from dispatcher.domain.effort import Effort
from dispatcher.domain.rules import Rules
from dispatcher.store import PostgresDispatches, load, save
from dispatcher.stream.fulfilment import Fulfilment
from dispatcher.stream.planner import Planner
from dispatcher.stream.worker import Solver
from restock_common.contracts.catalogue import Location, Product, Vehicle
from restock_common.contracts.envelope import Message
from restock_common.contracts.event import Event
from restock_common.contracts.fulfilment import AllocationCancelRequested, OrderAllocated
from restock_common.contracts.ledger import AllocatedLine, DeliveryWindow, Place, TimeAdvanced
from restock_common.contracts.topics import DISPATCH, FULFILMENT, LEDGER, Topic
from restock_common.kafka import Producer, log_bounds, partition_of
from restock_common.postgres import Database, PostgresInbox
from restock_common.runtime import CatalogueReader, Component, Stream
from restock_common.settings import KafkaSettings
from restock_common.transact import Partition

DAY = datetime(2017, 1, 2, tzinfo=UTC)
"""The cut-off of the first wave, and the day on which its vans drive."""

DEPOT = Place(latitude=40.0, longitude=-83.0)
ADMIN_KEY = "key-of-the-drivers"
RULES = Rules(wave_size_max=1000)
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def at(hours: float) -> datetime:
    """Return an instant, in hours after the first cut-off."""
    return DAY + timedelta(hours=hours)


def of(kind: type[Any], events: list[Any]) -> list[Any]:
    """Return the events of one kind."""
    return [event for event in events if isinstance(event, kind)]


@dataclass
class Warehouse:
    """One warehouse under test and the shard that feeds it; tests of one broker share nothing.

    Attributes:
        location: Its id.
        shard: The ledger shard that answers go to.
    """

    location: str
    shard: int = 2

    @property
    def source(self) -> str:
        """Return the writer of its allocations and its time."""
        return f"/test/ledger-of-{self.location}"

    @property
    def partition(self) -> int:
        """Return its partition of the fulfilment topic."""
        return partition_of(FULFILMENT.name, self.location.encode())

    def tell(self, event: Event, time: datetime) -> Message[Any]:
        """Return an event as its shard's writer publishes it."""
        told = message(event, time=time, source=self.source)
        return Message(told.id, told.source, told.time, told.event, traceparent=TRACE)

    def allocated(
        self,
        name: str,
        *,
        hours: float = -10,
        units: int = 1,
        latitude: float = 40.02,
        longitude: float = -83.0,
        window: DeliveryWindow | None = None,
    ) -> Message[Any]:
        """Return an allocation of so many units of the sku `brick`."""
        event = OrderAllocated(
            location=self.location,
            allocation=self.allocation(name),
            order=f"shop:{name}",
            shard=self.shard,
            customer="c",
            placed_at=at(hours),
            allocated_at=at(hours),
            destination=Place(latitude=latitude, longitude=longitude),
            window=window,
            lines=(AllocatedLine(line="1", sku="brick", quantity=units),),
        )
        return self.tell(event, at(hours))

    def allocation(self, name: str) -> str:
        """Return an allocation's id; unique among the tests of one broker."""
        return f"{self.location}-{name}"

    def cancel(self, name: str, hours: float) -> Message[Any]:
        """Return a request for an allocation."""
        event = AllocationCancelRequested(
            location=self.location,
            allocation=self.allocation(name),
            order=f"shop:{name}",
            shard=self.shard,
            requested_at=at(hours),
        )
        return self.tell(event, at(hours))

    def catalogue(self, *, vans: int = 1, capacity_grams: int = 100_000) -> list[Event]:
        """Return its master data: vans with a shift from 8 to 17, bricks of 1 kg."""
        vehicles = [
            Vehicle(
                vehicle=f"{self.location}-van-{number}",
                location=self.location,
                capacity_grams=capacity_grams,
            )
            for number in range(vans)
        ]
        return [
            Location(location=self.location, pool="p", place=DEPOT),
            Product(sku="brick", supplier="s", weight_grams=1000),
            *vehicles,
        ]


class Dispatcher:
    """The running parts, and questions to them."""

    def __init__(self, kafka: KafkaSettings, database: Database) -> None:
        rules = RULES
        self.kafka = kafka
        self.producer = Producer(kafka)
        self.reader = CatalogueReader(kafka)
        self.dispatches = PostgresDispatches(database)
        self.stream = Stream(
            service="dispatcher",
            kafka=kafka,
            inbox=PostgresInbox(database),
            producer=self.producer,
            application=Fulfilment(rules, load, save),
            topics=[FULFILMENT],
            concurrent=True,
        )
        self.solver = Solver(Effort(iterations=300))
        self.planner = Planner(self.stream, self.dispatches, self.reader, [self.solver], rules)
        api = create_api(
            Deliveries(self.stream, self.dispatches),
            Drivers(self.stream, self.dispatches, self.reader),
            self.dispatches,
            admin_key=SecretStr(ADMIN_KEY),
        )
        self.http = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=api),
            base_url="http://dispatcher",
            headers={"X-API-Key": ADMIN_KEY},
        )

    async def know(self, *entities: Event) -> None:
        """Publish master data and wait until it is known here."""
        await publish(self.kafka, entities, partition=0)
        catalogue = self.reader.catalogue

        async def known() -> bool:
            kinds = (catalogue.locations, catalogue.products, catalogue.vehicles)
            held = [entity for kind in kinds for entity in kind.values()]
            return all(entity in held for entity in entities)

        await until(known, what="the catalogue is read")

    async def say(self, warehouse: Warehouse, *messages: Message[Any]) -> None:
        """Publish on the warehouse's partition and wait until all that it makes due is done."""
        await publish(self.kafka, messages, partition=warehouse.partition, topic=FULFILMENT)
        await self.quiet()

    async def tick(self, warehouse: Warehouse, hours: float) -> None:
        """Let time advance for one warehouse."""
        await self.say(warehouse, warehouse.tell(TimeAdvanced(until=at(hours)), at(hours)))

    async def quiet(self) -> None:
        """Wait until the log is read, every due wave planned and every event published."""
        partitions = [Partition(FULFILMENT.name, number) for number in range(4)]

        async def done() -> bool:
            assert self.planner.dead() is None, self.planner.dead()
            assert self.stream.dead() is None, self.stream.dead()
            told = (await self.stream.progress()).plus(await self.planner.progress())
            ends = await log_bounds(self.kafka, partitions)
            behind = any(
                told.offsets.get(FULFILMENT.name, {}).get(one.number) != end
                for one, (_, end) in ends.items()
            )
            return not behind and told.unpublished == 0 and told.pending == 0

        await until(done, what="the dispatcher is quiet", timeout_s=90)

    async def published(self, warehouse: Warehouse, topic: Topic) -> list[Message[Any]]:
        """Return what was published on a topic about one warehouse, each event once, in order."""
        found = {one.id: one for one in await read_messages(self.kafka, topic)}
        return [one for one in found.values() if one.event.location == warehouse.location]

    async def dispatch_events(self, warehouse: Warehouse) -> list[Any]:
        """Return the events about routes and deliveries."""
        return [one.event for one in await self.published(warehouse, DISPATCH)]

    async def ledger_events(self, warehouse: Warehouse) -> list[Any]:
        """Return the answers to the ledger."""
        return [one.event for one in await self.published(warehouse, LEDGER)]

    async def status(self, warehouse: Warehouse, name: str) -> str:
        """Return a shipment's status, as the API tells it."""
        answer = await self.http.get(f"/v1/shipments/{warehouse.allocation(name)}")
        status: str = answer.json()["status"]
        return status


@asynccontextmanager
async def dispatcher(
    kafka: KafkaSettings, database_url: str, *, plans: bool = True
) -> AsyncIterator[Dispatcher]:
    """Run a dispatcher; `plans=False` leaves the planner out, so that due waves stay due."""
    database = Database(database_url)
    await database.open()
    await database.migrate(["restock_common", "dispatcher"])
    running = Dispatcher(kafka, database)
    await running.producer.start()
    parts: list[Component] = [running.reader, running.stream, *([running.planner] if plans else [])]
    try:
        for part in parts:
            await part.start()

        async def ready() -> bool:
            return running.stream.not_ready() is None

        await until(ready, what="the stream has joined")
        yield running
    finally:
        await running.http.aclose()
        for part in reversed(parts):
            await part.stop()
        await running.producer.stop()
        await database.close()
