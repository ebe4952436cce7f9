"""One replica of the door in this process, over a database and a broker that others share."""

from dataclasses import dataclass

from tests.integration.order_ingest.doors import door
from tests.unit.order_ingest.channels.sample import GAZETTEER
from tests.unit.order_ingest.sample import SEAL

from order_ingest.domain.places import Gazetteer
from order_ingest.handlers import Atlas, Door, Feeds, Shops, Webhooks
from order_ingest.store import (
    PostgresFeedBook,
    PostgresKeys,
    PostgresShopBook,
)
from restock_common.kafka import Producer
from restock_common.postgres import Database
from restock_common.sealing import Seal


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
    one = door(database, producer, sandboxes=shops.is_sandboxed, replay=False)
    feeds = Feeds(database, PostgresFeedBook(), one.arrivals)
    return Replica(database, one, shops, feeds, Webhooks(one, shops, SmallAtlas(), feeds))
