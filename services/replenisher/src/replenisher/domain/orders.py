"""The life of a purchase order after its proposal: what people and suppliers say of it.

    proposed -> placed -> acknowledged -> partly received -> received
        |          |            |                |
        +----------+------------+----------------+--> cancelled, where nothing was received

A proposal can be edited and split until it is approved, which places it. Units that will not come
give their needs back, as new revisions, and are no longer on order.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar

from pydantic import Field

from replenisher.domain.model import (
    Answered,
    Cause,
    OrderLine,
    OrderState,
    PurchaseOrder,
    WorkingSet,
)
from restock_common.contracts.envelope import derive_id
from restock_common.contracts.event import Event
from restock_common.contracts.replenishment import (
    CancelledLine,
    OrderReason,
    PurchaseOrderAcknowledged,
    PurchaseOrderApproved,
    PurchaseOrderCancelled,
    PurchaseOrderClosed,
    PurchaseOrderLate,
    PurchaseOrderLine,
    PurchaseOrderPlaced,
    PurchaseOrderProposed,
)
from restock_common.contracts.topics import REPLENISHMENT, Topic
from restock_common.units import MAX_UNITS_PER_LINE, Identifier, Text, Timestamp, Units


class Action(StrEnum):
    """What can be told of a purchase order."""

    APPROVE = "approve"
    REJECT = "reject"
    EDIT = "edit"
    SPLIT = "split"
    ACKNOWLEDGE = "acknowledge"
    CANCEL = "cancel"
    CLOSE_SHORT = "close-short"


class OrderCommand(Event):
    """Somebody tells something of a purchase order.

    From within, decided on the first partition of stock, never published.

    Attributes:
        command: Its id: told twice, it counts once.
        purchase_order: Which.
        action: What is to be done.
        by: Who says so.
        reason: Why.
        lines: Of an edit: units by order line, none takes the line out. Of a split: the lines that
            go to an order of their own. Of a cancellation: the lines; all where there are none.
        expected_at: Of an acknowledgement: when the goods will be there.
        at: When it is done, in the time of events; until it is known when, when it was told.
    """

    topic: ClassVar[Topic] = REPLENISHMENT

    command: Identifier
    purchase_order: Identifier
    action: Action
    by: Text
    reason: Text = ""
    lines: dict[Identifier, Units] = Field(default_factory=dict, max_length=500)
    expected_at: Timestamp | None = None
    at: Timestamp


class OrdersLate(Event):
    """The watermark has passed what these open purchase orders were expected at.

    From within, decided on the first partition of stock, never published.
    """

    topic: ClassVar[Topic] = REPLENISHMENT

    purchase_orders: tuple[Identifier, ...]
    noticed_at: Timestamp


class Refused(Exception):
    """A command does not fit how far its order has come; nothing was changed."""


_OPEN = frozenset({OrderState.PLACED, OrderState.ACKNOWLEDGED, OrderState.PARTLY_RECEIVED})
_PROPOSED = frozenset({OrderState.PROPOSED})
_ALLOWED: Mapping[Action, frozenset[OrderState]] = {
    Action.APPROVE: _PROPOSED,
    Action.REJECT: _PROPOSED,
    Action.EDIT: _PROPOSED,
    Action.SPLIT: _PROPOSED,
    Action.ACKNOWLEDGE: _OPEN,
    Action.CANCEL: _OPEN,
    Action.CLOSE_SHORT: _OPEN,
}


def command(state: WorkingSet, told: OrderCommand, cause: Cause) -> list[Event]:
    """Do what a command says; return what is to be published.

    What cannot be done is noted as the command's outcome, and changes nothing.
    """
    try:
        order = _order(state, told)
        events = _ACTIONS[told.action](state, order, told, cause)
    except Refused as refusal:
        state.outcomes[told.command] = str(refusal)
        return []
    state.outcomes[told.command] = None
    state.changed_orders[order.id] = order
    return events


def notice_late(state: WorkingSet, late: OrdersLate) -> Iterator[Event]:
    """Tell of each order that is still open that it is late, once for each time expected."""
    for purchase_order in late.purchase_orders:
        order = state.orders.get(purchase_order)
        if order is None or order.state not in _OPEN or order.late_at is not None:
            continue
        if order.expected_at is None or order.expected_at > late.noticed_at:
            continue
        order.late_at = late.noticed_at
        state.changed_orders[order.id] = order
        yield PurchaseOrderLate(
            supplier=order.supplier,
            purchase_order=order.id,
            location=order.location,
            expected_at=order.expected_at,
            noticed_at=late.noticed_at,
        )


def told_line(line: OrderLine) -> PurchaseOrderLine:
    """Return a line as events tell it."""
    return PurchaseOrderLine(
        order_line=line.id,
        need=line.need,
        need_revision=line.need_revision,
        sku=line.place.sku,
        quantity=line.quantity - line.cancelled,
        reason=OrderReason.model_validate(line.reason),
    )


def placed(order: PurchaseOrder, lines: Sequence[PurchaseOrderLine]) -> PurchaseOrderPlaced:
    """Return the event that a supplier is sent an order by."""
    return PurchaseOrderPlaced(
        supplier=order.supplier,
        purchase_order=order.id,
        location=order.location,
        placed_at=order.placed_at,
        lines=tuple(lines),
        value=round(order.value, 2),
        expected_at=order.expected_at,
    )


def proposed(order: PurchaseOrder, lines: Sequence[PurchaseOrderLine]) -> PurchaseOrderProposed:
    """Return the event that asks for an approval."""
    return PurchaseOrderProposed(
        supplier=order.supplier,
        purchase_order=order.id,
        location=order.location,
        proposed_at=order.placed_at,
        lines=tuple(lines),
        value=round(order.value, 2),
        revision=order.revision,
    )


def _order(state: WorkingSet, told: OrderCommand) -> PurchaseOrder:
    order = state.orders.get(told.purchase_order)
    if order is None:
        raise Refused(f"there is no purchase order {told.purchase_order!r}")
    if order.state not in _ALLOWED[told.action]:
        raise Refused(f"it is {order.state.value}: {told.action.value} is not possible")
    return order


def _live(state: WorkingSet, order: PurchaseOrder) -> list[OrderLine]:
    return [line for line in state.lines_of(order.id) if line.outstanding > 0]


def _named(state: WorkingSet, order: PurchaseOrder, told: OrderCommand) -> list[OrderLine]:
    """Return the lines that a command names, each with units to come."""
    live = {line.id: line for line in _live(state, order)}
    for name in told.lines:
        if name not in live:
            raise Refused(f"there is no open line {name!r} in it")
    return [live[name] for name in sorted(told.lines)]


def _approve(state: WorkingSet, order: PurchaseOrder, told: OrderCommand, _: Cause) -> list[Event]:
    order.state = OrderState.PLACED
    order.placed_at = told.at
    order.expected_at = told.at + timedelta(days=order.lead_days)
    state.to_send.append(order.id)
    approved = PurchaseOrderApproved(
        supplier=order.supplier,
        purchase_order=order.id,
        location=order.location,
        approved_at=told.at,
        by=told.by,
    )
    return [approved, placed(order, [told_line(line) for line in _live(state, order)])]


def _edit(state: WorkingSet, order: PurchaseOrder, told: OrderCommand, cause: Cause) -> list[Event]:
    lines = _named(state, order, told)
    if not lines:
        raise Refused("an edit names the lines and their units")
    if max(told.lines.values()) > MAX_UNITS_PER_LINE:
        raise Refused(f"a line takes {MAX_UNITS_PER_LINE} units at most")
    out = [line for line in lines if told.lines[line.id] == 0]
    events: list[Event] = list(_cancelled(state, order, out, told, cause))
    for line in lines:
        wanted = told.lines[line.id]
        if wanted:
            order.value += (wanted - line.outstanding) * line.unit_cost
            position = state.positions[line.place]
            position.on_order += wanted - line.outstanding
            line.quantity = wanted + line.received + line.cancelled
            state.changed_lines[line.id] = line
            state.touch(position, cause)
    if order.state is OrderState.PROPOSED:
        order.revision += 1
        events.append(proposed(order, [told_line(line) for line in _live(state, order)]))
    return events


def _split(state: WorkingSet, order: PurchaseOrder, told: OrderCommand, _: Cause) -> list[Event]:
    lines = _named(state, order, told)
    if not 0 < len(lines) < order.open_lines:
        raise Refused("a split names some of the open lines, not all of them")
    other = PurchaseOrder(
        id=derive_id("purchase-order", order.id, told.command),
        supplier=order.supplier,
        location=order.location,
        placed_at=order.placed_at,
        open_lines=len(lines),
        state=OrderState.PROPOSED,
        value=sum(line.outstanding * line.unit_cost for line in lines),
        lead_days=order.lead_days,
    )
    for line in lines:
        line.purchase_order = other.id
        state.changed_lines[line.id] = line
    order.open_lines -= len(lines)
    order.value -= other.value
    order.revision += 1
    state.orders[other.id] = other
    state.split.append(other)
    return [
        proposed(one, [told_line(line) for line in _live(state, one)]) for one in (order, other)
    ]


def _acknowledge(_: WorkingSet, order: PurchaseOrder, told: OrderCommand, __: Cause) -> list[Event]:
    if order.state is OrderState.PLACED:
        order.state = OrderState.ACKNOWLEDGED
    if told.expected_at is not None:
        order.expected_at = told.expected_at
        order.late_at = None
    return [
        PurchaseOrderAcknowledged(
            supplier=order.supplier,
            purchase_order=order.id,
            location=order.location,
            acknowledged_at=told.at,
            expected_at=told.expected_at,
        )
    ]


def _cancel(
    state: WorkingSet, order: PurchaseOrder, told: OrderCommand, cause: Cause
) -> list[Event]:
    lines = _named(state, order, told) or _live(state, order)
    return list(_cancelled(state, order, lines, told, cause))


def _cancelled(
    state: WorkingSet,
    order: PurchaseOrder,
    lines: Sequence[OrderLine],
    told: OrderCommand,
    cause: Cause,
) -> Iterator[Event]:
    """Take what is still to come off the books; the needs come back where they still are ones."""
    if not lines:
        return
    gone = []
    for line in lines:
        units = line.outstanding
        line.cancelled += units
        state.changed_lines[line.id] = line
        order.open_lines -= 1
        order.value -= units * line.unit_cost
        position = state.positions[line.place]
        position.on_order -= units
        assert position.on_order >= 0, f"{line.place} has {position.on_order} units on order"
        state.reopened[line.place] = Answered(line.need, line.need_revision)
        state.touch(position, cause)
        gone.append(CancelledLine(order_line=line.id, sku=line.place.sku, quantity=units))
    order.value = max(0.0, order.value)
    yield PurchaseOrderCancelled(
        supplier=order.supplier,
        purchase_order=order.id,
        location=order.location,
        cancelled_at=told.at,
        lines=tuple(gone),
        complete=order.open_lines == 0,
        by=told.by,
        reason=told.reason,
    )
    if order.open_lines == 0:
        yield from _ended(order, told.at)


def _ended(order: PurchaseOrder, at: datetime) -> Iterator[Event]:
    """End an order of which nothing is left to come: received, where anything was."""
    order.closed_at = order.last_received_at or at
    if order.last_received_at is None:
        order.state = OrderState.CANCELLED
        return
    order.state = OrderState.RECEIVED
    yield PurchaseOrderClosed(
        supplier=order.supplier,
        purchase_order=order.id,
        location=order.location,
        closed_at=order.last_received_at,
    )


_Handler = Callable[[WorkingSet, PurchaseOrder, OrderCommand, Cause], list[Event]]
_ACTIONS: Mapping[Action, _Handler] = {
    Action.APPROVE: _approve,
    Action.REJECT: _cancel,
    Action.EDIT: _edit,
    Action.SPLIT: _split,
    Action.ACKNOWLEDGE: _acknowledge,
    Action.CANCEL: _cancel,
    Action.CLOSE_SHORT: _cancel,
}
