"""The life of an order, as storefronts tell it."""

from typing import Annotated

from pydantic import AfterValidator, Field

from restock_common.contracts.event import Contract
from restock_common.contracts.ledger.base import (
    Condition,
    DeliveryWindow,
    LedgerEvent,
    OrderLine,
    Place,
    Ranked,
    Sourcing,
    distinct_lines,
)
from restock_common.units import (
    Identifier,
    LocationId,
    OrderId,
    PoolId,
    PositiveUnits,
    Sku,
    Text,
    Timestamp,
)

Lines = Annotated[tuple[OrderLine, ...], Field(max_length=1000), AfterValidator(distinct_lines)]


class OrderPlaced(Ranked, LedgerEvent):
    """A storefront took an order; `sourcing` is the door's ranking, the home pool first.

    Geography is decided once, at the door, so that the ledger stays a function of its log alone.

    Attributes:
        hold: The cart hold that becomes this order; its units are reserved first.
        ship_complete: All lines or none, from the home pool alone.
    """

    order: OrderId
    customer: Identifier
    placed_at: Timestamp
    destination: Place
    window: DeliveryWindow | None = None
    lines: Annotated[Lines, Field(min_length=1)]
    sourcing: Annotated[tuple[Sourcing, ...], Field(min_length=1)]
    hold: Identifier | None = None
    ship_complete: bool = False


class OrderAmended(LedgerEvent):
    """The order as it is to be from now on: all of its lines, in absolute quantities.

    A line that is not named is taken out; an older revision than the last one changes nothing.
    """

    order: OrderId
    revision: Annotated[int, Field(ge=1, lt=2**63)]
    amended_at: Timestamp
    lines: Lines


class OrderCancelled(LedgerEvent):
    """The customer or the shop called the whole order off."""

    order: OrderId
    cancelled_at: Timestamp
    reason: Text = ""


class ReturnedLine(Contract):
    """Units of an order line that came back, and what they are good for."""

    line: Identifier
    sku: Sku
    quantity: PositiveUnits
    condition: Condition = Condition.SELLABLE
    lot: Identifier | None = None
    serials: tuple[Identifier, ...] = ()


class OrderReturned(LedgerEvent):
    """Shipped units came back to a location of the pool that shipped them.

    Attributes:
        returned: The return's own id: the same return counts once.
        replacements: What is sent instead, as new lines of the same order: an exchange.
    """

    returned: Identifier
    order: OrderId
    location: LocationId
    pool: PoolId
    returned_at: Timestamp
    lines: Annotated[tuple[ReturnedLine, ...], Field(min_length=1, max_length=1000)]
    replacements: Lines = ()
