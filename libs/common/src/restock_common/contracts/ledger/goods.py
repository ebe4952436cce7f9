"""What happens to goods in a warehouse: receipts, counts, adjustments, and what is planned."""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field, model_validator

from restock_common.contracts.event import Contract
from restock_common.contracts.ledger.base import Condition, LedgerEvent
from restock_common.units import (
    Identifier,
    LocationId,
    PoolId,
    PositiveUnits,
    Sku,
    Text,
    Timestamp,
    Units,
)


class ReceiptLine(Contract):
    """Units of one sku that arrived, and the purchase order line that they were ordered on.

    Attributes:
        sku: What arrived.
        quantity: Units.
        order_line: The purchase order line, which is also what an expected receipt is named by.
        lot: The batch that they were made in.
        expires_on: The last day on which the lot can be sold.
        serials: One for each unit, where units are told apart.
        condition: What they are good for.
    """

    sku: Sku
    quantity: PositiveUnits
    order_line: Identifier | None = None
    lot: Identifier | None = None
    expires_on: date | None = None
    serials: tuple[Identifier, ...] = ()
    condition: Condition = Condition.SELLABLE

    @model_validator(mode="after")
    def _sound(self) -> "ReceiptLine":
        if self.serials and len(set(self.serials)) != self.quantity:
            found = len(set(self.serials))
            raise ValueError(f"{found} different serials for {self.quantity} units")
        if self.expires_on is not None and self.lot is None:
            raise ValueError(f"expires_on {self.expires_on} without a lot")
        return self


class GoodsReceived(LedgerEvent):
    """A delivery arrived at a warehouse; the same receipt counts once."""

    receipt: Identifier
    location: LocationId
    pool: PoolId
    received_at: Timestamp
    purchase_order: Identifier | None = None
    lines: Annotated[tuple[ReceiptLine, ...], Field(min_length=1, max_length=5000)]


class CountLine(Contract):
    """What a person found on the shelf: of a sku, in one condition, of one lot where it has lots.

    Sellable units count whether they are promised or not.
    """

    sku: Sku
    quantity: Units
    lot: Identifier | None = None
    condition: Condition = Condition.SELLABLE


class StockCounted(LedgerEvent):
    """Physical truth: what was there at `counted_at`; the difference to the books is posted."""

    count: Identifier
    location: LocationId
    pool: PoolId
    counted_at: Timestamp
    lines: Annotated[tuple[CountLine, ...], Field(min_length=1, max_length=5000)]


Side = Condition | Literal["outside"]


class AdjustedLine(Contract):
    """Units that change their condition, or are found (from outside) or lost (to outside)."""

    sku: Sku
    quantity: PositiveUnits
    source: Side
    target: Side
    lot: Identifier | None = None

    @model_validator(mode="after")
    def _moves(self) -> "AdjustedLine":
        if self.source == self.target:
            raise ValueError(f"source and target are both {self.source!s}")
        return self


class StockAdjusted(LedgerEvent):
    """Somebody changed what units are good for, wrote some off, or found some."""

    adjustment: Identifier
    location: LocationId
    pool: PoolId
    adjusted_at: Timestamp
    reason: Text = ""
    lines: Annotated[tuple[AdjustedLine, ...], Field(min_length=1, max_length=5000)]


class ReceiptExpected(LedgerEvent):
    """What a purchase order line is expected to bring, absolute; preorders are promised from it."""

    expected: Identifier
    location: LocationId
    pool: PoolId
    sku: Sku
    quantity: Units
    expected_at: Timestamp


class StockPolicySet(LedgerEvent):
    """How a sku is kept at a location, as a whole.

    Attributes:
        safety_buffer: Units that are never promised to anyone.
        channel_buffers: Units kept from a channel, on top of the safety buffer.
        safety_stock: An alert is raised while fewer are free.
        overstock_above: An alert is raised while more are on hand.
    """

    sku: Sku
    location: LocationId
    pool: PoolId
    safety_buffer: Units = 0
    channel_buffers: Annotated[dict[Identifier, Units], Field(default_factory=dict, max_length=100)]
    safety_stock: Units = 0
    overstock_above: Units | None = None


class ListedLocation(Contract):
    """A location and the pool that it belongs to."""

    location: LocationId
    pool: PoolId


class AssortmentListed(LedgerEvent):
    """What exists. Once a shard has been told of skus, or of locations, it refuses any others.

    In the log, so that what is refused does not depend on how far another topic has been read.
    """

    skus: Annotated[tuple[Sku, ...], Field(max_length=5000)] = ()
    locations: Annotated[tuple[ListedLocation, ...], Field(max_length=5000)] = ()
