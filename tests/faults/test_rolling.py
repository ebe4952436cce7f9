"""Replicas that come, go and are replaced under load: no error to a client, nothing lost or twice.

`RESTOCK_SOAK=1` sends 500 orders a second through all services, else 40 through door and ledger;
`RESTOCK_ROLLING_PER_S` sets another rate, for machines that cannot carry that.
"""

import asyncio
import os
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.faults.replicas import Client, Replica, Shared, shared_settings
from tests.support import read_messages, until

from restock_common.contracts.ledger import OrderPlaced
from restock_common.contracts.stock import StockBackordered, StockReserved
from restock_common.contracts.topics import LEDGER, STOCK
from restock_common.postgres import Database
from restock_common.settings import KafkaSettings
from restock_local.demo.door import Door
from restock_local.folders import run_folder
from restock_local.platform.base import Platform
from restock_local.sample import sample_products, stock_shop
from restock_local.supervisor import SERVICES, SHOP
from stock_ledger.audit import verify

pytestmark = [pytest.mark.kafka, pytest.mark.apache]

SOAK = os.environ.get("RESTOCK_SOAK") == "1"
ORDERS_PER_S = float(os.environ.get("RESTOCK_ROLLING_PER_S", "500" if SOAK else "40"))
ROLLED = SERVICES if SOAK else SERVICES[:2]
STEADY_S = 10.0 if SOAK else 1.0


@asynccontextmanager
async def replicas(
    platform: Platform, run_directory: Path, count: int
) -> AsyncIterator[tuple[Shared, list[Replica]]]:
    """Lend so many replicas of each service, the first two ready, the others not started."""
    shared, alike = Shared(platform), shared_settings()
    with run_folder(run_directory / "replicas") as folder:
        made = [Replica(shared, folder / str(n), ROLLED, alike) for n in range(count)]
        try:
            await made[0].start()  # alone: it migrates, and is the one whom orders come from first
            await made[1].start()
            yield shared, made
        finally:
            await asyncio.gather(*(one.stop() for one in made))
            await shared.drop()


@pytest.mark.timeout(900 if SOAK else 400)
async def test_replicas_are_replaced_join_and_leave_under_load(
    platform: Platform, kafka: KafkaSettings, run_directory: Path
) -> None:
    product = sample_products(1)[0]
    async with replicas(platform, run_directory, 3) as (shared, (first, second, third)):
        key = "the-key-of-all"
        async with Door(first.urls["order-ingest"], {"X-API-Key": key}) as door:
            counted = datetime.now(UTC) - timedelta(minutes=1)
            await stock_shop(door, [product], units=10_000_000, counted_at=counted)
        client = Client(key, product.sku, per_s=ORDERS_PER_S)
        client.doors = [one.urls["order-ingest"] for one in (first, second)]
        sending = asyncio.create_task(client.run())
        try:
            await asyncio.sleep(STEADY_S)
            for replica in (first, second) if SOAK else (second,):
                for kind in ROLLED:
                    await roll(client, replica, kind.name)
            await third.start()
            client.doors.append(third.urls["order-ingest"])
            await asyncio.sleep(STEADY_S)
            await client.without(third.urls["order-ingest"])
            for kind in ROLLED:
                await third.leave(kind.name)
            await asyncio.sleep(STEADY_S)
        finally:
            client.end()
            await sending
        assert client.errors == [], Counter(one.partition(": ")[2][:60] for one in client.errors)
        assert len(client.sent) > 100
        await nothing_is_lost_or_twice(shared, kafka, client.sent)


async def roll(client: Client, replica: Replica, name: str) -> None:
    if name != "order-ingest":
        await replica.roll(name)
        return
    door = replica.urls[name]
    await client.without(door)
    await replica.roll(name)
    client.doors.append(door)


async def nothing_is_lost_or_twice(shared: Shared, kafka: KafkaSettings, sent: set[str]) -> None:
    wanted = Counter(f"{SHOP}:{order}" for order in sent)

    async def all_told() -> bool:
        told = await read_messages(kafka, STOCK)
        return len({m.event.order for m in told if isinstance(m.event, StockReserved)}) >= len(sent)

    await until(all_told, what="every order is reserved", timeout_s=60, every_s=1)
    placed = [
        one for one in await read_messages(kafka, LEDGER) if isinstance(one.event, OrderPlaced)
    ]
    assert Counter({one.id: one.event.order for one in placed}.values()) == wanted
    told = await read_messages(kafka, STOCK)
    assert not any(isinstance(one.event, StockBackordered) for one in told)
    reserved = {one.id: one.event.order for one in told if isinstance(one.event, StockReserved)}
    assert Counter(reserved.values()) == wanted
    database = Database(shared.urls["stock_ledger"])
    await database.open()
    try:
        assert [one.finding for one in await verify(database, kafka)] == [None] * 4
    finally:
        await database.close()
