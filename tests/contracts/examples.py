"""One example of every event, every field set: what the golden files are made from."""

from datetime import UTC, datetime, timedelta

from restock_common.contracts import Event
from restock_common.contracts.catalogue import Location, Pool, Product, Supplier, Vehicle
from restock_common.contracts.dead_letters import DeadLetter
from restock_common.contracts.demand import DemandObserved
from restock_common.contracts.dispatch import (
    RoutePlanned,
    ShipmentDelivered,
    ShipmentUnserved,
    Stop,
    WithdrawalRefused,
)
from restock_common.contracts.envelope import Message, Position
from restock_common.contracts.forecasts import DemandForecast, HorizonForecast
from restock_common.contracts.fulfilment import AllocationCancelRequested, OrderAllocated
from restock_common.contracts.ledger import (
    AllocatedLine,
    AllocationWithdrawn,
    CandidateLocation,
    CountLine,
    DeliveryWindow,
    GoodsReceived,
    LineAccepted,
    LineOffered,
    LineRefused,
    LineWithdrawn,
    OrderCancelled,
    OrderLine,
    OrderPlaced,
    Place,
    ReceiptLine,
    ShipmentDispatched,
    Sourcing,
    StockCounted,
    TimeAdvanced,
)
from restock_common.contracts.replenishment import (
    OrderReason,
    PurchaseOrderClosed,
    PurchaseOrderLine,
    PurchaseOrderPlaced,
)
from restock_common.contracts.stock import (
    StockBackordered,
    StockLevelChanged,
    StockReceived,
    StockReleased,
    StockReserved,
    StockShipped,
)

NINE = datetime(2017, 1, 2, 9, 30, tzinfo=UTC)
NOON = datetime(2017, 1, 2, 12, 0, 0, 250_000, tzinfo=UTC)
NEXT_DAY = datetime(2017, 1, 3, tzinfo=UTC)

_HOME = Place(latitude=39.1031, longitude=-84.512)
_WINDOW = DeliveryWindow(
    earliest=NEXT_DAY + timedelta(hours=8), latest=NEXT_DAY + timedelta(hours=12)
)
_SOURCING = Sourcing(
    pool="north",
    shard=1,
    locations=(
        CandidateLocation(location="north-1", distance_km=3.25),
        CandidateLocation(location="north-2", distance_km=11.0),
    ),
)
_LINE = OrderLine(line="1", sku="1029743", quantity=3)
_REASON = OrderReason(
    formula="s = F^-1(0.95); S = s + cover; Q = ceil((S - position) / pack) * pack",
    inventory_position=4,
    on_hand=6,
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
)

