"""The order book in PostgreSQL: where each order was homed, remembered for ever."""

from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import Any

from order_ingest.domain.orders import Placement
from order_ingest.handlers import Memory
from restock_common.contracts.ledger import OrderPlaced
from restock_common.postgres import Connection


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
        [one.event.model_dump_json(exclude_none=True) for one in placements],
    )
    return frozenset(row["order_id"] for row in rows)


def _placement(row: Mapping[str, Any]) -> Placement:
    return Placement(OrderPlaced.model_validate_json(row["event"]), row["digest"])
