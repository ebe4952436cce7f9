"""Every event that crosses a topic: one pydantic model each, one file a subject."""

from restock_common.contracts import (
    catalogue,
    dead_letters,
    demand,
    dispatch,
    forecasts,
    fulfilment,
    ledger,
    replenishment,
    stock,
)
from restock_common.contracts.event import Event

EVENTS: tuple[type[Event], ...] = (
    ledger.OrderPlaced,
    ledger.OrderCancelled,
    ledger.GoodsReceived,
    ledger.StockCounted,
    ledger.ShipmentDispatched,
    ledger.AllocationWithdrawn,
    ledger.LineOffered,
    ledger.LineAccepted,
    ledger.LineRefused,
    ledger.LineWithdrawn,
    ledger.TimeAdvanced,
    stock.StockReserved,
    stock.StockBackordered,
    stock.StockReleased,
    stock.StockShipped,
    stock.StockLevelChanged,
    stock.StockReceived,
    fulfilment.OrderAllocated,
    fulfilment.AllocationCancelRequested,
    demand.DemandObserved,
    forecasts.DemandForecast,
    replenishment.PurchaseOrderPlaced,
    replenishment.PurchaseOrderClosed,
    dispatch.RoutePlanned,
    dispatch.ShipmentUnserved,
    dispatch.ShipmentDelivered,
    dispatch.WithdrawalRefused,
    catalogue.Product,
    catalogue.Supplier,
    catalogue.Location,
    catalogue.Pool,
    catalogue.Vehicle,
    dead_letters.DeadLetter,
)

TYPES: dict[str, type[Event]] = {event.type_name(): event for event in EVENTS}
"""Every event type by its CloudEvents type."""

__all__ = ["EVENTS", "TYPES", "Event"]
