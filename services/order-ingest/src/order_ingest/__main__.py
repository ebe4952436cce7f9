"""The composition root: `python -m order_ingest`."""

import socket
from datetime import timedelta

import uvloop

from order_ingest.api import KeyRing, Limit, Limits, create_api
from order_ingest.domain.privacy import Privacy
from order_ingest.handlers import (
    STALE_S,
    Atlas,
    Catcher,
    Clock,
    Customers,
    Desk,
    Door,
    Feeds,
    Gaps,
    Keys,
    Outlet,
    Polls,
    Shops,
    Webhooks,
)
from order_ingest.settings import Settings, shops_by_key
from order_ingest.store import (
    PostgresAnswers,
    PostgresFeedBook,
    PostgresGaps,
    PostgresKeys,
    PostgresOrderBook,
    PostgresPollBook,
    PostgresRecipients,
    PostgresRegister,
    PostgresShopBook,
    PostgresSpool,
    PostgresWaitingRoom,
)
from order_ingest.stream import (
    LEASE,
    Drainer,
    FeedKeeper,
    Housekeeper,
    MqttDevices,
    Poller,
    ShopWatch,
    StorefrontOrders,
    Ticker,
)
from restock_common import telemetry
from restock_common.contracts.topics import STOREFRONT_ORDERS
from restock_common.kafka import Producer
from restock_common.postgres import Database, PostgresInbox
from restock_common.runtime import CatalogueReader, Component, Service, Stream
from restock_common.sealing import Seal, parse_keys
from restock_common.settings import read_settings

SERVICE = "order-ingest"


def build(settings: Settings) -> Service:
    """Return the service, wired and not yet started."""
    shops_of_keys = shops_by_key(settings.api_keys)
    url = settings.database_url.get_secret_value()
    database = Database(url)
    # A sender has a limit of its own, and is told to come again; the stream just waits.
    doors = Database(url, within_s=settings.database_timeout_s)
    producer = Producer(settings)
    clock = Clock(replay=settings.clock == "replay")
    reader = CatalogueReader(settings, today=lambda: clock.come().date())
    master = Seal(parse_keys(settings.master_keys.get_secret_value()))
    book, register, room = PostgresOrderBook(), PostgresRegister(), PostgresWaitingRoom(master)
    privacy = Privacy(settings.token_secret.get_secret_value(), settings.position_decimals)
    customers = Customers(doors, PostgresRecipients(master), privacy)
    shops = Shops(
        doors,
        PostgresShopBook(master),
        PostgresKeys(),
        of_keys=set(shops_of_keys.values()),
        allow_private=settings.poll_allow_private,
    )
    outlet = Outlet(producer, PostgresSpool(doors), patience_s=settings.publish_timeout_s)
    door = Door(
        desk=Desk(master_data=reader, clock=clock, outlet=outlet, sandboxes=shops.is_sandboxed),
        database=doors,
        book=book,
        register=register,
        customers=customers,
        room=room,
        seal=settings.dead_letter_seal(),
    )
    feeds = Feeds(doors, PostgresFeedBook(), door.arrivals)
    webhooks = Webhooks(door, shops, Atlas(), feeds)
    stream = Stream(
        service=SERVICE,
        kafka=settings,
        inbox=PostgresInbox(database),
        producer=producer,
        application=StorefrontOrders(door, book, register, room, shops.may_send_orders),
        topics=[STOREFRONT_ORDERS],
    )
    watch = ShopWatch(shops, webhooks.prepare, every_s=STALE_S)
    answers = PostgresAnswers(doors, master)
    keys = Keys(doors, PostgresKeys(), shops_of_keys, cache_s=settings.keys_cache_s)
    limits = Limits(settings.body_timeout_s, settings.bulk_max_bytes)
    housekeeper = Housekeeper(
        door,
        answers,
        keys,
        give_up_after=timedelta(days=settings.waiting_days),
        forget_after=timedelta(days=settings.answers_days),
    )
    components: list[Component] = [reader, watch, Drainer(outlet), stream, housekeeper]
    components += _what_is_missed(settings, doors, shops, feeds, webhooks)
    if settings.clock == "live":
        components.append(Ticker(door, every_s=settings.clock_tick_s))
    components += _devices(settings, door)

    async def opening() -> None:
        await database.open()
        await database.migrate(["restock_common", "order_ingest"])
        await doors.open()
        await producer.start()
        if await shops.exist():
            await webhooks.prepare()

    async def closing() -> None:
        await producer.stop()
        await doors.close()
        await database.close()

    ring = KeyRing(
        keys,
        by_key=_limit(settings.key_requests_per_s),
        by_address=_limit(settings.address_requests_per_s),
    )
    gaps = Gaps(doors, PostgresGaps())
    api = create_api(door, keys, ring, answers, limits, webhooks, shops, gaps)
    return Service(SERVICE, settings, api, components, opening, closing)


def _what_is_missed(
    settings: Settings, database: Database, shops: Shops, feeds: Feeds, webhooks: Webhooks
) -> list[Component]:
    """Return what tells which orders shops have not told, and what reads them."""
    poller = Poller(
        Polls(database, PostgresPollBook(), lease=LEASE),
        shops,
        Catcher(webhooks, feeds),
        feeds,
        overlap=timedelta(seconds=settings.poll_overlap_s),
        allow_private=settings.poll_allow_private,
    )
    return [FeedKeeper(feeds, chance=settings.silence_chance), poller]


def _devices(settings: Settings, door: Door) -> list[Component]:
    """Return the door for devices that speak MQTT, where there is one."""
    if settings.mqtt_url is None:
        return []
    devices = MqttDevices(
        door.devices.take,
        url=settings.mqtt_url,
        client_id=settings.mqtt_client_id or f"{SERVICE}-{socket.gethostname()}",
        session_expiry_s=settings.mqtt_session_expiry_s,
    )
    return [devices]


def _limit(per_s: float) -> Limit:
    return Limit(per_s, burst=int(2 * per_s))


async def main() -> int:
    """Run the service; return the exit code."""
    settings = read_settings(Settings)
    telemetry.configure(SERVICE, settings)
    return await build(settings).run()


if __name__ == "__main__":
    raise SystemExit(uvloop.run(main()))
