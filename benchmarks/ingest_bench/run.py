"""One run: the door and a bare server on one platform, and what each of them takes."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from random import Random
from statistics import harmonic_mean, mean
from typing import Any

import orjson

from _report import percentile, said
from ingest_bench.client import Connection, latencies_ms, request_bytes, top_rate
from ingest_bench.process import Server
from ledger_bench.meter import Meter
from ledger_bench.profile import profiled
from restock_common.contracts.catalogue import Product
from restock_common.contracts.topics import LEDGER, STOREFRONT_ORDERS
from restock_common.kafka import Producer, read_to_end
from restock_common.settings import ENV_PREFIX
from restock_common.transact import Outgoing
from restock_local.demo.door import Door
from restock_local.demo.geography import LOCATIONS
from restock_local.platform.base import Platform, declare_topics
from restock_local.sample import sample_products, stock_shop
from restock_local.supervisor import NO_LIMITS, door_secrets

KEY = "a-key-for-the-benchmark"
SHOP = "bench"

_PLACED_AT = datetime(2017, 1, 2, 8, tzinfo=UTC)
_BARE = Path(__file__).with_name("bare.py")
_PUBLISHED_AT_ONCE = 20_000
_LOOK_EVERY_S = 10.0
_TURNS = 4
"""The machine's speed changes within a minute: both servers have to meet the same."""


@dataclass(frozen=True, slots=True)
class Options:
    """How much is sent.

    Attributes:
        orders: One a request, at the top rate.
        bulk_orders: As NDJSON.
        bulk_lines: Orders a request of those.
        kafka_orders: By the raw topic.
        connections: At once, of one order a request.
        bulk_connections: At once, of NDJSON.
        latency_s: How long latency is measured.
        memory_s: How long orders come at half of the top rate while memory is looked at; 0: not.
        skus: How many products there are.
        profile: Where a profile of the door goes, while it takes single and bulk orders.
    """

    orders: int
    bulk_orders: int
    bulk_lines: int
    kafka_orders: int
    connections: int
    bulk_connections: int
    latency_s: float
    memory_s: float
    skus: int
    profile: Path | None


@dataclass(frozen=True, slots=True)
class Rate:
    """What a server took.

    Attributes:
        per_s: Requests a second.
        cpu_us: Processor time of a request, by part: the server, what it works with, the sender.
    """

    per_s: float
    cpu_us: dict[str, int]


class Orders:
    """Orders of two lines to somewhere near one of the warehouses, without end."""

    def __init__(self, products: list[Product]) -> None:
        self._random = Random(1)
        self._skus = [product.sku for product in products]
        self._numbers = count(1)

    def next(self) -> bytes:
        """Return one more."""
        random = self._random
        place = random.choice(LOCATIONS).place
        return orjson.dumps(
            {
                "order": f"b{next(self._numbers)}",
                "customer": f"customer-{random.randrange(10_000)}",
                "placed_at": _PLACED_AT,
                "destination": {
                    "latitude": place.latitude + random.uniform(-0.1, 0.1),
                    "longitude": place.longitude + random.uniform(-0.1, 0.1),
                },
                "lines": [
                    {"sku": sku, "quantity": random.randint(1, 3)}
                    for sku in random.sample(self._skus, 2)
                ],
            }
        )

    def requests(self) -> Iterator[bytes]:
        """Yield requests of one order each."""
        while True:
            yield request_bytes("/v1/orders", self.next(), KEY)


