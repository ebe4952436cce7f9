"""Look-ups for people and for the verdict, straight from the tables."""

from collections.abc import Mapping
from typing import Any

import orjson

from restock_common.contracts.topics import LEDGER
from restock_common.postgres import Database
from stock_ledger.domain.model import HOME

_BALANCES_BY_MOVEMENTS = """
    WITH entries AS (
        SELECT sku, location, shard, target AS account, units FROM movements
        UNION ALL
        SELECT sku, location, shard, source AS account, -units FROM movements
    )
    SELECT sku, location, shard,
        coalesce(sum(units) FILTER (WHERE account = 'available'), 0) AS available,
        coalesce(sum(units) FILTER (WHERE account = 'reserved'), 0) AS reserved,
        coalesce(sum(units) FILTER (WHERE account = 'backordered'), 0) AS backordered
    FROM entries WHERE account IN ('available', 'reserved', 'backordered')
    GROUP BY sku, location, shard
"""

_OVERSOLD = f"""
    WITH booked AS ({_BALANCES_BY_MOVEMENTS})
    SELECT
        coalesce(sum(greatest(0, stock.reserved - stock.on_hand) + greatest(0, -stock.on_hand)
            + greatest(0, -stock.reserved) + greatest(0, -stock.backordered)), 0)::bigint
            AS by_balances,
        coalesce(sum(greatest(0, -booked.available) + greatest(0, -booked.reserved)
            + greatest(0, -booked.backordered)), 0)::bigint AS by_movements,
        count(*) FILTER (WHERE (coalesce(stock.on_hand, 0), coalesce(stock.reserved, 0),
            coalesce(stock.backordered, 0)) IS DISTINCT FROM
            (coalesce(booked.available + booked.reserved, 0), coalesce(booked.reserved, 0),
            coalesce(booked.backordered, 0))) AS balances_differing
    FROM stock FULL JOIN booked USING (sku, location, shard)
"""  # noqa: S608 - constants

_LINES = """
    SELECT
        count(DISTINCT (order_id, line)) FILTER (WHERE source = 'ordered' AND offer = '')
            AS order_lines,
        count(DISTINCT (order_id, line)) FILTER (WHERE target = 'reserved') AS lines_reserved,
        count(DISTINCT (order_id, line)) FILTER (WHERE target = 'backordered')
            AS lines_backordered,
        count(DISTINCT (order_id, line)) FILTER (WHERE target = 'reserved' AND offer <> '')
            AS lines_served_by_another_pool
    FROM movements WHERE order_id IS NOT NULL
"""

_APPLIED_TWICE = """
    SELECT count(DISTINCT order_id) FROM (
        SELECT order_id FROM movements WHERE source = 'ordered' AND offer = ''
        GROUP BY order_id, line HAVING count(*) > 1
    ) AS twice
"""


class PostgresQueries:
    """What the API answers with."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def stock(self, sku: str) -> list[dict[str, Any]]:
        """Return the levels of a sku by location, in units."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                "SELECT location, pool, shard, on_hand, reserved, backordered,"
                " on_hand - reserved AS available FROM stock WHERE sku = $1"
                " ORDER BY location, shard",
                sku,
            )
        return [dict(row) for row in rows]

    async def order(self, order: str) -> dict[str, Any] | None:
        """Return an order's claims with their pieces, home first; None where it is not known."""
        async with self._database.connection() as connection:
            claims = await connection.fetch(
                "SELECT offer, shard, state, placed, return_expected FROM claims"
                " WHERE order_id = $1 ORDER BY offer, shard",
                order,
            )
            pieces = await connection.fetch(
                "SELECT offer, shard, line, sku, quantity, state, location, allocation"
                " FROM pieces WHERE order_id = $1 ORDER BY offer, shard, number",
                order,
            )
        if not claims:
            return None
        return {"order": order, "claims": [_claim(claim, pieces) for claim in claims]}

    async def shards(self) -> list[dict[str, Any]]:
        """Return where each shard's writer stands."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                "SELECT partition AS shard, epoch, incarnation, log_identity, next_offset,"
                " next_sequence, published_sequence, encode(head, 'hex') AS head FROM cursors"
                " WHERE topic = $1 ORDER BY partition",
                LEDGER.name,
            )
        return [dict(row) for row in rows]

    async def figures(self) -> dict[str, int]:
        """Return totals; `units_oversold` and `balances_differing` must be none.

        `units_oversold` counts what any balance is short, by the balance rows or by the sums of
        the movements, whichever is more; `balances_differing` the rows where the two disagree.
        """
        async with self._database.connection() as connection:
            orders = await connection.fetchval(
                "SELECT count(*) FROM claims WHERE offer = $1 AND placed IS NOT NULL", HOME
            )
            lines = await connection.fetchrow(_LINES)
            oversold = await connection.fetchrow(_OVERSOLD)
            twice = await connection.fetchval(_APPLIED_TWICE)
            receipts = await connection.fetchval("SELECT count(*) FROM receipts")
        assert lines is not None
        assert oversold is not None
        return {
            "orders": orders,
            **lines,
            "units_oversold": max(oversold["by_balances"], oversold["by_movements"]),
            "balances_differing": oversold["balances_differing"],
            "orders_applied_twice": twice,
            "receipts": receipts,
        }


def _claim(claim: Mapping[str, Any], pieces: list[Mapping[str, Any]]) -> dict[str, Any]:
    placed = claim["placed"]
    return {
        **{name: claim[name] for name in ("offer", "shard", "state", "return_expected")},
        "placed": None if placed is None else orjson.loads(placed),
        "pieces": [
            {name: value for name, value in piece.items() if name not in {"offer", "shard"}}
            for piece in pieces
            if (piece["offer"], piece["shard"]) == (claim["offer"], claim["shard"])
        ],
    }
