"""What is remembered for ever, in PostgreSQL: orders, carts, transfers as they were first taken."""

from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import Any

from order_ingest.domain.orders import Placement
from order_ingest.domain.register import Entry, RegisteredT
from order_ingest.handlers import Memory
from restock_common.contracts.ledger import (
    CartHeld,
    OrderLine,
    OrderPlaced,
    ReceiptExpected,
    TransferOrdered,
)
from restock_common.postgres import Connection

_KINDS: Mapping[type[CartHeld | TransferOrdered | ReceiptExpected], str] = {
    CartHeld: "hold",
    TransferOrdered: "transfer",
    ReceiptExpected: "expected",
}


class PostgresOrderBook:
    """Writes to and reads from the table `orders`; the first write of an order wins."""

    async def remember(
        self, connection: Connection, asked: Sequence[Placement], others: Sequence[str] = ()
    ) -> Memory:
        """Write the orders that are not there; return all of them, and `others`, as they are.

        Args:
            connection: In a transaction or not: all is written by one statement.
            asked: May hold one order more than once: the first counts.
            others: Ids that are only looked up; unknown ones are missing in the answer.
        """
        first: dict[str, Placement] = {}
        for placement in asked:
            first.setdefault(placement.order, placement)
        new = await _insert(connection, list(first.values())) if first else frozenset()
        placements = {order: first[order] for order in new}
        missing = ({*first, *others}) - new
        if missing:
            rows = await connection.fetch(
                "SELECT event, digest FROM orders WHERE order_id = ANY($1)", sorted(missing)
            )
            placements.update((found.order, found) for found in map(_placement, rows))
        return Memory(placements, new)

    async def find(self, connection: Connection, order: str) -> Placement | None:
        """Return an order as it was first taken; None where it was not."""
        row = await connection.fetchrow(
            "SELECT event, digest FROM orders WHERE order_id = $1", order
        )
        return None if row is None else _placement(row)

    async def add_lines(
        self, connection: Connection, order: str, lines: Sequence[OrderLine]
    ) -> dict[str, OrderLine]:
        """Write lines that an order gains, unless they are there; return them as first told."""
        told = sorted((line.line, line.model_dump_json()) for line in lines)
        names = [name for name, _ in told]
        await connection.execute(
            "INSERT INTO added_lines (order_id, line, told)"
            " SELECT $1, new.* FROM unnest($2::text[], $3::json[]) AS new ON CONFLICT DO NOTHING",
            order,
            names,
            [line for _, line in told],
        )
        rows = await connection.fetch(
            "SELECT line, told FROM added_lines WHERE order_id = $1 AND line = ANY($2)",
            order,
            names,
        )
        return {row["line"]: OrderLine.model_validate_json(row["told"]) for row in rows}


class PostgresRegister:
    """Writes to and reads from the table `register`; the first write of an id wins."""

    async def enter(
        self, connection: Connection, asked: Sequence[Entry[RegisteredT]]
    ) -> list[Entry[RegisteredT]]:
        """Write what is not there, by one statement; return all, in their order, as they are.

        Args:
            connection: In a transaction or not.
            asked: Of one kind, at least one; may hold one id more than once: the first counts.
        """
        kind = type(asked[0].event)
        first: dict[str, Entry[RegisteredT]] = {}
        for entry in asked:
            first.setdefault(entry.id, entry)
        ids = sorted(first)  # so that two batches with the same ids cannot deadlock
        rows = await connection.fetch(
            "INSERT INTO register (kind, id, digest, event)"
            " SELECT $1, new.* FROM unnest($2::text[], $3::bytea[], $4::json[]) AS new"
            " ON CONFLICT DO NOTHING RETURNING id",
            _KINDS[kind],
            ids,
            [first[one].digest for one in ids],
            [first[one].event.model_dump_json(exclude_none=True) for one in ids],
        )
        known = first.keys() - {row["id"] for row in rows}
        if known:
            for row in await self._rows(connection, kind, sorted(known)):
                event = kind.model_validate_json(row["event"])
                first[row["id"]] = Entry(row["id"], event, row["digest"])
        return [first[entry.id] for entry in asked]

    async def find(
        self, connection: Connection, kind: type[RegisteredT], ids: Sequence[str]
    ) -> dict[str, RegisteredT]:
        """Return what is known of one kind, by id; unknown ids are missing."""
        rows = await self._rows(connection, kind, ids)
        return {row["id"]: kind.model_validate_json(row["event"]) for row in rows}

    async def _rows(
        self,
        connection: Connection,
        kind: type[CartHeld | TransferOrdered | ReceiptExpected],
        ids: Sequence[str],
    ) -> Sequence[Mapping[str, Any]]:
        return await connection.fetch(
            "SELECT id, digest, event FROM register WHERE kind = $1 AND id = ANY($2)",
            _KINDS[kind],
            ids,
        )


async def _insert(connection: Connection, placements: Sequence[Placement]) -> frozenset[str]:
    """Insert in the order of ids, so that two batches with the same orders cannot deadlock."""
    placements = sorted(placements, key=attrgetter("order"))
    rows = await connection.fetch(
        "INSERT INTO orders (order_id, pool, shard, digest, event)"
        " SELECT * FROM unnest($1::text[], $2::text[], $3::smallint[], $4::bytea[], $5::json[])"
        " ON CONFLICT (order_id) DO NOTHING RETURNING order_id",
        [one.order for one in placements],
        [one.pool for one in placements],
        [one.shard for one in placements],
        [one.digest for one in placements],
        [one.told.decode() for one in placements],
    )
    return frozenset(row["order_id"] for row in rows)


def _placement(row: Mapping[str, Any]) -> Placement:
    return Placement(OrderPlaced.model_validate_json(row["event"]), row["digest"])
