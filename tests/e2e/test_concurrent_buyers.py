"""1,000 buyers at once for 100 units of one sku, through both doors: exactly 100 are promised.

Order-ingest and the stock-ledger run as processes on a real broker and PostgreSQL; each of the ten
runs sells a sku of its own, and time advances while the buyers buy. What is promised in the end is
certain: an order ends as backordered only after its home pool has given what it had, units never
come back, and each pool is home to more demand than there is stock anywhere.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import orjson
import pytest
from tests.support import read_records, until

from restock_common.contracts import TYPES
from restock_common.contracts.catalogue import (
    CatalogueEntity,
    Location,
    Pool,
    Product,
    Supplier,
)
from restock_common.contracts.envelope import Message, decode
from restock_common.contracts.ledger import Place
from restock_common.contracts.stock import StockBackordered, StockLevelChanged, StockReserved
from restock_common.contracts.topics import DEAD_LETTERS, STOCK, STOREFRONT_ORDERS
from restock_common.kafka import Producer, log_bounds, read_to_end
from restock_common.settings import KafkaSettings
from restock_common.transact import Outgoing, Partition
from restock_local.demo.door import Door
from restock_local.platform.base import Platform
from restock_local.supervisor import SERVICES, SHOP, Supervisor

pytestmark = [pytest.mark.e2e, pytest.mark.kafka]

RUNS = 10
BUYERS = 1_000
UNITS = 100
IMPATIENT_SHARE = 0.05
"""Of buyers who send the same order through the other door as well."""

POOLS = (Pool(pool="north", shard=0), Pool(pool="south", shard=1))
LOCATIONS = tuple(
    Location(location=name, pool=pool, place=Place(latitude=latitude, longitude=0.0))
    for name, pool, latitude in (("n1", "north", 52), ("n2", "north", 51), ("s1", "south", 47))
)
SUPPLIER = Supplier(supplier="wholesale")
PRODUCTS = tuple(Product(sku=f"tea-{n}", supplier=SUPPLIER.supplier) for n in range(RUNS))
MASTER_DATA: Mapping[str, Sequence[CatalogueEntity]] = {
    "pools": POOLS,
    "locations": LOCATIONS,
    "suppliers": (SUPPLIER,),
    "products": PRODUCTS,
}

SHELVES: Sequence[Mapping[str, int]] = (
    {"n1": 100},
    {"n1": 37, "n2": 63},
    {"n1": 31, "n2": 27, "s1": 42},
)
"""Where the units stand: in one warehouse, in two of one pool, in two pools on two shards."""

ONE_UNIT = ((1,),)
MIXED = (*[(1,)] * 12, (2,), (3,), (1, 1), (2, 1))
"""What is asked on the lines of an order, all of the same sku; mostly one unit."""

PARTS = [kind for kind in SERVICES if kind.name in {"order-ingest", "stock-ledger"}]


@dataclass(frozen=True)
class Buyer:
    """One order, and the doors that it is sent through."""

    number: str
    lines: tuple[int, ...]
    body: bytes
    doors: tuple[str, ...]


@dataclass(frozen=True)
class Market:
    """The doors in, the door to read from, and the broker."""

    kafka: KafkaSettings
    producer: Producer
    url: str
    api_key: str
    ingest: Door
    ledger: Door

    async def buy(self, buyer: Buyer, go: asyncio.Event) -> None:
        """Send an order once all may; over HTTP each buyer has a connection of their own."""
        async with Door(self.url, {"X-API-Key": self.api_key}) as door:
            await go.wait()
            await asyncio.gather(*(self._send(buyer, through, door) for through in buyer.doors))

    async def _send(self, buyer: Buyer, through: str, door: Door) -> None:
        if through == "http":
            await door.post("/v1/orders", buyer.body)
            return
        partition = sum(buyer.number.encode()) % STOREFRONT_ORDERS.partitions
        headers = [("shop", SHOP.encode())]
        name = STOREFRONT_ORDERS.name
        await self.producer.send(Outgoing(name, partition, None, headers, buyer.body))


@pytest.fixture(scope="module")
async def market(
    platform: Platform, kafka: KafkaSettings, run_directory: Path
) -> AsyncIterator[Market]:
    folder = run_directory / "buyers"
    folder.mkdir()
    async with (
        Supervisor(platform, folder, clock="replay", services=PARTS) as parts,
        AsyncExitStack() as stack,
    ):
        url, ledger_url = (parts.urls[kind.name] for kind in PARTS)
        ingest = await stack.enter_async_context(Door(url, {"X-API-Key": parts.api_key}))
        ledger = await stack.enter_async_context(Door(ledger_url))
        producer = Producer(kafka)
        await producer.start()
        stack.push_async_callback(producer.stop)
        for name, entities in MASTER_DATA.items():
            whole = {"items": [entity.model_dump(mode="json") for entity in entities]}
            await ingest.put(f"/v1/{name}:batch", orjson.dumps(whole))
        yield Market(kafka, producer, url, parts.api_key, ingest, ledger)
    for kind in PARTS:
        await platform.databases.drop_database(kind.module)


@pytest.mark.parametrize("run", range(RUNS))
async def test_exactly_what_is_there_is_promised(market: Market, run: int) -> None:
    shelves = SHELVES[run % len(SHELVES)]
    product = PRODUCTS[run]
    buyers = crowd(product.sku, ONE_UNIT if run % 2 else MIXED, Random(run))
    asked = sum(sum(buyer.lines) for buyer in buyers)
    before = await ends(market.kafka)

    await fill(market, product.sku, shelves)
    go = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        for buyer in buyers:
            group.create_task(market.buy(buyer, go))
        deciding = group.create_task(all_decided(market, product.sku, asked))
        go.set()
    levels = deciding.result()

    orders = await asyncio.gather(*(look_up(market, buyer) for buyer in buyers))
    assert sum(orders) == UNITS
    if run % 2:
        assert sorted(orders) == [0] * (BUYERS - UNITS) + [1] * UNITS
    assert {place: level["on_hand"] for place, level in levels.items() if level["on_hand"]} == {
        place: level["reserved"] for place, level in levels.items() if level["reserved"]
    }
    assert sum(level["backordered"] for level in levels.values()) == asked - UNITS
    await check_told(market.kafka, product.sku, shelves, asked, before)
    await check_ledger(market)


def crowd(sku: str, baskets: Sequence[tuple[int, ...]], chance: Random) -> list[Buyer]:
    """Return buyers who live near every warehouse in turn, half of them at each door."""
    now = datetime.now(UTC)
    buyers = []
    for n in range(BUYERS):
        place = LOCATIONS[n % len(LOCATIONS)].place
        lines = chance.choice(baskets)
        number = f"{sku}-{n}"
        order = {
            "order": number,
            "customer": f"buyer-{n}",
            "placed_at": now - timedelta(milliseconds=chance.randrange(1000)),
            "destination": {"latitude": place.latitude, "longitude": place.longitude},
            "lines": [{"sku": sku, "quantity": quantity} for quantity in lines],
        }
        doors = ("http", "kafka") if n // len(LOCATIONS) % 2 else ("kafka", "http")
        sent_through = doors if chance.random() < IMPATIENT_SHARE else doors[:1]
        buyers.append(Buyer(number, lines, orjson.dumps(order), sent_through))
    chance.shuffle(buyers)
    return buyers


async def fill(market: Market, sku: str, shelves: Mapping[str, int]) -> None:
    """Count the units onto their shelves: in each log before any order."""
    for location, units in shelves.items():
        count = {
            "count": f"{sku} at {location}",
            "location": location,
            "counted_at": datetime.now(UTC),
            "lines": [{"sku": sku, "quantity": units}],
        }
        await market.ingest.post("/v1/counts", orjson.dumps(count))


async def all_decided(market: Market, sku: str, asked: int) -> dict[str, Any]:
    """Let time advance until every unit is promised or waits; return the levels by location.

    What one pool offers to another is answered when time advances: in the rush, too.
    """

    async def decided() -> dict[str, Any] | None:
        await market.ingest.post("/v1/clock", orjson.dumps({"until": datetime.now(UTC)}))
        answer = await market.ledger.get(f"/v1/stock/{sku}")
        units = sum(level["reserved"] + level["backordered"] for level in answer["levels"])
        assert units <= asked, f"{units} units were asked for, not {asked}: {answer}"
        return {one["location"]: one for one in answer["levels"]} if units == asked else None

    async def published() -> bool:
        return not (await market.ledger.get("/v1/progress"))["unpublished"]

    levels = await until(
        decided, what="every unit is promised or backordered", timeout_s=120, every_s=0.1
    )
    await until(published, what="the ledger has published it")
    return levels or {}


async def look_up(market: Market, buyer: Buyer) -> int:
    """Return the units of an order that are reserved; every other unit must be backordered."""
    found = await market.ledger.get(f"/v1/orders/{SHOP}:{buyer.number}")
    assert "pending" not in {claim["state"] for claim in found["claims"]}
    units: Counter[str] = Counter()
    promised = 0
    for piece in (piece for claim in found["claims"] for piece in claim["pieces"]):
        if piece["state"] == "accepted":
            continue  # by another pool, whose own claim says what has become of it
        assert piece["state"] in {"reserved", "backordered"}, found
        units[piece["line"]] += piece["quantity"]
        promised += piece["quantity"] * (piece["state"] == "reserved")
    assert units == {str(n): quantity for n, quantity in enumerate(buyer.lines, 1)}, found
    return promised


async def check_told(
    kafka: KafkaSettings,
    sku: str,
    shelves: Mapping[str, int],
    asked: int,
    start: Mapping[int, int],
) -> None:
    """What the topic tells of a sku is the same, and at no moment more than there was."""
    records = [record async for record in read_to_end(kafka, STOCK, start)]
    of_sku = [decode(record, TYPES) for record in records if record.key == sku.encode()]
    told: list[Message[Any]] = list({message.id: message for message in of_sku}.values())
    reserved: Counter[str] = Counter()
    for event in (message.event for message in told):
        match event:
            case StockReserved():
                reserved[event.location] += event.quantity
                assert reserved[event.location] <= shelves.get(event.location, 0)
            case StockLevelChanged():
                assert event.reserved <= event.on_hand <= shelves.get(event.location, 0)
    assert reserved == shelves
    backordered = [one.event for one in told if isinstance(one.event, StockBackordered)]
    assert sum(event.quantity for event in backordered) == asked - UNITS


async def check_ledger(market: Market) -> None:
    figures = await market.ledger.get("/v1/figures")
    for fault in ("units_oversold", "balances_differing", "orders_applied_twice"):
        assert figures[fault] == 0
    assert await read_records(market.kafka, DEAD_LETTERS) == []


async def ends(kafka: KafkaSettings) -> dict[int, int]:
    """Return where each partition of the stock topic ends."""
    partitions = [Partition(STOCK.name, number) for number in range(STOCK.partitions)]
    bounds = await log_bounds(kafka, partitions)
    return {partition.number: end for partition, (_, end) in bounds.items()}
