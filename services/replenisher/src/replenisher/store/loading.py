"""What a batch, a command or a review needs, read and locked."""

from collections.abc import Iterable, Sequence
from datetime import timedelta

from replenisher.domain.model import Place, Position, ReceiptKey, WorkingSet
from replenisher.domain.review import ReviewDue
from replenisher.store.rows import line_of, order_of, position_of, record_of, risk_of
from restock_common.contracts.stock import StockReceived
from restock_common.postgres import Connection

_REVIEW_LOCK = 1_918_727_541  # any constant: a review sees no batch half done


async def lock_reviews(connection: Connection, *, alone: bool) -> None:
    """Take the reviews' lock until the transaction ends."""
    if alone:
        await connection.execute("SELECT pg_advisory_xact_lock($1)", _REVIEW_LOCK)
    else:
        await connection.execute("SELECT pg_advisory_xact_lock_shared($1)", _REVIEW_LOCK)


async def load_for_review(connection: Connection, due: ReviewDue) -> WorkingSet:
    """Return every place that could be in need: it has a forecast, owes units, or has a need."""
    await lock_reviews(connection, alone=True)
    state = WorkingSet()
    suppliers = list(due.suppliers)
    skus = [sku for some in due.suppliers.values() for sku in some]
    rows = await connection.fetch(
        "SELECT * FROM positions"
        " WHERE (learned_until IS NOT NULL OR backordered > 0 OR need IS NOT NULL)"
        " AND ($2 OR sku = ANY($1))",
        skus,
        not due.suppliers,
    )
    state.positions = {position.place: position for position in map(position_of, rows)}
    reviewed = await connection.fetch(
        "SELECT supplier, review_date FROM reviews WHERE review_date = $1"
        " AND (supplier = ANY($2) OR supplier = '')",
        due.review_date,
        suppliers,
    )
    found = {row["supplier"] for row in reviewed}
    done = [*suppliers, ""] if "" in found else found
    state.reviewed = frozenset((supplier, due.review_date) for supplier in done)
    midnight = due.cut_at.replace(hour=0, minute=0, second=0, microsecond=0)
    spent = await connection.fetch(
        "SELECT supplier, sum(value) AS spent FROM purchase_orders"
        " WHERE supplier = ANY($1) AND placed_at >= $2 GROUP BY supplier",
        suppliers,
        midnight - timedelta(days=midnight.weekday()),
    )
    state.spent = {row["supplier"]: row["spent"] for row in spent}
    late = await connection.fetch(
        "SELECT supplier, count(*) AS orders, sum(value) AS value FROM purchase_orders"
        " WHERE supplier = ANY($1) AND late_at IS NOT NULL AND closed_at IS NULL GROUP BY supplier",
        suppliers,
    )
    state.late = {row["supplier"]: (row["orders"], row["value"]) for row in late}
    risks = await connection.fetch("SELECT * FROM risks WHERE supplier = ANY($1)", suppliers)
    state.risks = {risk.risk: risk for risk in map(risk_of, risks)}
    if due.limited:
        stored = await connection.fetch(
            "SELECT location, sum(on_hand + in_transit + on_order)::bigint AS units"
            " FROM positions WHERE location = ANY($1) GROUP BY location",
            list(due.limited),
        )
        state.stored = {row["location"]: row["units"] for row in stored}
    await load_lead_times(connection, state)
    return state


async def places_of_lines(
    connection: Connection, lines: Iterable[str], orders: Iterable[str]
) -> set[Place]:
    """Return the places of order lines, which never change."""
    wanted, whole = list(lines), list(orders)
    if not wanted and not whole:
        return set()
    rows = await connection.fetch(
        "SELECT sku, location FROM order_lines"
        " WHERE order_line = ANY($1) OR purchase_order = ANY($2)",
        wanted,
        whole,
    )
    return {Place(row["sku"], row["location"]) for row in rows}


async def load_positions(
    connection: Connection, state: WorkingSet, places: Iterable[Place]
) -> None:
    """Load and lock places; those that are new are made first, so that they can be locked too."""
    wanted = sorted(places)
    state.positions = await _lock_positions(connection, wanted)
    missing = [place for place in wanted if place not in state.positions]
    if missing:
        await connection.execute(
            "INSERT INTO positions (sku, location) SELECT * FROM unnest($1::text[], $2::text[])"
            " ON CONFLICT DO NOTHING",  # another member of the group may have just made it
            [place.sku for place in missing],
            [place.location for place in missing],
        )
        state.positions.update(await _lock_positions(connection, missing))


async def orders_of_lines(connection: Connection, lines: Iterable[str]) -> set[str]:
    """Return the orders that lines stand on; asked with the lines' places locked, they stay."""
    wanted = list(lines)
    if not wanted:
        return set()
    rows = await connection.fetch(
        "SELECT DISTINCT purchase_order FROM order_lines WHERE order_line = ANY($1)", wanted
    )
    return {row["purchase_order"] for row in rows}


async def load_orders(
    connection: Connection,
    state: WorkingSet,
    names: Iterable[str],
    received: Sequence[StockReceived],
) -> None:
    """Load purchase orders, locked, with their lines, and what was counted on them."""
    wanted = list(names)
    orders = await connection.fetch(
        "SELECT * FROM purchase_orders WHERE purchase_order = ANY($1)"
        " ORDER BY purchase_order FOR UPDATE",
        wanted,
    )
    state.orders = {order.id: order for order in map(order_of, orders)}
    # Not locked: whoever changes a line has locked its order or its place.
    lines = await connection.fetch(
        "SELECT * FROM order_lines WHERE purchase_order = ANY($1)", wanted
    )
    state.lines = {line.id: line for line in map(line_of, lines)}
    if not received:
        return
    counted = await connection.fetch(
        "SELECT receipt, order_line, purchase_order FROM receipts WHERE receipt = ANY($1)",
        list({event.receipt for event in received}),
    )
    for row in counted:
        key = ReceiptKey(row["receipt"], row["order_line"], row["purchase_order"])
        state.receipts.add(key)
        state.deliveries.add((key.receipt, key.purchase_order))


async def load_lead_times(connection: Connection, state: WorkingSet) -> None:
    """Load every supplier's record, not locked: saving adds to it what this batch observed."""
    rows = await connection.fetch("SELECT * FROM lead_times")
    state.lead_times = {row["supplier"]: record_of(row) for row in rows}


async def _lock_positions(connection: Connection, places: Sequence[Place]) -> dict[Place, Position]:
    rows = await connection.fetch(
        "SELECT positions.* FROM positions"
        " JOIN unnest($1::text[], $2::text[]) AS wanted (sku, location) USING (sku, location)"
        " ORDER BY sku, location FOR UPDATE OF positions",
        [place.sku for place in places],
        [place.location for place in places],
    )
    return {position.place: position for position in map(position_of, rows)}
