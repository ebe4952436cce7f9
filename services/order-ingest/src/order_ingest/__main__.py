"""The composition root: `python -m order_ingest`."""

import uvloop

from order_ingest.api import create_api
from order_ingest.handlers import STALE_S, Atlas, Clock, Door, Shops, Webhooks
from order_ingest.settings import Settings, shops_by_key
from order_ingest.store import PostgresOrderBook, PostgresRegister, PostgresShopBook
from order_ingest.stream import ShopWatch, StorefrontOrders, Ticker
from restock_common import telemetry
from restock_common.contracts.topics import STOREFRONT_ORDERS
from restock_common.kafka import Producer
from restock_common.postgres import Database, PostgresInbox
from restock_common.runtime import CatalogueReader, Component, Service, Stream
from restock_common.settings import read_settings

SERVICE = "order-ingest"


def build(settings: Settings) -> Service:
    """Return the service, wired and not yet started."""
    shops_of_keys = shops_by_key(settings.api_keys)
    database = Database(settings.database_url.get_secret_value())
    producer = Producer(settings)
    reader = CatalogueReader(settings)
    book, register = PostgresOrderBook(), PostgresRegister()
    shops = Shops(database, PostgresShopBook(settings.installation_secret))
    door = Door(
        master_data=reader,
        clock=Clock(replay=settings.clock == "replay"),
        database=database,
        book=book,
        register=register,
        producer=producer,
        publish_timeout_s=settings.publish_timeout_s,
        sandboxes=shops.is_sandboxed,
    )
    webhooks = Webhooks(door, shops, Atlas())
    stream = Stream(
        service=SERVICE,
        kafka=settings,
        inbox=PostgresInbox(database),
        producer=producer,
        application=StorefrontOrders(door, book, register, shops_of_keys.values()),
        topics=[STOREFRONT_ORDERS],
    )
    watch = ShopWatch(shops, every_s=STALE_S)
    components: list[Component] = [reader, watch, stream]
    if settings.clock == "live":
        components.append(Ticker(door, every_s=settings.clock_tick_s))

    async def opening() -> None:
        await database.open()
        await database.migrate(["restock_common", "order_ingest"])
        await producer.start()
        if await shops.exist():
            await webhooks.prepare()

    async def closing() -> None:
        await producer.stop()
        await database.close()

    api = create_api(door, shops_of_keys, webhooks, shops)
    return Service(SERVICE, settings, api, components, opening, closing)


async def main() -> int:
    """Run the service; return the exit code."""
    settings = read_settings(Settings)
    telemetry.configure(SERVICE, settings)
    return await build(settings).run()


if __name__ == "__main__":
    raise SystemExit(uvloop.run(main()))
