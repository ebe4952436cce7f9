"""One replica of the door in this process, over a database and a broker that others share."""

from dataclasses import dataclass

from tests.unit.order_ingest.channels.sample import GAZETTEER
from tests.unit.order_ingest.sample import SEAL, catalogue, customers

from order_ingest.domain.places import Gazetteer
from order_ingest.handlers import Atlas, Clock, Desk, Door, Feeds, Outlet, Shops, Webhooks
from order_ingest.store import (
    PostgresFeedBook,
    PostgresKeys,
    PostgresOrderBook,
    PostgresRegister,
    PostgresShopBook,
    PostgresSpool,
    PostgresWaitingRoom,
)
from restock_common.kafka import Producer
from restock_common.postgres import Database
from restock_common.sealing import Seal


class Read:
    """Master data that has been read."""

    catalogue = catalogue()

    def not_ready(self) -> None:
        return None


class SmallAtlas(Atlas):
    """A map of nine cities."""

    async def gazetteer(self) -> Gazetteer:
        return GAZETTEER


@dataclass(frozen=True, slots=True)
class Replica:
    """What tests speak to."""

    database: Database
    door: Door
    shops: Shops
    feeds: Feeds
    webhooks: Webhooks


def known_shops(database: Database, seal: Seal = SEAL) -> Shops:
    """Return the shops as a replica knows them."""
    return Shops(database, PostgresShopBook(seal), PostgresKeys(), allow_private=True)


def replica(database: Database, producer: Producer) -> Replica:
    shops = known_shops(database)
    shops.sandboxes = frozenset()  # as it is read at the start
    door = Door(
        desk=Desk(
            master_data=Read(),
            clock=Clock(replay=False),
            outlet=Outlet(producer, PostgresSpool(database), patience_s=30),
            sandboxes=shops.is_sandboxed,
        ),
        database=database,
        book=PostgresOrderBook(),
        register=PostgresRegister(),
        customers=customers(database),
        room=PostgresWaitingRoom(SEAL),
        seal=SEAL,
    )
    feeds = Feeds(database, PostgresFeedBook(), door.arrivals)
    return Replica(database, door, shops, feeds, Webhooks(door, shops, SmallAtlas(), feeds))
