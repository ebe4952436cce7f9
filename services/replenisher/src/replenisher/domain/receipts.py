"""Goods that came in: each receipt counts once, against the order line that it cites."""

from replenisher.domain.lead_time import LeadTimeRecord, observed_minutes
from replenisher.domain.model import (
    Cause,
    OrderLine,
    OrderState,
    PurchaseOrder,
    ReceiptKey,
    WorkingSet,
)
from restock_common.contracts.replenishment import PurchaseOrderClosed
from restock_common.contracts.stock import StockReceived


def receive(
    state: WorkingSet, received: StockReceived, order_line: str, cause: Cause
) -> PurchaseOrderClosed | None:
    """Take a receipt against its order line; the level itself is not touched here.

    The first units count up to what is outstanding; what comes beyond it is over-delivery, which
    the level shows and on_order never falls below zero for. A short delivery leaves the rest
    on order, until somebody says that it will not come.

    Args:
        state: The working set; changed.
        received: What the ledger booked.
        order_line: The line that it cites.
        cause: The ledger's message.

    Returns:
        PurchaseOrderClosed where this was the last that was outstanding.
    """
    line = state.lines.get(order_line)
    if line is None or line.place.sku != received.sku:
        cited = received.purchase_order or ""
        state.unmatched.append(ReceiptKey(received.receipt, order_line, cited))
        return None
    key = ReceiptKey(received.receipt, order_line, line.purchase_order)
    if key in state.receipts:
        return None
    order = state.orders[line.purchase_order]
    _teach(state, order, received)
    state.receipts.add(key)
    state.new_receipts.append(key)
    completed = _take(state, line, received.quantity, cause)
    latest = order.last_received_at
    if latest is None or received.received_at > latest:
        order.last_received_at = received.received_at
    state.changed_orders[order.id] = order
    order.open_lines -= completed
    if order.closed_at is not None:
        return None
    if order.open_lines > 0:
        order.state = OrderState.PARTLY_RECEIVED
        return None
    order.state = OrderState.RECEIVED
    order.closed_at = order.last_received_at
    assert order.closed_at is not None, "an order closes by a receipt"
    return PurchaseOrderClosed(
        supplier=order.supplier,
        purchase_order=order.id,
        location=order.location,
        closed_at=order.closed_at,
    )


def _take(state: WorkingSet, line: OrderLine, quantity: int, cause: Cause) -> bool:
    """Count the units on the line; return whether this completed it."""
    before = line.outstanding
    line.received += quantity
    state.changed_lines[line.id] = line
    position = state.positions[line.place]
    position.on_order -= before - line.outstanding
    assert position.on_order >= 0, f"{line.place} has {position.on_order} units on order"
    state.touch(position, cause)
    return before > 0 and line.outstanding == 0


def _teach(state: WorkingSet, order: PurchaseOrder, received: StockReceived) -> None:
    """Learn the lead time: once a receipt of an order, however many lines it has."""
    delivery = (received.receipt, order.id)
    if delivery in state.deliveries:
        return
    state.deliveries.add(delivery)
    minutes = observed_minutes(order.placed_at, received.received_at)
    if minutes is not None:
        for records in (state.lead_times, state.taught):
            known = records.get(order.supplier, LeadTimeRecord())
            records[order.supplier] = known.taught(minutes)
