"""The whole chain: how many orders a second, and how soon an order's stock is reserved.

Prints one JSON line. On a platform of its own, with the five services as separate processes on the
same machine as the sender:

`orders_per_s`: N orders (two lines each, enough stock) are sent to `POST /v1/orders:batch` by
several clients at once, 100 a request, and when the last is accepted one tick of the clock closes
the day. Divided is N by the time from the first request until all services are quiet: every order
reserved, its demand learned and forecast, its stock position reviewed, its parcel on a route or
named as waiting, every event of it read by whoever reads it. `orders_per_s_accepted` is N by the
time to the last 202, `orders_per_s_reserved` by the time until all was quiet before the tick, and
`closing_s` is what the tick took: the day's forecasts and the search for routes.

`p50_ms`, `p99_ms`: afterwards orders arrive evenly at half of `orders_per_s` for a while. Taken is
the time from an order's 202 until its StockReserved has been read back from restock.stock.v1; where
the event was read before the answer came, it is 0.
"""

import asyncio
import os
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random

import orjson

from _report import arguments, percentile, report, said
from restock_common.contracts import TYPES
from restock_common.contracts.catalogue import Product
from restock_common.contracts.envelope import decode
from restock_common.contracts.stock import StockReserved
from restock_common.contracts.topics import STOCK
from restock_common.kafka import Tail
from restock_common.settings import KafkaSettings
from restock_local.demo.door import Door
from restock_local.demo.geography import LOCATIONS
from restock_local.folders import run_folder, state_folder
from restock_local.platform.base import declare_topics
from restock_local.platform.choose import choose
from restock_local.quiet import QuietWatch
from restock_local.sample import sample_products, stock_shop
from restock_local.supervisor import SHOP, Supervisor

_START = datetime(2017, 1, 2, 8, tzinfo=UTC)
_PRODUCTS = 1_000
_UNITS = 900_000
_ORDERS_A_REQUEST = 100
_STEP_S = 0.02
_QUIET_S = 900.0


@dataclass(frozen=True, slots=True)
class Options:
    """What is measured on what."""

    platform: str
    orders: int
    clients: int
    latency_s: float


@dataclass(frozen=True, slots=True)
class Throughput:
    """Seconds since the first request."""

    accepted_s: float
    reserved_s: float
    closed_s: float


def order(random: Random, number: str, products: list[Product], placed_at: datetime) -> bytes:
    """Return an order of two lines to somewhere near one of the warehouses."""
    place = random.choice(LOCATIONS).place
    return orjson.dumps(
        {
            "order": number,
            "customer": f"customer-{random.randrange(10_000)}",
            "placed_at": placed_at,
            "destination": {
                "latitude": place.latitude + random.uniform(-0.1, 0.1),
                "longitude": place.longitude + random.uniform(-0.1, 0.1),
            },
            "lines": [
                {"sku": product.sku, "quantity": random.randint(1, 3)}
                for product in random.sample(products, 2)
            ],
        }
    )


def batch(orders: list[bytes]) -> bytes:
    """Return the body of one request."""
    return b'{"orders":[' + b",".join(orders) + b"]}"


async def measure_throughput(
    options: Options, door: Door, watch: QuietWatch, products: list[Product]
) -> Throughput:
    """Send everything as fast as the door takes it, close the day, wait until all is quiet."""
    random = Random(1)
    orders = [order(random, f"t{n}", products, _START) for n in range(options.orders)]
    bodies = [
        batch(orders[n : n + _ORDERS_A_REQUEST]) for n in range(0, len(orders), _ORDERS_A_REQUEST)
    ]
    waiting = iter(bodies)

    async def client() -> None:
        for body in waiting:
            await door.post("/v1/orders:batch", body)

    began = time.monotonic()
    await asyncio.gather(*(client() for _ in range(options.clients)))
    accepted_s = time.monotonic() - began
    await watch.until_quiet(timeout_s=_QUIET_S)
    reserved_s = time.monotonic() - began
    midnight = _START.replace(hour=0) + timedelta(days=1)
    await door.post("/v1/clock", orjson.dumps({"until": midnight}))
    await watch.until_quiet(timeout_s=_QUIET_S)
    return Throughput(accepted_s, reserved_s, time.monotonic() - began)


