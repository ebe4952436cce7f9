"""The usual way: an order a transaction, row locks, checks and writes by hand.

A hand-written minimum over four tables of its own: the balances of every sku at every warehouse,
orders, their lines, and an outbox. The rows of an order's skus are locked in the order of their
keys, so that nobody deadlocks; the nearest warehouse that has all of a line serves it. Requests
are decoded before the clock starts, and nothing is published: it is given all that can be given.
"""

import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ledger_bench.load import UNITS, OrderLines, Pool, sku_name
from restock_common.postgres import Connection, Database

CLIENTS = (4, 8, 16)
_SEED_ROWS = 200_000
_TABLES = """
    CREATE TABLE balances (
        sku      text   NOT NULL,
        location text   NOT NULL,
        on_hand  bigint NOT NULL,
        reserved bigint NOT NULL CHECK (reserved >= 0 AND reserved <= on_hand),
        PRIMARY KEY (sku, location)
    ) WITH (fillfactor = 75);
    CREATE TABLE orders (order_id text PRIMARY KEY, placed_at timestamptz NOT NULL);
    CREATE TABLE order_lines (
        order_id text   NOT NULL,
        line     text   NOT NULL,
        sku      text   NOT NULL,
        location text   NOT NULL,
        quantity bigint NOT NULL,
        PRIMARY KEY (order_id, line)
    );
    CREATE TABLE outbox (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, body text NOT NULL);
"""
_LOCK = (
    "SELECT sku, location, on_hand - reserved AS available FROM balances"
    " WHERE sku = ANY($1) AND location = ANY($2) ORDER BY sku, location FOR UPDATE"
)
_RESERVE = (
    "UPDATE balances SET reserved = reserved + units"
    " FROM unnest($1::text[], $2::text[], $3::bigint[]) AS taken (sku, location, units)"
    " WHERE balances.sku = taken.sku AND balances.location = taken.location"
)
_ORDER = "INSERT INTO orders (order_id, placed_at) VALUES ($1, now())"
_LINES = (
    "INSERT INTO order_lines (order_id, line, sku, location, quantity)"
    " SELECT $1, * FROM unnest($2::text[], $3::text[], $4::text[], $5::bigint[])"
)
_OUTBOX = "INSERT INTO outbox (body) VALUES ($1)"


@dataclass(frozen=True, slots=True)
class Request:
    """An order as it comes: its lines by sku, and the warehouses from near to far."""

    order: str
    lines: list[tuple[str, int]]
    locations: list[str]


async def prepare(url: str, skus: int) -> None:
    """Make the tables and fill the balances."""
    database = Database(url, max_connections=1)
    await database.open()
    try:
        async with database.connection() as connection:
            await connection.execute(_TABLES)
            for first in range(0, skus, _SEED_ROWS):
                await connection.execute(
                    "INSERT INTO balances SELECT 'sku-' || lpad(rank::text, 7, '0'), location,"
                    " $3, 0 FROM generate_series($1::bigint, $2::bigint) AS rank,"
                    " unnest($4::text[]) AS location",
                    first,
                    min(first + _SEED_ROWS, skus) - 1,
                    UNITS,
                    Pool(0).locations,
                )
            await connection.execute("ANALYZE balances")
            await connection.execute("CHECKPOINT")
    finally:
        await database.close()


async def measure(url: str, orders: Sequence[OrderLines]) -> dict[int, float]:
    """Take as many orders with each number of clients; return orders a second by clients."""
    rates = {}
    for place, clients in enumerate(CLIENTS):
        part = orders[place :: len(CLIENTS)]
        locations = Pool(0).locations
        requests = [
            Request(
                f"shop:{clients}-{number}",
                sorted((sku_name(rank), units) for rank, units in lines),
                locations[number % len(locations) :] + locations[: number % len(locations)],
            )
            for number, lines in enumerate(part)
        ]
        database = Database(url, max_connections=clients)
        await database.open()
        try:
            rates[clients] = len(requests) / await _run(database, requests, clients)
        finally:
            await database.close()
    return rates


async def _run(database: Database, requests: Sequence[Request], clients: int) -> float:
    waiting = iter(requests)
    ready = asyncio.Barrier(clients + 1)

    async def client(waiting: Iterator[Request]) -> None:
        async with database.connection() as connection:
            await connection.fetch(_LOCK, [], [])
            await ready.wait()
            for request in waiting:
                await _take(connection, request)

    clients_running = [asyncio.create_task(client(waiting)) for _ in range(clients)]
    await ready.wait()
    began = time.monotonic()
    await asyncio.gather(*clients_running)
    return time.monotonic() - began


async def _take(connection: Connection, request: Request) -> None:
    await connection.execute("BEGIN")
    skus = [sku for sku, _ in request.lines]
    rows = await connection.fetch(_LOCK, skus, request.locations)
    available = {(row["sku"], row["location"]): row["available"] for row in rows}
    chosen = [
        next(place for place in request.locations if available[sku, place] >= units)
        for sku, units in request.lines
    ]
    quantities = [units for _, units in request.lines]
    names = [str(number) for number in range(1, len(skus) + 1)]
    await connection.execute(_RESERVE, skus, chosen, quantities)
    await connection.execute(_ORDER, request.order)
    await connection.execute(_LINES, request.order, names, skus, chosen, quantities)
    await connection.execute(_OUTBOX, f'{{"order":"{request.order}","reserved":true}}')
    await connection.execute("COMMIT")
