"""What the API shows, read outside any transaction of the stream."""

from collections.abc import Sequence
from datetime import datetime

from replenisher.domain.lead_time import LeadTimeRecord
from replenisher.domain.model import Position
from replenisher.store.rows import Row, position_of, record_of
from restock_common.postgres import Database


class PostgresViews:
    """Reads one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def positions(self, sku: str) -> list[Position]:
        """Return a sku's positions, by location."""
        return [
            position_of(row)
            for row in await self._fetch(
                "SELECT * FROM positions WHERE sku = $1 ORDER BY location",
                sku,
            )
        ]

    async def position(self, sku: str, location: str) -> Position | None:
        """Return one position; None where nothing was ever heard of it."""
        rows = await self._fetch(
            "SELECT * FROM positions WHERE sku = $1 AND location = $2",
            sku,
            location,
        )
        return position_of(rows[0]) if rows else None

    async def lead_times(self) -> dict[str, LeadTimeRecord]:
        """Return what was observed, by supplier."""
        rows = await self._fetch("SELECT * FROM lead_times")
        return {row["supplier"]: record_of(row) for row in rows}

    async def purchase_orders(self, *, open_only: bool, limit: int) -> Sequence[Row]:
        """Return purchase orders, the newest first."""
        return await self._fetch(
            "SELECT * FROM purchase_orders WHERE closed_at IS NULL OR NOT $1"
            " ORDER BY placed_at DESC, purchase_order LIMIT $2",
            open_only,
            limit,
        )

    async def purchase_order(self, purchase_order: str) -> Row | None:
        """Return one purchase order."""
        rows = await self._fetch(
            "SELECT * FROM purchase_orders WHERE purchase_order = $1", purchase_order
        )
        return rows[0] if rows else None

    async def order_lines(self, purchase_order: str) -> Sequence[Row]:
        """Return a purchase order's lines, by sku, with their reasons."""
        return await self._fetch(
            "SELECT * FROM order_lines WHERE purchase_order = $1 ORDER BY sku", purchase_order
        )

    async def uncovered_needs(self, state: str, limit: int) -> Sequence[Row]:
        """Return needs that no order line covers, in one state."""
        return await self._fetch(
            "SELECT need, sku, location, need_state AS state, need_reason AS reason,"
            " need_opened_at AS opened_at, need_revision AS revision FROM positions"
            " WHERE need_state = $1"
            " ORDER BY sku, location LIMIT $2",
            state,
            limit,
        )

    async def covered_needs(self, limit: int) -> Sequence[Row]:
        """Return needs with the live order line that covers each."""
        return await self._fetch(
            "SELECT need, sku, location, 'covered' AS state, order_line, purchase_order,"
            " quantity, received, need_revision AS revision FROM order_lines"
            " WHERE received + cancelled < quantity"
            " ORDER BY sku, location, order_line LIMIT $1",
            limit,
        )

    async def risks(self, limit: int) -> Sequence[Row]:
        """Return risks that stand, the dearest first."""
        return await self._fetch(
            "SELECT * FROM risks ORDER BY probability * impact DESC, risk LIMIT $1", limit
        )

    async def finance(self) -> dict[str, object]:
        """Return open commitments, and the cash that they need by week, in money."""
        rows = await self._fetch(
            "SELECT date_trunc('week', coalesce(orders.expected_at, orders.placed_at), 'UTC')::date"
            " AS week, orders.state = 'proposed' AS proposed,"
            " sum((quantity - received - cancelled)"
            " * coalesce((reason->>'unit_cost')::double precision, 0)) AS value"
            " FROM order_lines JOIN purchase_orders AS orders USING (purchase_order)"
            " WHERE received + cancelled < quantity GROUP BY 1, 2 ORDER BY 1"
        )
        weeks: dict[str, float] = {}
        for row in rows:
            if not row["proposed"]:
                weeks[str(row["week"])] = round(weeks.get(str(row["week"]), 0.0) + row["value"], 2)
        return {
            "open_commitments": round(sum(weeks.values()), 2),
            "proposed": round(sum(row["value"] for row in rows if row["proposed"]), 2),
            "cash_need_by_week": weeks,
        }

    async def stock(self) -> Sequence[Row]:
        """Return what lies on the shelves and what is expected to be asked for a day, by sku."""
        return await self._fetch(
            "SELECT sku, sum(on_hand)::bigint AS units,"
            " coalesce(sum((horizons->'mean'->>-1)::double precision"
            " / (horizons->'days'->>-1)::double precision), 0) AS a_day"
            " FROM positions GROUP BY sku"
        )

    async def reviewable(self, skus: Sequence[str]) -> list[Position]:
        """Return the positions of some skus."""
        return [
            position_of(row)
            for row in await self._fetch("SELECT * FROM positions WHERE sku = ANY($1)", list(skus))
        ]

    async def spent(self, supplier: str, since: datetime) -> float:
        """Return what was ordered of a supplier since a time, in money."""
        rows = await self._fetch(
            "SELECT coalesce(sum(value), 0) AS spent FROM purchase_orders"
            " WHERE supplier = $1 AND placed_at >= $2",
            supplier,
            since,
        )
        return float(rows[0]["spent"])

    async def reviewed_until(self) -> datetime:
        """Return the time of the last review's cut; the present before the first."""
        rows = await self._fetch("SELECT coalesce(max(cut_at), now()) AS at FROM reviews")
        at: datetime = rows[0]["at"]
        return at

    async def _fetch(self, query: str, *arguments: object) -> list[Row]:
        async with self._database.connection() as connection:
            return await connection.fetch(query, *arguments)
