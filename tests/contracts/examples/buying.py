"""Examples of what is told of purchase orders."""

from datetime import timedelta

from tests.contracts.examples.common import NEXT_DAY, NOON

from restock_common.contracts import Event
from restock_common.contracts.replenishment import (
    Alternative,
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

REASON = OrderReason(
    formula="s = F^-1(0.95); S = s + cover; Q = ceil((S - position) / pack) * pack",
    inventory_position=4,
    on_hand=7,
    reserved=2,
    backordered=0,
    on_order=0,
    reorder_point=9,
    order_up_to_level=16,
    protection_interval_days=4.0,
    protection_demand_mean=5.5,
    protection_demand_sd=2.75,
    cycle_service_level=0.95,
    minimum_order_quantity=6,
    pack_size=6,
    forecast_learned_until=NEXT_DAY,
    unsellable=4,
    in_transit=3,
    policy="(s, S)",
    wanted_quantity=10,
    rounding="2 packs of 6",
    constraint="weekly budget 9000",
    unit_cost=2.1,
    alternative=Alternative(quantity=6, expected_cost=4.5, chosen_expected_cost=3.25),
    level_event="e-1",
    forecast_event="e-2",
)
LINE = PurchaseOrderLine(
    order_line="pol-1",
    need="need-1",
    need_revision=2,
    sku="1029743",
    quantity=12,
    reason=REASON,
)

EXAMPLES: tuple[Event, ...] = (
    PurchaseOrderPlaced(
        supplier="supplier-3",
        purchase_order="po-1",
        location="north-1",
        placed_at=NEXT_DAY,
        lines=(LINE,),
        value=25.2,
        expected_at=NEXT_DAY + timedelta(days=3),
    ),
    PurchaseOrderProposed(
        supplier="supplier-3",
        purchase_order="po-1",
        location="north-1",
        proposed_at=NEXT_DAY,
        lines=(LINE,),
        value=25.2,
        revision=2,
    ),
    PurchaseOrderApproved(
        supplier="supplier-3",
        purchase_order="po-1",
        location="north-1",
        approved_at=NEXT_DAY,
        by="ada",
    ),
    PurchaseOrderAcknowledged(
        supplier="supplier-3",
        purchase_order="po-1",
        location="north-1",
        acknowledged_at=NEXT_DAY,
        expected_at=NEXT_DAY + timedelta(days=4),
    ),
    PurchaseOrderCancelled(
        supplier="supplier-3",
        purchase_order="po-1",
        location="north-1",
        cancelled_at=NEXT_DAY,
        lines=(CancelledLine(order_line="pol-1", sku="1029743", quantity=5),),
        complete=True,
        by="ada",
        reason="delivered short",
    ),
    PurchaseOrderLate(
        supplier="supplier-3",
        purchase_order="po-1",
        location="north-1",
        expected_at=NEXT_DAY,
        noticed_at=NEXT_DAY + timedelta(hours=1),
    ),
    PurchaseOrderClosed(
        supplier="supplier-3", purchase_order="po-1", location="north-1", closed_at=NOON
    ),
)
