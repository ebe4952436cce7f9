"""One ledger under load, what is done to it at random moments, and the verdict."""

import asyncio
import json
import os
import secrets
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

from tests.faults.stock_ledger.compare import rebuild, same_books, tell
from tests.faults.stock_ledger.feed import Feed
from tests.faults.stock_ledger.load import Load
from tests.faults.stock_ledger.process import LedgerProcess
from tests.support import read_records, until

from restock_common.contracts.topics import LEDGER
from restock_common.postgres import Database
from restock_local.platform.base import Platform
from restock_local.quiet import QuietWatch

SOAK = os.environ.get("RESTOCK_SOAK") == "1"
WRITER_KILLS = 50 if SOAK else 5
OTHER_KILLS = 10 if SOAK else 5
TIMEOUT_S = 1800 if SOAK else 240

_TICKS = 3
"""Advances after the last message: an offer that is refused ends at home with the second."""
_QUIET_S = 120.0
_MOMENT_S = 1.0
_GOES_ON_RECORDS = 40
_IN_PEACE = 0.75
"""So often the next blow waits until the ledger goes on; else it falls in the recovery."""
_SHOWN = 5


@dataclass
class Run:
    """A ledger under load.

    Attributes:
        seed: Chance's: of the load and of the moments.
        platform: Broker and database server.
        database_url: The ledger's database.
        ledgers: The processes that are expected to work.
        feed: The load.
        chance: Where the moments come from.
        began: When, by the monotonic clock, in seconds.
    """

    seed: int
    platform: Platform
    database_url: str
    ledgers: list[LedgerProcess]
    feed: Feed
    chance: Random
    began: float

    async def moment(self, longest_s: float) -> None:
        """Wait until some random moment."""
        await asyncio.sleep(self.chance.uniform(0, longest_s))

    async def strike(self, times: int, blow: Callable[[], Awaitable[None]]) -> None:
        """Strike at random moments, most of them after the ledger went on from the one before."""
        before = 0
        for _ in range(times):
            await self.moment(_MOMENT_S)
            self.feed.check()
            before = max(before, await self.taken())
            await blow()
            if self.chance.random() < _IN_PEACE:
                await self.goes_on(before)
        await self.goes_on(before)

    async def taken(self) -> int:
        """Return how many records have been taken; fewer while shards change hands."""
        return sum([await ledger.taken() for ledger in self.ledgers])

    async def goes_on(self, before: int) -> None:
        """Wait until more records have been taken than before."""

        async def more() -> bool:
            self.check()
            return await self.taken() > before + _GOES_ON_RECORDS

        await until(more, what="the ledger goes on", timeout_s=60)

    def check(self) -> None:
        """Fail where a process ended by itself, or the load did."""
        self.feed.check()
        for ledger in self.ledgers:
            ledger.check()

    async def settle(self) -> None:
        """Stop the load, and let everything that is on its way come to its end."""
        await self.feed.close_shop()
        urls = {ledger.url: ledger.url for ledger in self.ledgers}
        async with QuietWatch(urls, self.platform.kafka, check=self.check) as watch:
            await watch.until_quiet(timeout_s=_QUIET_S, among=urls)
            await self.feed.close_warehouse()
            for _ in range(_TICKS):
                await self.feed.publish(self.feed.load.tick())
                await watch.until_quiet(timeout_s=_QUIET_S, among=urls)

    async def verdict(self, disturbed: str) -> None:
        """Fail where an order was lost or applied twice, or readers were told amiss.

        Args:
            disturbed: By what; printed with the figures.
        """
        await self.settle()
        figures = await self.ledgers[0].get("/v1/figures")
        assert figures is not None
        orders = len(self.feed.load.orders)
        assert figures["orders"] == orders
        bad = ("orders_applied_twice", "units_oversold", "balances_differing")
        assert {name: figures[name] for name in bad} == dict.fromkeys(bad, 0)
        entries, passed_over = await self._compare()
        summary = {
            "disturbed": disturbed,
            "seed": self.seed,
            "orders": orders,
            "messages": sum(len(ids) for ids in self.feed.acknowledged.values()),
            "events": entries,
            "events_published_again": passed_over,
            "seconds": round(time.monotonic() - self.began, 1),
        }
        print(json.dumps(summary))

    async def _compare(self) -> tuple[int, int]:
        """Compare with an undisturbed ledger of the same log; return events, and repetitions."""
        log = await read_records(self.platform.kafka, LEDGER)
        arrived: dict[tuple[str, int], dict[str, None]] = defaultdict(dict)
        for record in log:
            headers = dict(record.headers)
            source = headers["ce_source"].decode()
            arrived[source, record.partition][headers["ce_id"].decode()] = None
        for key, ids in self.feed.acknowledged.items():
            assert list(arrived[key]) == list(dict.fromkeys(ids)), f"the broker lost some of {key}"
        told = await tell(self.platform.kafka, log)
        assert (told.missed[:_SHOWN], told.differing[:_SHOWN]) == ([], [])
        name = f"undisturbed_{secrets.token_hex(8)}"
        url = await self.platform.new_database(name)
        await rebuild(log, url)
        ours, theirs = Database(self.database_url), Database(url)
        await ours.open()
        await theirs.open()
        try:
            entries = await same_books(ours, theirs, told)
        finally:
            await ours.close()
            await theirs.close()
            await self.platform.databases.drop_database(name)
        return entries, told.passed_over


@asynccontextmanager
async def under_load(platform: Platform, database_url: str, log: Path) -> AsyncIterator[Run]:
    """Run a ledger under load; the seed is RESTOCK_FAULTS_SEED, or a new one, which is printed."""
    seed = int(os.environ.get("RESTOCK_FAULTS_SEED") or secrets.randbelow(1_000_000))
    print(f"RESTOCK_FAULTS_SEED={seed}")
    began = time.monotonic()
    ledger = LedgerProcess(platform.kafka, database_url, log)
    ledger.start()
    try:
        async with Feed(platform.kafka, Load(seed)) as feed:
            await ledger.ready()
            chance = Random(seed + 1)
            yield Run(seed, platform, database_url, [ledger], feed, chance, began)
    finally:
        await ledger.stop()
