"""Loads and saves a batch's working set: a few statements, whatever the batch's size.

Locks, always taken in this order: the cursor (by the inbox), the reviews' lock (shared by
batches, alone for a review, which reads every place), positions by key, purchase orders by id,
suppliers by name. Two members of the group may hold stock and forecasts of one sku.
"""

from collections.abc import Iterable, Sequence
from datetime import date

from replenisher.domain.model import OrderLine, Place, Position, ReceiptKey, WorkingSet
from replenisher.domain.review import ReviewDue
from replenisher.store.rows import columns_of, line_of, order_of, position_of, record_of
from restock_common.contracts.envelope import Message
from restock_common.contracts.event import Event
from restock_common.contracts.forecasts import DemandForecast
from restock_common.contracts.stock import Level, StockReceived
from restock_common.postgres import Connection

_REVIEW_LOCK = 1_918_727_541  # any constant: a review sees no batch half done


class PostgresStore:
    """The working sets of one database."""

    async def load(self, connection: Connection, messages: Sequence[Message[Event]]) -> WorkingSet:
        """Return what the messages need, locked until the transaction ends."""
        dates = [one.event.review_date for one in messages if isinstance(one.event, ReviewDue)]
        if dates:
            return await _load_for_review(connection, dates)
        await connection.execute("SELECT pg_advisory_xact_lock_shared($1)", _REVIEW_LOCK)
        state = WorkingSet()
        events = [message.event for message in messages]
        received = [event for event in events if isinstance(event, StockReceived)]
        places = {
            Place(event.sku, event.location)
            for event in events
            if isinstance(event, Level | DemandForecast)
        }
        lines = await _load_lines(connection, received)
        places.update(line.place for line in lines)
        await _load_positions(connection, state, places)
        await _load_orders(connection, state, lines, received)
        await _load_lead_times(connection, state)
        return state

    async def save(self, connection: Connection, state: WorkingSet) -> None:
        """Write what changed."""
        await _save_positions(connection, list(state.changed_positions()))
        await _save_review(connection, state)
        await _save_receipts(connection, state)
        await _save_lead_times(connection, state)


async def _load_for_review(connection: Connection, dates: Sequence[date]) -> WorkingSet:
    """Return every place that could be in need: it has a forecast, owes units, or has a need."""
    await connection.execute("SELECT pg_advisory_xact_lock($1)", _REVIEW_LOCK)
    state = WorkingSet()
    rows = await connection.fetch(
        "SELECT * FROM positions"
        " WHERE learned_until IS NOT NULL OR backordered > 0 OR need IS NOT NULL"
    )
    state.positions = {position.place: position for position in map(position_of, rows)}
    reviewed = await connection.fetch(
        "SELECT review_date FROM reviews WHERE review_date = ANY($1)", dates
    )
    state.reviewed = frozenset(row["review_date"] for row in reviewed)
    await _load_lead_times(connection, state)
    return state


async def _load_lines(connection: Connection, received: Sequence[StockReceived]) -> list[OrderLine]:
    cited = {event.order_line for event in received if event.order_line is not None}
    if not cited:
        return []
    # Not locked: a line belongs to one sku, whose partition has one writer.
    rows = await connection.fetch(
        "SELECT order_line, purchase_order, need, sku, location, quantity, received"
        " FROM order_lines WHERE order_line = ANY($1)",
        list(cited),
    )
    return [line_of(row) for row in rows]