class Run:
    """Measures the door on a platform.

    Args:
        options: How much is sent.
        platform: With Kafka and PostgreSQL.
        folder: Where logs go.
    """

    def __init__(self, options: Options, platform: Platform, folder: Path) -> None:
        self._options = options
        self._platform = platform
        self._folder = folder
        self._orders = Orders(sample_products(options.skus))

    async def measure(self) -> dict[str, Any]:
        """Run everything; return the figures."""
        await declare_topics(self._platform.kafka)
        bare = Server([str(_BARE), "{port}"], {}, self._folder / "bare.log")
        kafka = self._platform.kafka
        environment = {
            "RESTOCK_KAFKA_BOOTSTRAP": kafka.kafka_bootstrap,
            "RESTOCK_KAFKA_IDEMPOTENT": str(kafka.kafka_idempotent),
            "RESTOCK_DATABASE_URL": await self._platform.new_database("bench_ingest"),
            "RESTOCK_API_KEYS": f"{SHOP}={KEY}",
            "RESTOCK_CLOCK": "replay",
            "RESTOCK_LOG_LEVEL": "warning",
            **{ENV_PREFIX + name: told for name, told in {**door_secrets(), **NO_LIMITS}.items()},
        }
        door = Server(["-m", "order_ingest"], environment, self._folder / "order-ingest.log")
        async with bare, door:
            await self._stock(door)
            return await self._measure(door, bare)

    async def _measure(self, door: Server, empty: Server) -> dict[str, Any]:
        warm_mb = door.rss_mb()
        profile = self._options.profile
        with nullcontext() if profile is None else profiled(door.pid, profile):
            turns = [(await self._single(empty), await self._single(door)) for _ in range(_TURNS)]
            bare, single = (_mean(some) for some in zip(*turns, strict=True))
            said("an empty handler takes", round(bare.per_s), "requests/s", bare.cpu_us)
            said("the door takes", round(single.per_s), "orders/s, one a request", single.cpu_us)
            bulk_per_s = await self._bulk(door)
            said("the door takes", round(bulk_per_s), "orders/s as NDJSON")
        after_mb = door.rss_mb()
        rate = single.per_s / 2
        latencies = await latencies_ms(
            door.url,
            self._orders.requests(),
            rate=rate,
            lasting_s=self._options.latency_s,
            connections=self._options.connections,
        )
        over_time_mb = await self._memory_mb(door, rate)
        kafka_per_s = await self._kafka_door(door)
        said("the door takes", round(kafka_per_s), "orders/s by Kafka")
        rss_mb = door.rss_mb()
        produce_per_s, batched_per_s = await self._bare_produce()
        said("bare produce calls of the same bytes:", round(produce_per_s), "/s")
        return {
            "single_per_s": round(single.per_s, 1),
            "bare_per_s": round(bare.per_s, 1),
            "single_share_of_bare": round(single.per_s / bare.per_s, 3),
            "shares_by_turn": [round(door.per_s / bare.per_s, 3) for bare, door in turns],
            "single_cpu_us": single.cpu_us["server"],
            "bare_cpu_us": bare.cpu_us["server"],
            "cpu_us_by_part": {"single": single.cpu_us, "bare": bare.cpu_us},
            "bulk_orders_per_s": round(bulk_per_s, 1),
            "bare_produce_per_s": round(produce_per_s, 1),
            "bare_batched_per_s": round(batched_per_s, 1),
            "bulk_share_of_produce": round(bulk_per_s / produce_per_s, 3),
            "kafka_door_orders_per_s": round(kafka_per_s, 1),
            "latency_at_per_s": round(rate, 1),
            "p50_ms": round(percentile(latencies, 0.50), 1),
            "p99_ms": round(percentile(latencies, 0.99), 1),
            "rss_mb_at_start": round(warm_mb, 1),
            "rss_mb_after_bulk": round(after_mb, 1),
            "rss_mb": round(rss_mb, 1),
            "rss_mb_every_10_s": over_time_mb,
        }

    async def _stock(self, door: Server) -> None:
        """Send the catalogue."""
        async with Door(door.url, {"X-API-Key": KEY}) as http:
            products = sample_products(self._options.skus)
            await stock_shop(http, products, units=900_000, counted_at=_PLACED_AT)

    async def _single(self, server: Server) -> Rate:
        """Return what a server takes of orders one by one; some warm it up."""
        orders, connections = self._options.orders // _TURNS, self._options.connections
        meter = Meter(server.pid)
        for number in (orders // 10, orders):
            requests = [next(self._orders.requests()) for _ in range(number)]
            before = _cpu_s(meter)
            per_s = await top_rate(server.url, requests, connections=connections)
            used = _cpu_s(meter)
        return Rate(
            per_s, {part: round((used[part] - before[part]) * 1e6 / orders) for part in used}
        )

    async def _memory_mb(self, door: Server, rate: float) -> list[float]:
        """Return what the door holds every so often, while orders come evenly."""
        if not self._options.memory_s:
            return []
        sending = asyncio.ensure_future(
            latencies_ms(
                door.url,
                self._orders.requests(),
                rate=rate,
                lasting_s=self._options.memory_s,
                connections=self._options.connections,
            )
        )
        held = [round(door.rss_mb(), 1)]
        while not sending.done():
            await asyncio.wait([sending], timeout=_LOOK_EVERY_S)
            held.append(round(door.rss_mb(), 1))
        await sending
        said("memory, every 10 s:", held)
        return held

    async def _bulk(self, door: Server) -> float:
        """Return the orders a second that the door takes as NDJSON; each line is looked at."""
        lines = self._options.bulk_lines
        requests = iter(
            [
                request_bytes(
                    "/v1/orders:batch",
                    b"\n".join(self._orders.next() for _ in range(lines)),
                    KEY,
                    "application/x-ndjson",
                )
                for _ in range(self._options.bulk_orders // lines)
            ]
        )
        taken = 0

        async def send() -> None:
            nonlocal taken
            connection = await Connection.open(door.url)
            for request in requests:
                told = await connection.send(request)
                taken += told.count(b'"status":202')
                if b'"status":503' in told:
                    said("not taken:", told[-300:].decode())
            connection.close()

        began = time.monotonic()
        await asyncio.gather(*(send() for _ in range(self._options.bulk_connections)))
        took_s = time.monotonic() - began
        wanted = self._options.bulk_orders // lines * lines
        assert taken == wanted, f"only {taken} of {wanted} lines were taken"
        return taken / took_s

    async def _kafka_door(self, door: Server) -> float:
        """Return the orders a second that the door takes from its topic, until published."""
        number = self._options.kafka_orders
        headers = [("shop", SHOP.encode())]
        raw = [
            Outgoing(STOREFRONT_ORDERS.name, n % 4, None, headers, self._orders.next())
            for n in range(number)
        ]
        producer = Producer(self._platform.kafka)
        await producer.start()
        began = time.monotonic()
        await producer.publish(raw)
        async with Door(door.url) as http:
            while True:
                told = await http.get("/v1/progress")
                offsets = told["offsets"].get(STOREFRONT_ORDERS.name, {})
                if sum(offsets.values()) >= number and not told["unpublished"]:
                    break
                await asyncio.sleep(0.05)
        took_s = time.monotonic() - began
        await producer.stop()
        return number / took_s

    async def _bare_produce(self) -> tuple[float, float]:
        """Publish again what the door has published; return the records a second.

        With a call for each record, as many at once as a request of NDJSON has lines (four times as
        many at once are slower); and as whole batches, made by hand.
        """
        records: list[Outgoing] = []
        async for record in read_to_end(self._platform.kafka, LEDGER):
            if b"OrderPlaced" in dict(record.headers)["ce_type"]:
                headers, body = list(record.headers), record.value or b""
                records.append(Outgoing(record.topic, record.partition, record.key, headers, body))
            if len(records) == _PUBLISHED_AT_ONCE:
                break
        producer = Producer(self._platform.kafka)
        await producer.start()
        began = time.monotonic()
        for start in range(0, len(records), self._options.bulk_lines):
            some = records[start : start + self._options.bulk_lines]
            await asyncio.gather(*(producer.send(one) for one in some))
        called = time.monotonic()
        await producer.publish(records)
        ended = time.monotonic()
        await producer.stop()
        return len(records) / (called - began), len(records) / (ended - called)


def _mean(rates: Sequence[Rate]) -> Rate:
    """Return the rate of all turns together, of as many requests each."""
    parts = rates[0].cpu_us
    cpu_us = {part: round(mean(rate.cpu_us[part] for rate in rates)) for part in parts}
    return Rate(harmonic_mean(rate.per_s for rate in rates), cpu_us)


def _cpu_s(meter: Meter) -> dict[str, float]:
    """Return the processor time that each part has used so far, this process as the sender."""
    used = meter.cpu_s()
    return {"server": used.pop("writer"), **used, "sender": time.process_time()}
