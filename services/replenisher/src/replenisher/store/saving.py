"""What a batch, a command or a review has changed, written."""

from collections.abc import Sequence
from dataclasses import fields
from operator import attrgetter

from replenisher.domain.model import Position, PurchaseOrder, Review, StandingRisk, WorkingSet
from replenisher.store.rows import columns_of
from restock_common.postgres import Connection

_ORDER_COLUMNS = (
    "purchase_order",
    "supplier",
    "location",
    "placed_at",
    "open_lines",
    "last_received_at",
    "closed_at",
    "state",
    "value",
    "expected_at",
    "late_at",
    "revision",
    "lead_days",
)
_REVIEW_COLUMNS = tuple(one.name for one in fields(Review))
_RISK_COLUMNS = tuple(one.name for one in fields(StandingRisk))


async def save_positions(connection: Connection, positions: Sequence[Position]) -> None:
    """Write what changed of places."""
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
        " need_reason = new.need_reason, need_revision = new.need_revision,"
        " level_event = new.level_event, forecast_event = new.forecast_event"
        " FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[],"
        " $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[], $10::timestamptz[],"
        " $11::jsonb[], $12::text[], $13::text[], $14::timestamptz[], $15::text[],"
        " $16::integer[], $17::text[], $18::text[])"
        " AS new (sku, location, on_hand, unsellable, reserved, backordered, in_transit,"
        " on_order, lines_placed, learned_until, horizons, need, need_state, need_opened_at,"
        " need_reason, need_revision, level_event, forecast_event)"
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
        [1 if need is None else need.revision for need in needs],
        [position.level_event for position in positions],
        [position.forecast.event for position in positions],
    )


async def save_reviews(connection: Connection, state: WorkingSet) -> None:
    """Write reviews with what they order: appended, since all of it is new."""
    if state.reviews:
        await connection.copy_records_to_table(
            "reviews",
            records=map(attrgetter(*_REVIEW_COLUMNS), state.reviews),
            columns=_REVIEW_COLUMNS,
        )
    if not state.placed:
        return
    review_date = state.reviews[0].review_date
    await connection.copy_records_to_table(
        "purchase_orders",
        records=[(*_order_row(order), review_date) for order, _ in state.placed],
        columns=(*_ORDER_COLUMNS, "review_date"),
    )
    await connection.copy_records_to_table(
        "order_lines",
        records=[
            (
                line.order_line,
                order.id,
                line.need,
                line.need_revision,
                line.sku,
                order.location,
                line.quantity,
                line.reason.model_dump(mode="json"),
            )
            for order, lines in state.placed
            for line in lines
        ],
        columns=(
            "order_line",
            "purchase_order",
            "need",
            "need_revision",
            "sku",
            "location",
            "quantity",
            "reason",
        ),
    )


async def save_orders(connection: Connection, state: WorkingSet) -> None:
    """Write what changed of orders and of their lines."""
    for order in state.split:
        await connection.execute(
            "INSERT INTO purchase_orders (purchase_order, supplier, location, placed_at,"
            " open_lines, state, value, lead_days, review_date)"
            " SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9",
            order.id,
            order.supplier,
            order.location,
            order.placed_at,
            order.open_lines,
            order.state.value,
            order.value,
            order.lead_days,
            order.placed_at.date(),
        )
    lines = list(state.changed_lines.values())
    if lines:
        await connection.execute(
            "UPDATE order_lines SET received = new.received, cancelled = new.cancelled,"
            " quantity = new.quantity, purchase_order = new.purchase_order"
            " FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[], $5::text[])"
            " AS new (order_line, received, cancelled, quantity, purchase_order)"
            " WHERE order_lines.order_line = new.order_line",
            [line.id for line in lines],
            [line.received for line in lines],
            [line.cancelled for line in lines],
            [line.quantity for line in lines],
            [line.purchase_order for line in lines],
        )
    orders = list(state.changed_orders.values())
    if orders:
        await connection.execute(
            "UPDATE purchase_orders SET placed_at = new.placed_at, open_lines = new.open_lines,"
            " last_received_at = new.last_received_at, closed_at = new.closed_at,"
            " state = new.state, value = new.value, expected_at = new.expected_at,"
            " late_at = new.late_at, revision = new.revision"
            " FROM unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::integer[],"
            " $6::timestamptz[], $7::timestamptz[], $8::text[], $9::double precision[],"
            " $10::timestamptz[], $11::timestamptz[], $12::integer[], $13::double precision[])"
            " AS new (purchase_order, supplier, location, placed_at, open_lines,"
            " last_received_at, closed_at, state, value, expected_at, late_at, revision, lead_days)"
            " WHERE purchase_orders.purchase_order = new.purchase_order",
            *map(list, zip(*map(_order_row, orders), strict=True)),
        )


async def save_receipts(connection: Connection, state: WorkingSet) -> None:
    """Write which receipts have been counted."""
    if state.new_receipts:
        await connection.copy_records_to_table(
            "receipts",
            records=state.new_receipts,
            columns=("receipt", "order_line", "purchase_order"),
        )


async def save_lead_times(connection: Connection, state: WorkingSet) -> None:
    """Add what was observed of suppliers."""
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


async def save_commands(connection: Connection, state: WorkingSet) -> None:
    """Write what became of commands."""
    if state.outcomes:
        await connection.execute(
            "UPDATE order_commands SET done = true, refusal = new.refusal"
            " FROM unnest($1::text[], $2::text[]) AS new (command, refusal)"
            " WHERE order_commands.command = new.command",
            list(state.outcomes),
            list(state.outcomes.values()),
        )


async def save_risks(connection: Connection, state: WorkingSet) -> None:
    """Write the risks that were raised, and forget those that were cleared."""
    if not state.changed_risks:
        return
    await connection.execute("DELETE FROM risks WHERE risk = ANY($1)", list(state.changed_risks))
    standing = [risk for risk in state.changed_risks.values() if risk is not None]
    await connection.copy_records_to_table(
        "risks", records=map(attrgetter(*_RISK_COLUMNS), standing), columns=_RISK_COLUMNS
    )


def _order_row(order: PurchaseOrder) -> tuple[object, ...]:
    return (
        order.id,
        order.supplier,
        order.location,
        order.placed_at,
        order.open_lines,
        order.last_received_at,
        order.closed_at,
        order.state.value,
        order.value,
        order.expected_at,
        order.late_at,
        order.revision,
        order.lead_days,
    )
