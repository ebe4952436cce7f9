"""The composition root: `python -m order_ingest`."""

from datetime import timedelta

import uvloop

from order_ingest.api import Limits, create_api
from order_ingest.handlers import Clock, Door, Outlet
from order_ingest.settings import Settings, shops_by_key
from order_ingest.store import (
    PostgresAnswers,
    PostgresOrderBook,
    PostgresRegister,
    PostgresSpool,
    PostgresWaitingRoom,
)
from order_ingest.stream import Drainer, Housekeeper, StorefrontOrders, Ticker
from restock_common import telemetry
from restock_common.contracts.topics import STOREFRONT_ORDERS
from restock_common.kafka import Producer
from restock_common.postgres import Database, PostgresInbox
from restock_common.runtime import CatalogueReader, Component, Service, Stream
from restock_common.settings import read_settings

SERVICE = "order-ingest"


def build(settings: Settings) -> Service:
    """Return the service, wired and not yet started."""
    shops = shops_by_key(settings.api_keys)
    url = settings.database_url.get_secret_value()
    database = Database(url)
    # A sender has a limit of its own, and is told to come again; the stream just waits.
    doors = Database(url, patience_s=settings.database_timeout_s)
    producer = Producer(settings)
    reader = CatalogueReader(settings)
    book, register, room = PostgresOrderBook(), PostgresRegister(), PostgresWaitingRoom()
    outlet = Outlet(producer, PostgresSpool(doors), patience_s=settings.publish_timeout_s)
    door = Door(
        master_data=reader,
        clock=Clock(replay=settings.clock == "replay"),
        database=doors,
        book=book,
        register=register,
        outlet=outlet,
        room=room,
    )
    stream = Stream(
        service=SERVICE,
        kafka=settings,
        inbox=PostgresInbox(database),
        producer=producer,
        application=StorefrontOrders(door, book, register, room, shops.values()),
        topics=[STOREFRONT_ORDERS],
    )
    answers = PostgresAnswers(doors)
    limits = Limits(settings.body_timeout_s, settings.bulk_max_bytes)
    housekeeper = Housekeeper(
        door,
        answers,
        give_up_after=timedelta(days=settings.waiting_days),
        forget_after=timedelta(days=settings.answers_days),
    )
    components: list[Component] = [reader, Drainer(outlet), stream, housekeeper]
    if settings.clock == "live":
        components.append(Ticker(door, every_s=settings.clock_tick_s))

    async def opening() -> None:
        await database.open()
        await database.migrate(["restock_common", "order_ingest"])
        await doors.open()
        await producer.start()

    async def closing() -> None:
        await producer.stop()
        await doors.close()
        await database.close()

    return Service(
        SERVICE, settings, create_api(door, shops, answers, limits), components, opening, closing
    )


async def main() -> int:
    """Run the service; return the exit code."""
    settings = read_settings(Settings)
    telemetry.configure(SERVICE, settings)
    return await build(settings).run()


if __name__ == "__main__":
    raise SystemExit(uvloop.run(main()))
