"""What the API shows, read outside any transaction of the stream."""

from collections.abc import Sequence

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
            " need_opened_at AS opened_at FROM positions WHERE need_state = $1"
            " ORDER BY sku, location LIMIT $2",
            state,
            limit,
        )

    async def covered_needs(self, limit: int) -> Sequence[Row]:
        """Return needs with the live order line that covers each."""
        return await self._fetch(
            "SELECT need, sku, location, 'covered' AS state, order_line, purchase_order,"
            " quantity, received FROM order_lines WHERE received < quantity"
            " ORDER BY sku, location, order_line LIMIT $1",
            limit,
        )

    async def _fetch(self, query: str, *arguments: object) -> list[Row]:
        async with self._database.connection() as connection:
            return await connection.fetch(query, *arguments)
