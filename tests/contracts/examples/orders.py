"""Examples of what storefronts and carts say to the ledger, and of offers between shards."""

from tests.contracts.examples.common import HOME, KIT, LINE, NINE, NOON, SOURCING, WINDOW

from restock_common.contracts import Event
from restock_common.contracts.ledger import (
    CartHeld,
    CartReleased,
    Condition,
    HoldLine,
    LineAccepted,
    LineOffered,
    LineRefused,
    LineWithdrawn,
    OrderAmended,
    OrderCancelled,
    OrderPlaced,
    OrderReturned,
    ReturnedLine,
)

EXAMPLES: tuple[Event, ...] = (
    OrderPlaced(
        order="shop:42",
        customer="household-7",
        placed_at=NINE,
        destination=HOME,
        window=WINDOW,
        lines=(LINE, KIT),
        sourcing=(SOURCING,),
        hold="shop:cart-9",
        ship_complete=True,
        channel="amazon",
        customer_tier="gold",
        promised_by=WINDOW.latest,
        value=49.95,
    ),
    OrderAmended(order="shop:42", revision=2, amended_at=NOON, lines=(LINE,)),
    OrderCancelled(order="shop:42", cancelled_at=NOON, reason="changed their mind"),
    OrderReturned(
        returned="shop:return-1",
        order="shop:42",
        location="north-1",
        pool="north",
        returned_at=NOON,
        lines=(
            ReturnedLine(
                line="1",
                sku="1029743",
                quantity=2,
                condition=Condition.DAMAGED,
                lot="L-2017-01",
                serials=("sn-1", "sn-2"),
            ),
        ),
        replacements=(KIT,),
    ),
    CartHeld(
        hold="shop:cart-9",
        sourcing=SOURCING,
        held_at=NINE,
        expires_at=NOON,
        lines=(HoldLine(sku="1029743", quantity=3), HoldLine(sku="995242", quantity=1)),
        channel="amazon",
    ),
    CartReleased(
        hold="shop:cart-9", released_at=NOON, lines=(HoldLine(sku="1029743", quantity=1),)
    ),
    LineOffered(
        offer="offer-1",
        order="shop:42",
        line=LINE,
        customer="household-7",
        placed_at=NINE,
        destination=HOME,
        window=WINDOW,
        home_shard=0,
        home_pool="south",
        sourcing=SOURCING,
        channel="amazon",
        customer_tier="gold",
        promised_by=WINDOW.latest,
        value=49.95,
    ),
    LineAccepted(offer="offer-1", order="shop:42", line="1", pool="north", location="north-1"),
    LineRefused(offer="offer-1", order="shop:42", line="1", pool="north"),
    LineWithdrawn(offer="offer-1", order="shop:42", line="1", pool="north", remaining=2),
)
