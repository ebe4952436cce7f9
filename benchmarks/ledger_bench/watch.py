"""Watches the ledger take a full topic, from beside: by its cursors' rows and the kernel's figures.

One connection of its own asks PostgreSQL every 20 ms where the cursors stand and which backends
wait for a lock: a snapshot read that waits for nobody and that nobody waits for. Only after the
last order has been taken is the writer itself asked, whether all has been published.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import orjson

from ledger_bench.meter import Meter
from ledger_bench.process import LedgerProcess
from ledger_bench.profile import profiled
from restock_common.contracts.topics import LEDGER
from restock_common.postgres import Connection, Database
from restock_local.processes import ProcessFailed

LOOK_EVERY_S = 0.02
_STALLED_S = 120.0
_LOOK = """
    SELECT sum(epoch)::bigint AS epochs, sum(next_offset)::bigint AS taken,
        (SELECT array_agg(wait_event || ' ' || coalesce((
                SELECT relation::regclass::text FROM pg_locks
                WHERE pg_locks.pid = waiting.pid AND locktype = 'tuple' LIMIT 1), ''))
         FROM pg_stat_activity AS waiting
         WHERE datname = current_database() AND wait_event_type = 'Lock') AS waits
    FROM cursors WHERE topic = $1
"""
_ROW_LOCKS = ("transactionid", "tuple")
"""What PostgreSQL calls the wait of one transaction for a row that another has written."""


@dataclass(slots=True)
class Course:
    """How the ledger took so many orders.

    Attributes:
        orders: How many.
        seconds: From the moment that the writer took its partitions over until all was taken,
            committed and published.
        rss_mb: The writer's memory by the share of the orders taken.
        rss_peak_mb: The most that it ever held.
        cpu_s: Processor time by part.
        looks: How often PostgreSQL was asked who waits.
        row_lock_waits: How often a backend was found waiting for a row that another transaction
            had written or locked, by table.
        other_lock_waits: The same for other locks, such as that to extend a table, by their kind.
    """

    orders: int
    seconds: float = 0.0
    rss_mb: dict[str, float] = field(default_factory=dict)
    rss_peak_mb: float = 0.0
    cpu_s: dict[str, float] = field(default_factory=dict)
    looks: int = 0
    row_lock_waits: Counter[str] = field(default_factory=Counter)
    other_lock_waits: Counter[str] = field(default_factory=Counter)

    @property
    def orders_per_s(self) -> float:
        """Return the rate."""
        return self.orders / self.seconds

    def saw(self, waits: Sequence[str]) -> None:
        """Note who waited at one moment: the kind of lock, and the table of a row."""
        self.looks += 1
        for kind, _, table in (wait.partition(" ") for wait in waits):
            if kind in _ROW_LOCKS:
                self.row_lock_waits[table] += 1
            else:
                self.other_lock_waits[kind] += 1


async def watch(
    ledger: LedgerProcess, database_url: str, orders: int, profile: Path | None
) -> Course:
    """Start the ledger on a topic that already holds the orders; return how it took them."""
    course = Course(orders)
    database = Database(database_url, max_connections=1)
    await database.open()
    try:
        async with database.connection() as connection:
            before = await _look(connection)
            ledger.start()
            while (await _look(connection))["epochs"] == before["epochs"]:
                ledger.check()
                await asyncio.sleep(LOOK_EVERY_S / 4)
            began = time.monotonic()
            meter = Meter(ledger.pid)
            used = meter.cpu_s()
            with profiled(ledger.pid, profile):
                await _until_taken(ledger, connection, before, course, meter)
                await _until_published(ledger)
                course.seconds = time.monotonic() - began
            course.rss_peak_mb = meter.rss_peak_mb()
            course.cpu_s = {part: now - used[part] for part, now in meter.cpu_s().items()}
    finally:
        await database.close()
    return course


async def taken(database_url: str) -> int:
    """Return how many records of the ledger's topic have been taken and committed."""
    database = Database(database_url, max_connections=1)
    await database.open()
    try:
        async with database.connection() as connection:
            return int((await _look(connection))["taken"] or 0)
    finally:
        await database.close()


async def _until_taken(
    ledger: LedgerProcess,
    connection: Connection,
    before: Mapping[str, Any],
    course: Course,
    meter: Meter,
) -> None:
    """Look until the last order is committed; note what is seen on the way."""
    shares = {"25": 0.25, "50": 0.5, "100": 1.0}
    at_start = before["taken"] or 0
    done, moved_at = 0, time.monotonic()
    while done < course.orders:
        await asyncio.sleep(LOOK_EVERY_S)
        ledger.check()
        seen = await _look(connection)
        now = (seen["taken"] or 0) - at_start
        if now > done:
            done, moved_at = now, time.monotonic()
        elif time.monotonic() - moved_at > _STALLED_S:
            raise ProcessFailed(
                f"the ledger stands still at {done} of {course.orders}:\n{ledger.said()}"
            )
        course.saw(seen["waits"] or ())
        for name, share in shares.items():
            if name not in course.rss_mb and done >= share * course.orders:
                course.rss_mb[name] = meter.rss_mb()


async def _until_published(ledger: LedgerProcess) -> None:
    """Wait until the writer says that the broker has acknowledged all that it has committed."""
    async with aiohttp.ClientSession() as http:
        while True:
            ledger.check()
            async with http.get(f"{ledger.url}/v1/progress") as answer:
                if not orjson.loads(await answer.read())["unpublished"]:
                    return
            await asyncio.sleep(LOOK_EVERY_S / 2)


async def _look(connection: Connection) -> Mapping[str, Any]:
    row = await connection.fetchrow(_LOOK, LEDGER.name)
    assert row is not None, "a row without FROM is always there"
    return row
