"""Messages that nobody should send, each with what is wrong: they are refused, and change nothing.

What is malformed in itself (no units, 2^31 of them, no name) is refused before it is read as an
event: that is the contracts' part, and tested there.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from tests.property.stock_ledger.commands import POOLS
from tests.unit.stock_ledger.building import order, sourcing

from restock_common.contracts import Event
from restock_common.contracts.ledger import (
    AdjustedLine,
    AllocationWithdrawn,
    AssortmentListed,
    CartHeld,
    CartReleased,
    Condition,
    CountLine,
    DepartedLine,
    GoodsReceived,
    HoldLine,
    LineAccepted,
    LineOffered,
    LineRefused,
    LineWithdrawn,
    ListedLocation,
    OrderAmended,
    OrderReturned,
    Place,
    ReceiptExpected,
    ReceiptLine,
    ReturnedLine,
    ShipmentDispatched,
    Sourcing,
    StockAdjusted,
    StockCounted,
    StockPolicySet,
    TransferCancelled,
    TransferDeparted,
    TransferEnd,
    TransferLine,
    TransferOrdered,
    TransferReceived,
    TransferShipped,
)

END = {
    pool: TransferEnd(location=source.locations[0].location, pool=pool, shard=source.shard)
    for pool, source in POOLS.items()
}
AHEAD = timedelta(hours=1)
WRONG = sourcing("north", ["e1", "n1"], shard=0)
"""The east's location, said to be the north's."""

Refused = Callable[[datetime], Event]
"""What is sent to shard 0 at a time."""


def _offer(now: datetime, offer: str, source: Sourcing) -> LineOffered:
    return LineOffered(
        offer=offer,
        order="h1",
        line=order("x", ("tea", 1)).lines[0],
        customer="c",
        placed_at=now,
        destination=Place(latitude=0, longitude=0),
        home_shard=1,
        home_pool="south",
        sourcing=source,
    )


def _returned(now: datetime, name: str, **more: object) -> OrderReturned:
    line = ReturnedLine(line="1", sku="tea", quantity=100)
    told = {"location": "n1", "pool": "north", "lines": (line,)} | more
    return OrderReturned(returned="b", order=name, returned_at=now, **told)


def _departed(now: datetime, target: TransferEnd) -> TransferDeparted:
    return TransferDeparted(
        transfer="none",
        shipment="none",
        source=END["south"],
        target=target,
        shipped_at=now,
        lines=(DepartedLine(line="1", sku="tea", quantity=1),),
    )


def _received(now: datetime, location: str = "n1", pool: str = "north") -> GoodsReceived:
    lines = (ReceiptLine(sku="tea", quantity=1),)
    return GoodsReceived(receipt="b", location=location, pool=pool, received_at=now, lines=lines)


def _adjusted(now: datetime, quantity: int, pool: str = "north") -> StockAdjusted:
    line = AdjustedLine(sku="tea", quantity=quantity, source=Condition.SELLABLE, target="outside")
    return StockAdjusted(adjustment="b", location="n1", pool=pool, adjusted_at=now, lines=(line,))


def _counted(now: datetime, pool: str = "north", times: int = 1) -> StockCounted:
    lines = (CountLine(sku="tea", quantity=1),) * times
    return StockCounted(count="b", location="n1", pool=pool, counted_at=now, lines=lines)


def _transfer(now: datetime, source: TransferEnd) -> TransferOrdered:
    target = END["west"]
    lines = (TransferLine(line="1", sku="tea", quantity=1),)
    return TransferOrdered(
        transfer="none", source=source, target=target, ordered_at=now, lines=lines
    )


def _held(now: datetime, source: Sourcing) -> CartHeld:
    return CartHeld(
        hold="none",
        sourcing=source,
        held_at=now,
        expires_at=now + AHEAD,
        lines=(HoldLine(sku="tea", quantity=1),),
    )


REFUSED: dict[str, Refused] = {
    "order of another shard": lambda _: order("b", ("tea", 1), pools=(POOLS["south"],)),
    "order from another pool's location": lambda _: order("b", ("tea", 1), pools=(WRONG,)),
    "amendment of no order": lambda now: OrderAmended(
        order="none", revision=1, amended_at=now, lines=()
    ),
    "return of no order": lambda now: _returned(now, "none"),
    "return in the future": lambda now: _returned(now + AHEAD, "o0"),
    "hold of another shard": lambda now: _held(now, POOLS["west"]),
    "release of no hold": lambda now: CartReleased(hold="none", released_at=now),
    "offer to another shard": lambda now: _offer(now, "0" * 32, POOLS["west"]),
    "offer with a hold's name": lambda now: _offer(now, "hold", POOLS["north"]),
    "offer with a transfer's name": lambda now: _offer(now, "transfer", POOLS["north"]),
    "withdrawal of a hold": lambda _: LineWithdrawn(
        offer="hold", order="h1", line="1", pool="north"
    ),
    "withdrawal of a transfer": lambda _: LineWithdrawn(
        offer="transfer", order="t1", line="1", pool="north"
    ),
    "withdrawal of part of a transfer": lambda _: LineWithdrawn(
        offer="transfer", order="t1", line="1", pool="north", remaining=1
    ),
    "withdrawal of part of nothing": lambda _: LineWithdrawn(
        offer="1" * 32, order="none", line="1", pool="north", remaining=1
    ),
    "acceptance for no order": lambda _: LineAccepted(
        offer="none", order="none", line="1", pool="north", location="n1"
    ),
    "refusal for no order": lambda _: LineRefused(
        offer="none", order="none", line="1", pool="north"
    ),
    "shipment of no parcel": lambda now: ShipmentDispatched(
        allocation="none", order="o0", location="n1", route="r", dispatched_at=now
    ),
    "withdrawal of no parcel": lambda now: AllocationWithdrawn(
        allocation="none", order="o0", location="n1", withdrawn_at=now
    ),
    "receipt in the future": lambda now: _received(now + AHEAD),
    "receipt for another pool": lambda now: _received(now, pool="east"),
    "receipt at no location": lambda now: _received(now, "none"),
    "count in the future": lambda now: _counted(now + AHEAD),
    "count for another pool": lambda now: _counted(now, "east"),
    "count of a sku twice": lambda now: _counted(now, times=2),
    "adjustment in the future": lambda now: _adjusted(now + AHEAD, 1),
    "adjustment for another pool": lambda now: _adjusted(now, 1, "east"),
    "adjustment of more than there is": lambda now: _adjusted(now, 100_000),
    "policy for another pool": lambda _: StockPolicySet(
        sku="tea", location="n1", pool="east", channel_buffers={}
    ),
    "expected by another pool": lambda now: ReceiptExpected(
        expected="b", location="n1", pool="east", sku="tea", quantity=1, expected_at=now
    ),
    "location listed for another pool": lambda _: AssortmentListed(
        locations=(ListedLocation(location="n1", pool="east"),)
    ),
    "transfer from another shard": lambda now: _transfer(now, END["south"]),
    "transfer from another pool's location": lambda now: _transfer(
        now, TransferEnd(location="e1", pool="north", shard=0)
    ),
    "shipment of no transfer": lambda now: TransferShipped(
        transfer="none", shipment="b", shipped_at=now
    ),
    "cancellation of no transfer": lambda now: TransferCancelled(transfer="none", cancelled_at=now),
    "departure to another shard": lambda now: _departed(now, END["west"]),
    "arrival in the future": lambda now: TransferReceived(
        transfer="none",
        receipt="b",
        location="n1",
        pool="north",
        received_at=now + AHEAD,
        lines=(TransferLine(line="1", sku="tea", quantity=1),),
    ),
    "arrival at another pool's location": lambda now: TransferReceived(
        transfer="none",
        receipt="b",
        location="n1",
        pool="east",
        received_at=now,
        lines=(TransferLine(line="1", sku="tea", quantity=1),),
    ),
}
"""By what is wrong: what a shard refuses that was told which locations there are."""
