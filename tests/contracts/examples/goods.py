"""Examples of what warehouses say to the ledger: goods, transfers, parcels; and of time."""

from datetime import date

from tests.contracts.examples.common import NEXT_DAY, NINE, NOON, SOURCE, TARGET

from restock_common.contracts import Event
from restock_common.contracts.ledger import (
    AdjustedLine,
    AllocationWithdrawn,
    AssortmentListed,
    Condition,
    CountLine,
    DepartedLine,
    GoodsReceived,
    ListedLocation,
    ReceiptExpected,
    ReceiptLine,
    ShipmentDispatched,
    ShippedLine,
    StockAdjusted,
    StockCounted,
    StockPolicySet,
    TimeAdvanced,
    TransferCancelled,
    TransferDeparted,
    TransferLine,
    TransferOrdered,
    TransferReceived,
    TransferShipped,
)

EXAMPLES: tuple[Event, ...] = (
    GoodsReceived(
        receipt="delivery-1",
        location="north-1",
        pool="north",
        received_at=NOON,
        purchase_order="po-1",
        lines=(
            ReceiptLine(
                sku="1029743",
                quantity=2,
                order_line="pol-1",
                lot="L-2017-01",
                expires_on=date(2017, 2, 1),
                serials=("sn-1", "sn-2"),
                condition=Condition.QUALITY_HOLD,
            ),
        ),
    ),
    StockCounted(
        count="count-1",
        location="north-1",
        pool="north",
        counted_at=NINE,
        lines=(
            CountLine(sku="1029743", quantity=0, lot="L-2017-01", condition=Condition.DAMAGED),
            CountLine(sku="995242", quantity=40, lot=None, condition=Condition.SELLABLE),
        ),
    ),
    StockAdjusted(
        adjustment="adjustment-1",
        location="north-1",
        pool="north",
        adjusted_at=NOON,
        reason="dropped",
        lines=(
            AdjustedLine(
                sku="1029743",
                quantity=1,
                source=Condition.SELLABLE,
                target=Condition.DAMAGED,
                lot="L-2017-01",
            ),
            AdjustedLine(
                sku="995242", quantity=2, source="outside", target=Condition.SELLABLE, lot=None
            ),
        ),
    ),
    ReceiptExpected(
        expected="pol-1",
        location="north-1",
        pool="north",
        sku="1029743",
        quantity=12,
        expected_at=NEXT_DAY,
    ),
    StockPolicySet(
        sku="1029743",
        location="north-1",
        pool="north",
        safety_buffer=1,
        channel_buffers={"amazon": 2, "shop": 0},
        safety_stock=5,
        overstock_above=500,
    ),
    AssortmentListed(
        skus=("1029743", "995242"),
        locations=(ListedLocation(location="north-1", pool="north"),),
    ),
    TransferOrdered(
        transfer="transfer-1",
        source=SOURCE,
        target=TARGET,
        ordered_at=NINE,
        lines=(TransferLine(line="1", sku="1029743", quantity=4),),
    ),
    TransferShipped(
        transfer="transfer-1",
        shipment="truck-1",
        shipped_at=NOON,
        lines=(TransferLine(line="1", sku="1029743", quantity=3),),
    ),
    TransferCancelled(transfer="transfer-1", cancelled_at=NOON),
    TransferDeparted(
        transfer="transfer-1",
        shipment="truck-1",
        source=SOURCE,
        target=TARGET,
        shipped_at=NOON,
        lines=(
            DepartedLine(
                line="1",
                sku="1029743",
                quantity=3,
                lot="L-2017-01",
                expires_on=date(2017, 2, 1),
            ),
        ),
    ),
    TransferReceived(
        transfer="transfer-1",
        receipt="dock-1",
        location="south-1",
        pool="south",
        received_at=NEXT_DAY,
        lines=(TransferLine(line="1", sku="1029743", quantity=2),),
        complete=True,
    ),
    ShipmentDispatched(
        allocation="a-1",
        order="shop:42",
        location="north-1",
        route="route-1",
        dispatched_at=NOON,
        lines=(ShippedLine(line="1", sku="1029743", quantity=2, serials=("sn-1", "sn-2")),),
    ),
    AllocationWithdrawn(allocation="a-1", order="shop:42", location="north-1", withdrawn_at=NOON),
    TimeAdvanced(until=NEXT_DAY),
)
