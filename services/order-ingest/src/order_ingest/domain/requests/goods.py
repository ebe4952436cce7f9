"""What warehouses say of goods: receipts, counts, adjustments, transfers, and how they are kept."""

from typing import Annotated, Literal

from pydantic import Field

from order_ingest.domain.requests.base import MAX_BATCH_ITEMS, Request
from restock_common.contracts.ledger import CountLine, ReceiptLine, TransferLine
from restock_common.units import (
    Identifier,
    LocationId,
    PositiveUnits,
    Sku,
    Text,
    Timestamp,
    Units,
)

AdjustedSide = Literal["sellable", "damaged", "quality_hold", "outside"]


class ReceiptRequest(Request):
    """A delivery that arrived at a warehouse."""

    receipt: Identifier
    location: LocationId
    received_at: Timestamp
    purchase_order: Identifier | None = None
    lines: Annotated[tuple[ReceiptLine, ...], Field(min_length=1, max_length=5000)]


class ReceiptBatch(Request):
    """Up to 1,000 receipts, answered one by one."""

    receipts: Annotated[tuple[ReceiptRequest, ...], Field(min_length=1, max_length=MAX_BATCH_ITEMS)]


class CountRequest(Request):
    """What a person counted on the shelves of a warehouse."""

    count: Identifier
    location: LocationId
    counted_at: Timestamp
    lines: Annotated[tuple[CountLine, ...], Field(min_length=1, max_length=5000)]


class AdjustedLineRequest(Request):
    """Units that change their condition, or are found (from outside) or lost (to outside)."""

    sku: Sku
    quantity: PositiveUnits
    source: AdjustedSide
    target: AdjustedSide
    lot: Identifier | None = None


class AdjustmentRequest(Request):
    """Units that changed their condition, were found or are lost."""

    adjustment: Identifier
    location: LocationId
    adjusted_at: Timestamp
    reason: Text = ""
    lines: Annotated[tuple[AdjustedLineRequest, ...], Field(min_length=1, max_length=5000)]


class ExpectedReceiptRequest(Request):
    """What a purchase order line is expected to bring; 0 units where it brings no more."""

    location: LocationId
    sku: Sku
    quantity: Units
    expected_at: Timestamp


class PolicyRequest(Request):
    """How a sku is kept at a location, as a whole: what is left out is as if never set.

    Attributes:
        safety_buffer: Units that are never promised to anyone.
        channel_buffers: Units kept from a channel, on top of the safety buffer.
        safety_stock: An alert is raised while fewer are free.
        overstock_above: An alert is raised while more are on hand.
    """

    safety_buffer: Units = 0
    channel_buffers: Annotated[dict[Identifier, Units], Field(default_factory=dict, max_length=100)]
    safety_stock: Units = 0
    overstock_above: Units | None = None


class TransferRequest(Request):
    """Units that are to go from one location to another."""

    transfer: Identifier
    source: LocationId
    target: LocationId
    ordered_at: Timestamp
    lines: Annotated[tuple[TransferLine, ...], Field(min_length=1, max_length=1000)]


class TransferShipmentRequest(Request):
    """Lines of a transfer that left its source: all that is reserved, where there are none."""

    shipment: Identifier
    shipped_at: Timestamp
    lines: Annotated[tuple[TransferLine, ...], Field(max_length=1000)] = ()


class TransferReceiptRequest(Request):
    """Lines of a transfer that arrived at its target; with `complete`, no more will."""

    receipt: Identifier
    received_at: Timestamp
    lines: Annotated[tuple[TransferLine, ...], Field(max_length=1000)] = ()
    complete: bool = False