async def measure_latency(
    options: Options, door: Door, kafka: KafkaSettings, products: list[Product], rate: float
) -> list[float]:
    """Send orders evenly at a rate; return each one's milliseconds from its 202 to its event."""
    accepted: dict[str, float] = {}
    reserved: dict[str, float] = {}
    tail = Tail(kafka, STOCK)
    await tail.start()

    async def read() -> None:
        async for record in tail.records():
            event = decode(record, TYPES).event
            if isinstance(event, StockReserved):
                reserved.setdefault(event.order, time.monotonic())

    async def send(orders: dict[str, bytes]) -> None:
        await door.post("/v1/orders:batch", batch(list(orders.values())))
        accepted.update(dict.fromkeys(orders, time.monotonic()))

    reading = asyncio.create_task(read())
    await tail.caught_up.wait()
    random = Random(2)
    placed_at = _START + timedelta(days=1)
    sending = []
    began, sent = time.monotonic(), 0
    while (elapsed := time.monotonic() - began) < options.latency_s:
        due = int(rate * elapsed)
        numbers = [f"l{n}" for n in range(sent, due)]
        if numbers:
            orders = {f"{SHOP}:{n}": order(random, n, products, placed_at) for n in numbers}
            sending.append(asyncio.create_task(send(orders)))
        sent = due
        await asyncio.sleep(_STEP_S)
    await asyncio.gather(*sending)
    async with asyncio.timeout(60):
        while not accepted.keys() <= reserved.keys():  # noqa: ASYNC110 - read by the other task
            await asyncio.sleep(_STEP_S)
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    await tail.stop()
    return sorted(max(0.0, reserved[one] - accepted[one]) * 1000 for one in accepted)


async def measure(options: Options) -> dict[str, object]:
    """Run everything; return the figures."""
    with run_folder(state_folder()) as folder:
        async with choose(options.platform, folder) as platform:
            await declare_topics(platform.kafka)
            environment = {"RESTOCK_LOG_LEVEL": "warning"}
            async with (
                Supervisor(platform, folder, clock="replay", environment=environment) as supervisor,
                Door(supervisor.urls["order-ingest"], {"X-API-Key": supervisor.api_key}) as door,
                QuietWatch(supervisor.urls, platform.kafka, check=supervisor.check) as watch,
            ):
                products = sample_products(_PRODUCTS)
                await stock_shop(door, products, units=_UNITS, counted_at=_START)
                await watch.until_quiet(timeout_s=_QUIET_S)
                said("sending", options.orders, "orders")
                times = await measure_throughput(options, door, watch, products)
                rate = options.orders / times.closed_s
                said("measuring latency at", round(rate / 2), "orders/s")
                latencies = await measure_latency(options, door, platform.kafka, products, rate / 2)
                return {
                    "benchmark": "chain",
                    "orders": options.orders,
                    "clients": options.clients,
                    "orders_per_s": round(rate, 1),
                    "orders_per_s_accepted": round(options.orders / times.accepted_s, 1),
                    "orders_per_s_reserved": round(options.orders / times.reserved_s, 1),
                    "closing_s": round(times.closed_s - times.reserved_s, 2),
                    "latency_at_orders_per_s": round(rate / 2, 1),
                    "latency_orders": len(latencies),
                    "p50_ms": round(percentile(latencies, 0.50), 1),
                    "p99_ms": round(percentile(latencies, 0.99), 1),
                    **platform.info(),
                    "python": sys.version.split()[0],
                    "cores": os.cpu_count(),
                }


def main() -> int:
    """Read the arguments, measure, write one JSON line."""
    parser = arguments("chain", __doc__, platform="auto")
    parser.add_argument("--orders", type=int, default=2_000)
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--latency-s", type=float, default=10.0, help="how long, in seconds")
    given = parser.parse_args()
    options = Options(given.platform, given.orders, given.clients, given.latency_s)
    return report(measure(options), given.json)


if __name__ == "__main__":
    raise SystemExit(main())
