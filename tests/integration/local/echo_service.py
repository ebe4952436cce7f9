"""The smallest service there can be: demand observed for every order line, as a process."""

import asyncio
from collections.abc import Iterable, Sequence

from fastapi import FastAPI

from restock_common.contracts.demand import DemandObserved
from restock_common.contracts.envelope import Message, Record
from restock_common.contracts.event import Event
from restock_common.contracts.ledger import OrderPlaced
from restock_common.contracts.topics import (
    DEMAND,
    FORECASTS,
    FULFILMENT,
    LEDGER,
    PROMOTIONS,
    STOCK,
)
from restock_common.contracts.topics import STOREFRONT_ORDERS as ORDERS
from restock_common.kafka import Producer
from restock_common.postgres import Connection, Database, PostgresInbox
from restock_common.runtime import CatalogueReader, Component, Service, Stream
from restock_common.settings import ServiceSettings, read_settings
from restock_common.transact import Emission, read_event


class Echo:
    def read(self, record: Record) -> Message[Event] | None:
        return read_event(record, frozenset({OrderPlaced}))

    async def load(self, connection: Connection, messages: Sequence[Message[Event]]) -> None:
        pass

    def handle(self, state: None, message: Message[Event]) -> Iterable[Emission]:
        assert state is None
        order = message.event
        assert isinstance(order, OrderPlaced)
        for line in order.lines:
            yield Emission(
                DemandObserved(
                    sku=line.sku,
                    location="here",
                    pool="home",
                    order=order.order,
                    line=line.line,
                    quantity=line.quantity,
                    occurred_at=order.placed_at,
                )
            )

    async def save(self, connection: Connection, state: None) -> None:
        pass


async def main() -> int:
    settings = read_settings(ServiceSettings)
    database = Database(settings.database_url.get_secret_value())
    producer = Producer(settings)
    stream = Stream(
        service="echo",
        kafka=settings,
        inbox=PostgresInbox(database),
        producer=producer,
        application=Echo(),
        topics=[ORDERS, LEDGER, STOCK, FULFILMENT, DEMAND, FORECASTS, PROMOTIONS],
    )

    async def opening() -> None:
        await producer.start()
        await database.open()
        await database.migrate(["restock_common"])

    async def closing() -> None:
        await producer.stop()
        await database.close()

    parts: list[Component] = [CatalogueReader(settings), stream]
    return await Service("echo", settings, FastAPI(), parts, opening, closing).run()


if __name__ == "__main__":
    raise SystemExit(asyncio.run(main()))
