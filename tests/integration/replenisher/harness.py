"""A replenisher in this process, on a real broker and database, and what is sent to it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import SecretStr
from tests.support import message, outgoing, publish, publish_raw, read_messages, until

from replenisher.api import make_api
from replenisher.api.desk import Desk
from replenisher.domain.model import WorkingSet
from replenisher.domain.terms import Policy
from replenisher.store import (
    PostgresAgenda,
    PostgresCommands,
    PostgresSendings,
    PostgresStore,
    PostgresViews,
)
from replenisher.stream import Replenishment, Reviewer
from restock_common.contracts.catalogue import Product, Supplier
from restock_common.contracts.envelope import Message, Position
from restock_common.contracts.event import Event
from restock_common.contracts.forecasts import DemandForecast, HorizonForecast
from restock_common.contracts.ledger import TimeAdvanced
from restock_common.contracts.replenishment import PurchaseOrderPlaced
from restock_common.contracts.stock import StockLevelChanged, StockReceived
from restock_common.contracts.topics import CATALOGUE, FORECASTS, REPLENISHMENT, SHARDS, STOCK
from restock_common.kafka import Producer, log_bounds
from restock_common.postgres import Database, PostgresInbox
from restock_common.runtime import CatalogueReader, Stream
from restock_common.settings import KafkaSettings
from restock_common.transact import Partition

HOUSE = Policy()
MIDNIGHT = datetime(2017, 1, 3, tzinfo=UTC)
DAY = timedelta(days=1)
CATALOGUE_PARTITIONS = [Partition(CATALOGUE.name, number) for number in range(CATALOGUE.partitions)]
READ = [
    Partition(topic.name, number)
    for topic in (STOCK, FORECASTS)
    for number in range(topic.partitions)
]


@dataclass
class Running:
    """The service's parts, running."""

    kafka: KafkaSettings
    database: Database
    stream: Stream[WorkingSet]
    reviewer: Reviewer
    views: PostgresViews
    reader: CatalogueReader
    policy: Policy
    told: asyncio.Event

    @property
    def sendings(self) -> PostgresSendings:
        """Return the outbox of orders."""
        return PostgresSendings(self.database)

    @property
    def api(self) -> Any:
        """Return its windows."""
        desk = Desk(
            PostgresCommands(self.database),
            self.told,
            SecretStr("desk-key-1"),
            self.sendings,
            allow_private=True,
        )
        return make_api(self.views, self.reader.catalogue, self.policy, desk)

    async def is_quiet(self) -> bool:
        """Return whether everything sent so far has been taken, reviewed and published."""
        stream = await self.stream.progress()
        reviewer = await self.reviewer.progress()
        if stream.unpublished or reviewer.pending:
            return False
        progress = stream.plus(await self.reader.progress())
        bounds = await log_bounds(self.kafka, [*READ, *CATALOGUE_PARTITIONS])
        return all(
            progress.offsets.get(one.topic, {}).get(one.number) == end
            for one, (_, end) in bounds.items()
        )

    async def quiet(self) -> None:
        """Wait for it."""
        await until(self.is_quiet, what="the replenisher has taken everything")


@asynccontextmanager
async def running(
    kafka: KafkaSettings, database_url: str, policy: Policy = HOUSE
) -> AsyncIterator[Running]:
    """Run a replenisher; stopped in an orderly way at the end."""
    database = Database(database_url)
    await database.open()
    await database.migrate(["restock_common", "replenisher"])
    producer = Producer(kafka)
    await producer.start()
    reader = CatalogueReader(kafka)
    await reader.start()
    stream = Stream(
        service="replenisher",
        kafka=kafka,
        inbox=PostgresInbox(database),
        producer=producer,
        application=Replenishment(PostgresStore(), reader.catalogue, policy),
        topics=[STOCK, FORECASTS],
    )
    told = asyncio.Event()
    reviewer = Reviewer(stream, PostgresAgenda(database, reader.catalogue), told)
    await stream.start()
    await reviewer.start()
    try:
        yield Running(
            kafka, database, stream, reviewer, PostgresViews(database), reader, policy, told
        )
    finally:
        for part in (reviewer, stream, reader, producer):
            await part.stop()
        await database.close()


def level(
    sku: str, on_hand: int, *, location: str = "W1", backordered: int = 0
) -> StockLevelChanged:
    """Return a level."""
    return StockLevelChanged(
        sku=sku, location=location, pool="P", on_hand=on_hand, reserved=0, backordered=backordered
    )


def forecast(
    sku: str, per_day: float, *, location: str = "W1", learned_until: datetime = MIDNIGHT
) -> DemandForecast:
    """Return a steady forecast."""
    return DemandForecast(
        sku=sku,
        location=location,
        model="test",
        learned_until=learned_until,
        horizons=tuple(
            HorizonForecast(days=days, mean=per_day * days, size=5.0) for days in (1, 3, 7, 14, 28)
        ),
    )


def receipt(
    order: PurchaseOrderPlaced, index: int, quantity: int, *, name: str = "r1", on_hand: int = 50
) -> StockReceived:
    """Return a receipt on one line of a purchase order, two days after it was placed."""
    line = order.lines[index]
    return StockReceived(
        sku=line.sku,
        location=order.location,
        pool="P",
        on_hand=on_hand,
        reserved=0,
        backordered=0,
        receipt=name,
        purchase_order=order.purchase_order,
        order_line=line.order_line,
        quantity=quantity,
        received_at=order.placed_at + 2 * DAY,
    )


async def advance(kafka: KafkaSettings, until_time: datetime) -> None:
    """Pass time on as every ledger shard and the forecaster do."""
    event = TimeAdvanced(until=until_time)
    records = []
    for topic, sources in ((STOCK, SHARDS), (FORECASTS, 1)):
        for source in range(sources):
            for number in range(topic.partitions):
                sent = message(event, time=until_time, source=f"/test/{topic.name}/{source}")
                records.append(outgoing(sent, partition=number, topic=topic))
    await publish_raw(kafka, records)


async def sell(kafka: KafkaSettings, supplier: str, skus: Sequence[str], **terms: Any) -> None:
    """Put a supplier and its products into the catalogue."""
    events: list[Event] = [Supplier(supplier=supplier)]
    events += [Product(sku=sku, supplier=supplier, **terms) for sku in skus]
    await publish(kafka, events, partition=0)


async def replenishment(kafka: KafkaSettings) -> list[Message[Any]]:
    """Return everything that has been published."""
    return await read_messages(kafka, REPLENISHMENT)


async def placed(kafka: KafkaSettings) -> list[PurchaseOrderPlaced]:
    """Return the purchase orders that have been published, by location."""
    events = [one.event for one in await replenishment(kafka)]
    orders = [event for event in events if isinstance(event, PurchaseOrderPlaced)]
    return sorted(orders, key=lambda order: (order.supplier, order.location))


def positioned(event: Event, source: str, sequence: int) -> Message[Any]:
    """Return an event as the ledger's relay sends it: with its place in the writer's sequence."""
    sent = message(event, source=source)
    return Message(sent.id, source, sent.time, event, position=Position(1, sequence))
