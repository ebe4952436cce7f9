"""Look-ups for people, storefronts and the verdict, straight from the tables.

Every look-up is one snapshot; none takes a lock, so none waits for the writer.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson

from restock_common.contracts.topics import LEDGER
from restock_common.postgres import Database
from stock_ledger.domain.model import HOLD, HOME, TRANSFER
from stock_ledger.store import statements

_PIECE_COLUMNS = "line, sku, quantity, state, location, lot, reservation, allocation, expected, cut"


class PostgresQueries:
    """What the API answers with."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def stock(self, skus: Sequence[str], channel: str | None = None) -> list[dict[str, Any]]:
        """Return the levels of skus by location, in units, by sku and location.

        Args:
            skus: Which.
            channel: `available` is told for it; None for no channel in particular.
        """
        return await self._rows(statements.LEVELS, list(skus), channel)

    async def lots(self, sku: str) -> list[dict[str, Any]]:
        """Return the balances of a sku by location and lot, in units."""
        return await self._rows(statements.LOTS, sku)

    async def order(self, order: str) -> dict[str, Any] | None:
        """Return an order's claims with their pieces, home first; None where it is not known."""
        claims = await self._claims(order, "offer NOT IN ($2, $3)", HOLD, TRANSFER)
        return {"order": order, "claims": claims} if claims else None

    async def hold(self, hold: str) -> dict[str, Any] | None:
        """Return a cart hold with its pieces; None where it is not known."""
        claims = await self._claims(hold, "offer = $2", HOLD)
        return {"hold": hold, **claims[0]} if claims else None

    async def transfer(self, transfer: str) -> dict[str, Any] | None:
        """Return a transfer, at its source and at its target; None where it is not known."""
        claims = await self._claims(transfer, "offer = $2", TRANSFER)
        inbound = await self._rows(
            "SELECT line, lot, sku, location, pool, shard, shipped, received, lost FROM inbound"
            " WHERE transfer = $1 ORDER BY line, lot",
            transfer,
        )
        if not (claims or inbound):
            return None
        return {"transfer": transfer, "source": claims[0] if claims else None, "target": inbound}

    async def reservation(self, reservation: str) -> list[dict[str, Any]]:
        """Return the pieces of a reservation: what of it is kept, has left, or was given back."""
        return await self._rows(
            f"SELECT order_id AS order, shard, {_PIECE_COLUMNS} FROM pieces"  # noqa: S608 - constants
            " WHERE reservation = $1 ORDER BY order_id, offer, number",
            reservation,
        )

    async def movements(
        self, sku: str, location: str | None, after: int, limit: int
    ) -> list[dict[str, Any]]:
        """Return the movements of a sku after an id, in the order in which they were recorded."""
        return await self._rows(statements.MOVEMENTS, sku, location, after, limit)

    async def as_of(
        self, sku: str, effective_at: datetime | None, recorded_at: datetime | None
    ) -> list[dict[str, Any]]:
        """Return the balances of a sku as they were at a time, as they were known at another.

        Args:
            sku: Which.
            effective_at: What had happened until then; None for everything.
            recorded_at: What had been recorded until then; None for everything.
        """
        return await self._rows(statements.AS_OF, sku, effective_at, recorded_at)

    async def alerts(self, sku: str | None, kind: str | None, limit: int) -> list[dict[str, Any]]:
        """Return the alerts that stand, the latest first."""
        return await self._rows(statements.ALERTS, sku, kind, limit)

    async def countable(self, location: str) -> list[dict[str, Any]]:
        """Return what a count plan is told from: on_hand and past counts of each sku there."""
        return await self._rows(statements.COUNTABLE, location)

    async def serial(self, sku: str, serial: str) -> dict[str, Any] | None:
        """Return where a unit is, or with which parcel it left; None where it is not known."""
        rows = await self._rows(
            "SELECT sku, serial, location, allocation, shard FROM serials"
            " WHERE sku = $1 AND serial = $2",
            sku,
            serial,
        )
        return rows[0] if rows else None

    async def shards(self) -> list[dict[str, Any]]:
        """Return where each shard's writer stands."""
        return await self._rows(
            "SELECT partition AS shard, epoch, incarnation, log_identity, next_offset,"
            " next_sequence, published_sequence, encode(head, 'hex') AS head FROM cursors"
            " WHERE topic = $1 ORDER BY partition",
            LEDGER.name,
        )

    async def figures(self) -> dict[str, int]:
        """Return totals; `units_oversold` and `balances_differing` must be none.

        `units_oversold` counts what any balance is short, by the balance rows or by the sums of
        the movements, whichever is more; `balances_differing` the rows where the two disagree.
        """
        async with self._database.connection() as connection:
            orders = await connection.fetchval(
                "SELECT count(*) FROM claims WHERE offer = $1 AND placed IS NOT NULL", HOME
            )
            lines = await connection.fetchrow(statements.LINES)
            oversold = await connection.fetchrow(statements.OVERSOLD)
            twice = await connection.fetchval(statements.APPLIED_TWICE)
            receipts = await connection.fetchval(
                "SELECT count(*) FROM bookings WHERE kind = 'receipt'"
            )
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

    async def _rows(self, statement: str, *args: Any) -> list[dict[str, Any]]:
        async with self._database.connection() as connection:
            return [dict(row) for row in await connection.fetch(statement, *args)]

    async def _claims(self, order: str, which: str, *kinds: str) -> list[dict[str, Any]]:
        claims = await self._rows(
            "SELECT offer, shard, state, placed, return_expected, revision FROM claims"  # noqa: S608 - constants
            f" WHERE order_id = $1 AND {which} ORDER BY offer, shard",
            order,
            *kinds,
        )
        pieces = await self._rows(
            f"SELECT offer, shard, {_PIECE_COLUMNS} FROM pieces"  # noqa: S608 - constants
            f" WHERE order_id = $1 AND {which} ORDER BY offer, shard, number",
            order,
            *kinds,
        )
        return [_claim(claim, pieces) for claim in claims]


def _claim(claim: Mapping[str, Any], pieces: list[dict[str, Any]]) -> dict[str, Any]:
    placed = claim["placed"]
    return {
        **claim,
        "placed": None if placed is None else orjson.loads(placed),
        "pieces": [
            {name: value for name, value in piece.items() if name not in {"offer", "shard"}}
            for piece in pieces
            if (piece["offer"], piece["shard"]) == (claim["offer"], claim["shard"])
        ],
    }
