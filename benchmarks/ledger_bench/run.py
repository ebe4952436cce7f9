"""One run for one number of shards, and the figures that it comes to."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from _report import percentile, said
from ledger_bench import copies, limit, one_per_transaction, reads, rows
from ledger_bench.latency import Answers, measure_latency
from ledger_bench.load import WAREHOUSES, Orders, late_entries, opening
from ledger_bench.process import LedgerProcess
from ledger_bench.watch import Course, taken, watch
from restock_common.contracts.stock import StockLevelChanged, StockReserved
from restock_common.kafka import Producer
from restock_common.postgres import Database
from restock_local.platform.base import Platform, declare_topics
from restock_local.processes import ProcessFailed
from restock_local.quiet import QuietWatch

_SEED_S = 7_200.0
_PUBLISHED_AT_ONCE = 20_000
_LATE_ENTRIES, _LATE_RATE = 100, 10.0
_QUESTIONS = ((1, "reads"), (1_000, "reads_of_1000"))
_READS_BACKLOG = 2.0
"""So many times more orders wait than the writer takes while it is asked."""


@dataclass(frozen=True, slots=True)
class Options:
    """What is measured.

    Attributes:
        orders: On the topic before the clock starts.
        skus: Different ones.
        latency_s: How long orders come evenly.
        reads_s: How long availability is asked for.
        clients: How many ask at once.
        usual_orders: Orders for the usual way, over all numbers of clients.
        profile: Where a profile of the writer goes.
    """

    orders: int
    skus: int
    latency_s: float
    reads_s: float
    clients: int
    usual_orders: int
    profile: Path | None


class Run:
    """The ledger of so many shards on a platform of its own.

    Args:
        options: What is measured.
        shards: How many there are.
        platform: Started before, stopped after this.
        folder: Where the ledger's log goes.
    """

    def __init__(self, options: Options, shards: int, platform: Platform, folder: Path) -> None:
        self._options = options
        self._shards = shards
        self._platform = platform
        self._folder = folder
        self._producer = Producer(platform.kafka)
        self._orders = Orders(shards, options.skus)
        self._lines: dict[str, int] = {}
        self._url = ""

    async def measure(self, *, whole: bool) -> dict[str, Any]:
        """Return the figures; where not `whole`, only those that compare numbers of shards."""
        await declare_topics(self._platform.kafka)
        self._url = await self._platform.new_database("ledger")
        await self._producer.start()
        ledger = LedgerProcess(self._platform.kafka, self._url, self._folder)
        try:
            seed_s = await self._seed(ledger)
            before = await copies.copy(self._url, "before")
            said("publishing", self._options.orders, "orders")
            await self._publish(self._options.orders)
            figures = await self._measure_writer(ledger, before)
            figures["seed_s"] = round(seed_s, 1)
            if whole:
                figures.update(await self._measure_usual())
                rate = figures["orders_per_s"]
                figures["times_one_per_txn"] = round(rate / figures["one_per_txn_orders_per_s"], 1)
                ledger.start()
                await ledger.until_ready()
                figures.update(await self._measure_latency(rate / 2))
                figures.update(await self._measure_late())
                figures.update(await self._measure_reads(rate))
        finally:
            ledger.kill()
            await self._producer.stop()
        return figures

    async def _seed(self, ledger: LedgerProcess) -> float:
        """Have the ledger take the opening counts, and stop it; return the seconds."""
        places = WAREHOUSES * self._shards
        said("counting", self._options.skus, "skus at each of", places, "warehouses")
        ledger.start()
        await ledger.until_ready()
        began = time.monotonic()
        for entry in opening(self._shards, self._options.skus):
            await self._producer.publish([entry])
        watch = QuietWatch({"stock-ledger": ledger.url}, self._platform.kafka, check=ledger.check)
        async with watch:
            await watch.until_quiet(timeout_s=_SEED_S, among=["stock-ledger"])
        seconds = time.monotonic() - began
        await ledger.stop()
        return seconds

    async def _publish(self, count: int) -> None:
        """Put orders on the topic."""
        for first in range(0, count, _PUBLISHED_AT_ONCE):
            some = list(self._orders.take(min(_PUBLISHED_AT_ONCE, count - first)))
            await self._producer.publish([order.record for order in some])
            self._lines.update((order.id, order.lines) for order in some)

    async def _measure_writer(self, ledger: LedgerProcess, before: str) -> dict[str, Any]:
        """Measure the ledger on the full topic, and the same writes without it."""
        orders = self._options.orders
        database = Database(self._url, max_connections=1)
        await database.open()
        try:
            async with database.connection() as connection:
                await connection.execute("CHECKPOINT")
                counted = await rows.row_counts(connection)
                first = await rows.last_transaction(connection)
                said("the ledger takes them")
                at = await rows.wal_position(connection)
                course = await watch(ledger, self._url, orders, self._options.profile)
                wal = {"ledger": await rows.wal_position(connection) - at}
                await ledger.stop()
                last = await rows.last_transaction(connection)
                tables = await rows.written_tables(
                    connection, counted, await rows.row_counts(connection)
                )
                settings = await rows.durability(connection)
                said(round(course.orders_per_s), "orders/s; reading back what it wrote")
                writes = await rows.read_writes(connection, before, tables, (first, last))
        finally:
            await database.close()
        bare, cpu_s = {}, {"ledger": course.cpu_s}
        for by_copy, name in ((False, "limit"), (True, "limit_by_copy")):
            said("writing the same rows:", name)
            again = await copies.copy(before, name)
            bare[name] = await limit.measure(again, writes, by_copy=by_copy)
            await copies.drop(again)
            wal[name], cpu_s[name] = bare[name].wal_bytes, bare[name].cpu_s
        return {
            "orders_per_s": round(course.orders_per_s, 1),
            **{
                f"{name}_orders_per_s": round(orders / one.seconds, 1) for name, one in bare.items()
            },
            **{
                f"share_of_{name}": round(one.seconds / course.seconds, 3)
                for name, one in bare.items()
            },
            "rows_an_order": _rows_an_order(writes.tables, orders),
            "rows_beside_an_order": _rows_an_order(writes.beside, orders),
            "rows_repeated": round(writes.share_found, 4),
            "batches": sum(map(len, writes.batches.values())),
            "wal_bytes_an_order": {name: round(size / orders) for name, size in wal.items()},
            "cpu_us_an_order": {
                name: {part: round(used * 1e6 / orders) for part, used in by_part.items()}
                for name, by_part in cpu_s.items()
            },
            **_seen(course),
            **settings,
        }

    async def _measure_usual(self) -> dict[str, Any]:
        """Measure an order a transaction."""
        said("an order a transaction")
        url = await self._platform.new_database("usual")
        await one_per_transaction.prepare(url, self._options.skus)
        lines = [self._orders.lines() for _ in range(self._options.usual_orders)]
        rates = await one_per_transaction.measure(url, lines)
        await copies.drop(url)
        return {
            "one_per_txn_orders_per_s": round(max(rates.values()), 1),
            "one_per_txn_by_clients": {str(n): round(rate, 1) for n, rate in rates.items()},
        }

    async def _measure_latency(self, rate: float) -> dict[str, Any]:
        """Measure how soon orders are reserved at a rate; check that all were, until then."""
        said("orders evenly at", round(rate), "a second")
        async with Answers(self._platform.kafka, StockReserved) as reservations:
            missing = reservations.missing(self._lines)
            if missing:
                raise ProcessFailed(f"{missing} orders were not reserved, each line once")
            orders = list(self._orders.take(int(rate * self._options.latency_s)))
            latencies = await measure_latency(self._producer, reservations, orders, rate)
        return {
            "half_rate_orders_per_s": round(rate, 1),
            "p50_ms_half_rate": round(percentile(latencies, 0.50), 1),
            "p99_ms_half_rate": round(percentile(latencies, 0.99), 1),
            "max_ms_half_rate": round(latencies[-1], 1),
        }

    async def _measure_late(self) -> dict[str, Any]:
        """Measure how soon a backdated entry is booked, one after the other, behind all orders."""
        said("backdated receipts and counts")
        async with Answers(self._platform.kafka, StockLevelChanged, from_end=True) as booked:
            entries = list(late_entries(_LATE_ENTRIES))
            took = await measure_latency(self._producer, booked, entries, _LATE_RATE)
        return {
            "p50_ms_late_entry": round(percentile(took, 0.50), 1),
            "max_ms_late_entry": round(took[-1], 1),
        }

    async def _measure_reads(self, rate: float) -> dict[str, Any]:
        """Ask a reader, of one sku and of many, while the writer does what it can."""
        reader = LedgerProcess(self._platform.kafka, self._url, self._folder, role="reader")
        reader.start()
        try:
            await reader.until_ready()
            return await self._ask(reader, rate)
        finally:
            reader.kill()

    async def _ask(self, reader: LedgerProcess, rate: float) -> dict[str, Any]:
        figures: dict[str, Any] = {}
        for at_once, name in _QUESTIONS:
            said("asking for the availability of", at_once)
            await self._publish(int(rate * self._options.reads_s * _READS_BACKLOG))
            before = await taken(self._url)
            answered = await reads.measure_reads(
                reader.url,
                skus=self._options.skus,
                at_once=at_once,
                clients=self._options.clients,
                seconds=self._options.reads_s,
            )
            meanwhile = await taken(self._url) - before
            figures |= {
                f"{name}_per_s": round(len(answered.ms) / answered.seconds, 1),
                f"{name}_p50_ms": round(percentile(answered.ms, 0.50), 1),
                f"{name}_p99_ms": round(percentile(answered.ms, 0.99), 1),
                f"{name}_while_orders_per_s": round(meanwhile / answered.seconds, 1),
            }
        return figures


def _rows_an_order(tables: Sequence[rows.Table], orders: int) -> dict[str, float]:
    return {table.name: round(table.written / orders, 3) for table in tables}


def _seen(course: Course) -> dict[str, Any]:
    """Return what was seen from beside."""
    return {
        "rss_mb": round(course.rss_mb["100"], 1),
        "rss_mb_at_percent": {share: round(mb, 1) for share, mb in course.rss_mb.items()},
        "rss_mb_peak": round(course.rss_peak_mb, 1),
        "looks_for_waits": course.looks,
        "row_lock_waits": dict(course.row_lock_waits),
        "other_lock_waits": dict(course.other_lock_waits),
    }
