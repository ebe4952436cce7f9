"""How many demand events a second one worker takes, beside Faust that does nothing with them."""

import asyncio
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from _report import said
from forecast_bench.process import PATIENCE_S, forecaster
from forecaster.stream.faust_app import add_agent, new_app
from restock_common.contracts.demand import DemandObserved
from restock_common.contracts.envelope import Message, Position, derive_id, encode
from restock_common.contracts.event import Event
from restock_common.contracts.ledger import TimeAdvanced
from restock_common.contracts.topics import DEMAND, SHARDS
from restock_common.kafka import Producer, partition_of
from restock_common.settings import KafkaSettings
from restock_common.transact import Outgoing
from restock_local.platform.base import declare_topics

_DAY = datetime(2026, 1, 5, tzinfo=UTC)
_SKUS, _DAYS = 5_000, 4


async def measure(kafka: KafkaSettings, folder: Path, events: int) -> dict[str, float]:
    """Return the rates, and what closing days costs a key.

    Args:
        kafka: A broker without topics.
        folder: Where processes keep what they write.
        events: How many demand events, over four days.
    """
    await declare_topics(kafka)
    said("writing", events, "demand events")
    producer = Producer(kafka)
    await producer.start()
    demand = [*_demand(events // _DAYS, 0)]
    await producer.publish(demand)
    bare = await _faust(kafka, folder / "bare", len(demand))
    said(f"Faust alone: {bare:,.0f} events/s")
    async with forecaster(kafka, folder) as service:
        began = await service.until(DEMAND.name, 1)
        done = await service.until(DEMAND.name, len(demand))
        open_rate = len(demand) / (done - began)
        said(f"worker, one open day: {open_rate:,.0f} events/s")
        taken = len(demand)
        started = time.monotonic()
        for day in range(1, _DAYS):
            more = [*_time(day), *_demand(events // _DAYS, day)]
            taken += len(more)
            await producer.publish(more)
        last = [*_time(_DAYS)]
        await producer.publish(last)
        done = await service.until(DEMAND.name, taken + len(last))
        whole_rate = (taken - len(demand)) / (done - started)
    await producer.stop()
    return {
        "worker_events_per_s": round(open_rate),
        "faust_events_per_s": round(bare),
        "worker_share_of_faust": round(open_rate / bare, 3),
        "worker_events_per_s_with_closes": round(whole_rate),
    }


async def _faust(kafka: KafkaSettings, folder: Path, records: int) -> float:
    """Return the rate at which Faust hands records to an agent that does nothing."""
    app = new_app(kafka, folder)
    app.conf.id = "bench-faust"
    taken, began, done = 0, 0.0, asyncio.Event()

    async def count(stream: Any) -> None:
        nonlocal taken, began
        async for _ in stream.noack().events():
            taken += 1
            began = began or time.monotonic()
            if taken == records:
                done.set()

    add_agent(app, count)
    running = asyncio.create_task(app.start())
    async with asyncio.timeout(PATIENCE_S):
        await done.wait()
    took_s = time.monotonic() - began
    await app.stop()
    await asyncio.gather(running, return_exceptions=True)
    return records / took_s


def _demand(count: int, day: int) -> Iterator[Outgoing]:
    random = Random(day)
    moment = _DAY + timedelta(days=day, hours=12)
    for number in range(count):
        sku = f"sku-{min(int(random.paretovariate(0.6)), _SKUS)}"
        event = DemandObserved(
            sku=sku,
            location=f"place-{number % 3}",
            pool="pool",
            order=f"shop:{day}-{number}",
            line="1",
            quantity=1 + number % 3,
            occurred_at=moment,
        )
        key = sku.encode()
        yield _said(event, moment, 0, day * count + number + 1, partition_of(DEMAND.name, key), key)


def _time(day: int) -> Iterator[Outgoing]:
    until = _DAY + timedelta(days=day)
    for partition in range(DEMAND.partitions):
        for shard in range(SHARDS):
            # of sources that say nothing else, so that positions need not be shared with demand
            yield _said(TimeAdvanced(until=until), until, 10 + shard, day, partition, None)


def _said(
    event: Event, time_: datetime, shard: int, position: int, partition: int, key: bytes | None
) -> Outgoing:
    source = f"/restock/stock-ledger/restock.ledger.v1/{shard}"
    message = Message(
        id=derive_id(source, position),
        source=source,
        time=time_,
        event=event,
        position=Position(1, position),
    )
    headers, body = encode(message)
    return Outgoing(DEMAND.name, partition, key, headers, body)
