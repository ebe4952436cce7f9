"""What it costs to be watched: the ledger's rate with and without metrics and traces, in one run.

Prints one JSON line. On a platform of its own, with Apache Kafka, PostgreSQL (fsync on) and the
ledger as a separate process. Rounds of three measurements, each on as many orders more, that are on
the topic before the ledger is started:

`bare`: every counter, gauge and histogram does nothing, nobody asks for them, no span is made.
`watched`: metrics count and are read every five seconds, as Prometheus does; one order in a hundred
is traced, and its spans are exported to a receiver in this process.
`traced`: the same with every order traced.

`cost`: by which share the median rate is below that of `bare`; `spread`: the largest rate of `bare`
over its smallest, less one: what is below it cannot be told from chance.
"""

import asyncio
import contextlib
import os
import statistics
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from _report import arguments, report, said
from ledger_bench.load import Orders, opening
from ledger_bench.process import LedgerProcess
from ledger_bench.watch import watch
from restock_common.kafka import Producer
from restock_common.transact import Outgoing
from restock_local.folders import run_folder, state_folder
from restock_local.platform.base import Platform, declare_topics
from restock_local.platform.choose import choose
from restock_local.quiet import QuietWatch

_SCRAPED_EVERY_S = 5.0
_SEED_S = 600.0
_TRACED = {"bare": 0, "watched": 100, "traced": 1}
"""One order in so many is traced; none for 0."""


@dataclass(frozen=True, slots=True)
class Options:
    """What is measured."""

    orders: int
    skus: int
    rounds: int


@contextlib.asynccontextmanager
async def receiver() -> AsyncIterator[str]:
    """Take what is exported and let it go; yields where."""

    async def take(request: web.Request) -> web.Response:
        await request.read()
        return web.Response(content_type="application/x-protobuf")

    app = web.Application(client_max_size=1 << 26)
    app.router.add_post("/v1/traces", take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/v1/traces"
    finally:
        await runner.cleanup()


@contextlib.asynccontextmanager
async def scraped(url: str) -> AsyncIterator[None]:
    """Read a process's metrics again and again."""

    async def read() -> None:
        async with aiohttp.ClientSession() as http:
            while True:
                await asyncio.sleep(_SCRAPED_EVERY_S)
                async with http.get(f"{url}/metrics") as answer:
                    await answer.read()

    reading = asyncio.create_task(read())
    try:
        yield
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)


def traced(record: Outgoing, number: int, one_in: int) -> Outgoing:
    """Return an order's record as it comes by a request that is traced, or not."""
    flags = "01" if one_in and number % one_in == 0 else "00"
    header = f"00-{number + 1:032x}-{number + 1:016x}-{flags}".encode()
    return record._replace(headers=[*record.headers, ("traceparent", header)])


class Run:
    """One ledger's database, and modes that take turns on it."""

    def __init__(self, options: Options, platform: Platform, folder: Path, endpoint: str) -> None:
        self._options = options
        self._platform = platform
        self._folder = folder
        self._endpoint = endpoint
        self._orders = Orders(1, options.skus)
        self._producer = Producer(platform.kafka)
        self._url = ""

    async def rates(self) -> dict[str, list[float]]:
        """Return the orders a second of each mode, round by round."""
        await declare_topics(self._platform.kafka)
        self._url = await self._platform.new_database("ledger")
        await self._producer.start()
        try:
            await self._seed()
            rates: dict[str, list[float]] = {mode: [] for mode in _TRACED}
            for number in range(self._options.rounds):
                # forth and back, so that no mode always has the larger database
                for mode in list(_TRACED)[:: -1 if number % 2 else 1]:
                    rates[mode].append(await self._measure(mode))
                    said(mode, round(rates[mode][-1]), "orders/s")
        finally:
            await self._producer.stop()
        return rates

    async def _seed(self) -> None:
        ledger = LedgerProcess(self._platform.kafka, self._url, self._folder)
        ledger.start()
        try:
            await ledger.until_ready()
            for entry in opening(1, self._options.skus):
                await self._producer.publish([entry])
            urls = {"stock-ledger": ledger.url}
            async with QuietWatch(urls, self._platform.kafka, check=ledger.check) as quiet:
                await quiet.until_quiet(timeout_s=_SEED_S, among=list(urls))
            await ledger.stop()
        finally:
            ledger.kill()

    async def _measure(self, mode: str) -> float:
        orders = list(self._orders.take(self._options.orders))
        records = [traced(one.record, n, _TRACED[mode]) for n, one in enumerate(orders)]
        await self._producer.publish(records)
        bare = mode == "bare"
        ledger = LedgerProcess(
            self._platform.kafka,
            self._url,
            self._folder,
            module="ledger_bench.unwatched" if bare else "stock_ledger",
            settings={} if bare else {"trace_endpoint": self._endpoint},
        )
        try:
            async with contextlib.nullcontext() if bare else scraped(ledger.url):
                course = await watch(ledger, self._url, self._options.orders, None)
            await ledger.stop()
        finally:
            ledger.kill()
        return course.orders_per_s


async def measure(options: Options, platform_name: str) -> dict[str, Any]:
    """Run everything; return the figures."""
    with run_folder(state_folder()) as folder:
        async with receiver() as endpoint, choose(platform_name, folder) as platform:
            rates = await Run(options, platform, folder, endpoint).rates()
            info = platform.info()
    medians = {mode: statistics.median(of) for mode, of in rates.items()}
    return {
        "benchmark": "observability",
        "orders": options.orders,
        "rounds": options.rounds,
        "orders_per_s": {mode: round(rate, 1) for mode, rate in medians.items()},
        "cost": {
            mode: round(1 - rate / medians["bare"], 4)
            for mode, rate in medians.items()
            if mode != "bare"
        },
        "spread": round(max(rates["bare"]) / min(rates["bare"]) - 1, 4),
        **info,
        "python": sys.version.split()[0],
        "cores": os.cpu_count(),
    }


def main() -> int:
    """Read the arguments, measure, write one JSON line."""
    parser = arguments("observability", __doc__)
    parser.add_argument("--orders", type=int, default=60_000, help="of each measurement")
    parser.add_argument("--skus", type=int, default=5_000)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    options = Options(given.orders, given.skus, given.rounds)
    return report(measure(options, given.platform), given.json)


if __name__ == "__main__":
    raise SystemExit(main())