_EXAMPLES: tuple[Event, ...] = (
    OrderPlaced(
        order="shop:42",
        customer="household-7",
        placed_at=NINE,
        destination=_HOME,
        window=_WINDOW,
        lines=(_LINE, OrderLine(line="2", sku="995242", quantity=1)),
        sourcing=(_SOURCING,),
    ),
    OrderCancelled(order="shop:42", cancelled_at=NOON, reason="changed their mind"),
    GoodsReceived(
        receipt="delivery-1",
        location="north-1",
        pool="north",
        received_at=NOON,
        purchase_order="po-1",
        lines=(ReceiptLine(sku="1029743", quantity=12, order_line="pol-1"),),
    ),
    StockCounted(
        count="count-1",
        location="north-1",
        pool="north",
        counted_at=NINE,
        lines=(CountLine(sku="1029743", quantity=0), CountLine(sku="995242", quantity=40)),
    ),
    ShipmentDispatched(
        allocation="a-1",
        order="shop:42",
        location="north-1",
        route="route-1",
        dispatched_at=NOON,
    ),
    AllocationWithdrawn(allocation="a-1", order="shop:42", location="north-1", withdrawn_at=NOON),
    LineOffered(
        offer="offer-1",
        order="shop:42",
        line=_LINE,
        customer="household-7",
        placed_at=NINE,
        destination=_HOME,
        window=_WINDOW,
        home_shard=0,
        home_pool="south",
        sourcing=_SOURCING,
    ),
    LineAccepted(offer="offer-1", order="shop:42", line="1", pool="north", location="north-1"),
    LineRefused(offer="offer-1", order="shop:42", line="1", pool="north"),
    LineWithdrawn(offer="offer-1", order="shop:42", line="1", pool="north"),
    TimeAdvanced(until=NEXT_DAY),
    StockReserved(
        sku="1029743",
        order="shop:42",
        line="1",
        location="north-1",
        pool="north",
        home_pool="south",
        quantity=3,
        allocation="a-1",
        reserved_at=NINE,
    ),
    StockBackordered(
        sku="1029743", order="shop:42", line="1", location="north-1", pool="north", quantity=2
    ),
    StockReleased(
        sku="1029743",
        order="shop:42",
        line="1",
        location="north-1",
        quantity=3,
        allocation="a-1",
    ),
    StockShipped(
        sku="1029743",
        order="shop:42",
        line="1",
        location="north-1",
        quantity=3,
        allocation="a-1",
    ),
    StockLevelChanged(
        sku="1029743", location="north-1", pool="north", on_hand=9, reserved=3, backordered=0
    ),
    StockReceived(
        sku="1029743",
        location="north-1",
        pool="north",
        on_hand=21,
        reserved=3,
        backordered=2,
        receipt="delivery-1",
        purchase_order="po-1",
        order_line="pol-1",
        quantity=12,
        received_at=NOON,
    ),
    OrderAllocated(
        location="north-1",
        allocation="a-1",
        order="shop:42",
        shard=1,
        customer="household-7",
        placed_at=NINE,
        allocated_at=NINE,
        destination=_HOME,
        window=_WINDOW,
        lines=(AllocatedLine(line="1", sku="1029743", quantity=3),),
    ),
    AllocationCancelRequested(
        location="north-1", allocation="a-1", order="shop:42", shard=1, requested_at=NOON
    ),
    DemandObserved(
        sku="1029743",
        location="south-1",
        pool="south",
        order="shop:42",
        line="1",
        quantity=3,
        occurred_at=NINE,
    ),
    DemandForecast(
        sku="1029743",
        location="south-1",
        model="ew-1",
        learned_until=NEXT_DAY,
        horizons=(
            HorizonForecast(days=1, mean=1.25, size=0.8),
            HorizonForecast(days=7, mean=8.5, size=4.5),
        ),
    ),
    PurchaseOrderPlaced(
        supplier="supplier-3",
        purchase_order="po-1",
        location="north-1",
        placed_at=NEXT_DAY,
        lines=(
            PurchaseOrderLine(
                order_line="pol-1", need="need-1", sku="1029743", quantity=12, reason=_REASON
            ),
        ),
    ),
    PurchaseOrderClosed(
        supplier="supplier-3", purchase_order="po-1", location="north-1", closed_at=NOON
    ),
    RoutePlanned(
        location="north-1",
        route="route-1",
        wave="wave-1",
        plan_version=2,
        vehicle="van-1",
        departs_at=NEXT_DAY + timedelta(hours=8),
        returns_at=NEXT_DAY + timedelta(hours=10),
        distance_km=23.75,
        load_grams=5400,
        stops=(
            Stop(
                allocation="a-1",
                order="shop:42",
                destination=_HOME,
                arrives_at=NEXT_DAY + timedelta(hours=9),
                distance_km=11.5,
            ),
        ),
    ),
    ShipmentUnserved(
        location="north-1",
        allocation="a-1",
        order="shop:42",
        wave="wave-1",
        reason="weighs 900000 g, the largest vehicle here takes 800000 g",
    ),
    ShipmentDelivered(
        location="north-1",
        allocation="a-1",
        order="shop:42",
        route="route-1",
        delivered_at=NEXT_DAY + timedelta(hours=9, minutes=4),
    ),
    WithdrawalRefused(
        location="north-1", allocation="a-1", order="shop:42", reason="route-1 has left"
    ),
    Product(
        sku="1029743",
        name="Milk, 1 gal",
        category="DAIRY",
        supplier="supplier-3",
        weight_grams=3900,
        pack_size=6,
        minimum_order_quantity=6,
        unit_cost=2.15,
    ),
    Supplier(
        supplier="supplier-3",
        name="Dairy of the North",
        lead_time_days_mean=2.5,
        lead_time_days_sd=0.75,
        review_period_days=1.0,
        cycle_service_level=0.97,
    ),
    Location(location="north-1", pool="north", name="North, first", place=_HOME),
    Pool(pool="north", shard=1, name="North"),
    Vehicle(
        vehicle="van-1",
        location="north-1",
        capacity_grams=800_000,
        speed_kmh=32.5,
        shift_start_hour=7.5,
        shift_hours=8.0,
        cost_per_km=0.45,
        fixed_cost=25.0,
    ),
    DeadLetter(
        consumer="stock-ledger",
        source_topic="restock.ledger.v1",
        source_partition=1,
        source_offset=77,
        reason="Input should be greater than 0: 0",
        field="lines.0.quantity",
        attempt=1,
        headers=(("ce_specversion", "1.0"), ("ce_id", "m-1")),
        record_key="c2hvcDo0Mg==",
        body="e30=",
        body_bytes=2,
    ),
)

EXAMPLES: dict[str, Event] = {event.type_name(): event for event in _EXAMPLES}
"""An example by its CloudEvents type."""


def message_of(event: Event) -> Message[Event]:
    """Return the message that a golden file of this event holds."""
    return Message(
        id="0123456789abcdef0123456789abcdef",
        source="/restock/stock-ledger/restock.ledger.v1/1",
        time=NINE,
        event=event,
        position=Position(incarnation=1, sequence=4711),
        cause="fedcba9876543210fedcba9876543210",
        traceparent="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    )