async def _load_positions(
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


async def _lock_positions(connection: Connection, places: Sequence[Place]) -> dict[Place, Position]:
    rows = await connection.fetch(
        "SELECT positions.* FROM positions"
        " JOIN unnest($1::text[], $2::text[]) AS wanted (sku, location) USING (sku, location)"
        " ORDER BY sku, location FOR UPDATE OF positions",
        [place.sku for place in places],
        [place.location for place in places],
    )
    return {position.place: position for position in map(position_of, rows)}


async def _load_orders(
    connection: Connection,
    state: WorkingSet,
    lines: Sequence[OrderLine],
    received: Sequence[StockReceived],
) -> None:
    """Load the purchase orders of cited lines, locked, and then what was counted on them."""
    if not lines:
        return
    state.lines = {line.id: line for line in lines}
    orders = await connection.fetch(
        "SELECT * FROM purchase_orders WHERE purchase_order = ANY($1)"
        " ORDER BY purchase_order FOR UPDATE",
        list({line.purchase_order for line in lines}),
    )
    state.orders = {order.id: order for order in map(order_of, orders)}
    counted = await connection.fetch(
        "SELECT receipt, order_line, purchase_order FROM receipts WHERE receipt = ANY($1)",
        list({event.receipt for event in received}),
    )
    for row in counted:
        key = ReceiptKey(row["receipt"], row["order_line"], row["purchase_order"])
        state.receipts.add(key)
        state.deliveries.add((key.receipt, key.purchase_order))


async def _load_lead_times(connection: Connection, state: WorkingSet) -> None:
    """Load every supplier's record, not locked: saving adds to it what this batch observed."""
    rows = await connection.fetch("SELECT * FROM lead_times")
    state.lead_times = {row["supplier"]: record_of(row) for row in rows}


async def _save_positions(connection: Connection, positions: Sequence[Position]) -> None:
    if not positions:
        return
    needs = [position.need for position in positions]
    await connection.execute(
        "UPDATE positions SET on_hand = new.on_hand, unsellable = new.unsellable,"
        " reserved = new.reserved, backordered = new.backordered, in_transit = new.in_transit,"
        " on_order = new.on_order,"
        " lines_placed = new.lines_placed, learned_until = new.learned_until,"
        " horizons = coalesce(new.horizons, positions.horizons), need = new.need,"
        " need_state = new.need_state, need_opened_at = new.need_opened_at,"
        " need_reason = new.need_reason"
        " FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[],"
        " $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[], $10::timestamptz[],"
        " $11::jsonb[], $12::text[], $13::text[], $14::timestamptz[], $15::text[])"
        " AS new (sku, location, on_hand, unsellable, reserved, backordered, in_transit,"
        " on_order, lines_placed, learned_until, horizons, need, need_state, need_opened_at,"
        " need_reason)"
        " WHERE positions.sku = new.sku AND positions.location = new.location",
        [position.place.sku for position in positions],
        [position.place.location for position in positions],
        [position.on_hand for position in positions],
        [position.unsellable for position in positions],
        [position.reserved for position in positions],
        [position.backordered for position in positions],
        [position.in_transit for position in positions],
        [position.on_order for position in positions],
        [position.lines_placed for position in positions],
        [position.forecast.learned_until for position in positions],
        [
            columns_of(position.forecast.horizons) if position.forecast_changed else None
            for position in positions
        ],
        [need and need.id for need in needs],
        [need and need.state for need in needs],
        [need and need.opened_at for need in needs],
        [need and need.reason for need in needs],
    )


async def _save_review(connection: Connection, state: WorkingSet) -> None:
    review = state.review
    if review is None:
        return
    await connection.execute(
        "INSERT INTO reviews (review_date, cut_at, purchase_orders, order_lines, deferred)"
        " VALUES ($1, $2, $3, $4, $5)",
        review.review_date,
        review.cut_at,
        review.purchase_orders,
        review.order_lines,
        review.deferred,
    )
    await connection.copy_records_to_table(
        "purchase_orders",
        records=[
            (
                order.purchase_order,
                order.supplier,
                order.location,
                order.placed_at,
                review.review_date,
                len(order.lines),
            )
            for order in state.placed
        ],
        columns=(
            "purchase_order",
            "supplier",
            "location",
            "placed_at",
            "review_date",
            "open_lines",
        ),
    )
    await connection.copy_records_to_table(
        "order_lines",
        records=[
            (
                line.order_line,
                order.purchase_order,
                line.need,
                line.sku,
                order.location,
                line.quantity,
                line.reason.model_dump(mode="json"),
            )
            for order in state.placed
            for line in order.lines
        ],
        columns=("order_line", "purchase_order", "need", "sku", "location", "quantity", "reason"),
    )


async def _save_receipts(connection: Connection, state: WorkingSet) -> None:
    if not state.new_receipts:
        return
    lines = list(state.changed_lines.values())
    await connection.execute(
        "UPDATE order_lines SET received = new.received"
        " FROM unnest($1::text[], $2::bigint[]) AS new (order_line, received)"
        " WHERE order_lines.order_line = new.order_line",
        [line.id for line in lines],
        [line.received for line in lines],
    )
    orders = list(state.changed_orders.values())
    await connection.execute(
        "UPDATE purchase_orders SET open_lines = new.open_lines,"
        " last_received_at = new.last_received_at, closed_at = new.closed_at"
        " FROM unnest($1::text[], $2::integer[], $3::timestamptz[], $4::timestamptz[])"
        " AS new (purchase_order, open_lines, last_received_at, closed_at)"
        " WHERE purchase_orders.purchase_order = new.purchase_order",
        [order.id for order in orders],
        [order.open_lines for order in orders],
        [order.last_received_at for order in orders],
        [order.closed_at for order in orders],
    )
    await connection.copy_records_to_table(
        "receipts",
        records=state.new_receipts,
        columns=("receipt", "order_line", "purchase_order"),
    )


async def _save_lead_times(connection: Connection, state: WorkingSet) -> None:
    if not state.taught:
        return
    taught = sorted(state.taught.items())
    await connection.execute(
        "INSERT INTO lead_times SELECT * FROM"
        " unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[])"
        " ON CONFLICT (supplier) DO UPDATE SET"
        " observations = lead_times.observations + excluded.observations,"
        " total_minutes = lead_times.total_minutes + excluded.total_minutes,"
        " total_minutes_squared ="
        " lead_times.total_minutes_squared + excluded.total_minutes_squared",
        [supplier for supplier, _ in taught],
        [record.observations for _, record in taught],
        [record.total_minutes for _, record in taught],
        [record.total_minutes_squared for _, record in taught],
    )
