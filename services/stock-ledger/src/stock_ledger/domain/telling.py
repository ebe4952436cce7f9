"""What is told of levels and parcels, from how they stand at the end of a decision."""

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeVar

from restock_common.contracts.fulfilment import OrderAllocated
from restock_common.contracts.ledger import AllocatedLine
from restock_common.contracts.stock import Level
from restock_common.errors import Permanent
from stock_ledger.domain.model import Balance, Claim, PieceState, Shelf
from stock_ledger.domain.view import View

LevelT = TypeVar("LevelT", bound=Level)

MAX_UNITS = 1_000_000_000
"""No place holds more, since no event could tell of it."""


def level_of(kind: type[LevelT], total: Balance, shelf: Shelf | None, **more: object) -> LevelT:
    """Return the level of a place as an event.

    Args:
        kind: Which event.
        total: The sum over its lots.
        shelf: How it is kept, where that was set.
        more: What the event says beside the level.

    Raises:
        Permanent: It is more than an event can tell.
    """
    if max(total.on_hand, total.backordered, total.in_transit) > MAX_UNITS:
        raise Permanent(
            f"{total.sku!r} at {total.location!r} would hold more than {MAX_UNITS} units",
            field="quantity",
        )
    return kind(
        sku=total.sku,
        location=total.location,
        pool=total.pool,
        on_hand=total.on_hand,
        reserved=total.reserved,
        backordered=total.backordered,
        held=total.held,
        damaged=total.damaged,
        quality_hold=total.quality_hold,
        in_transit=total.in_transit,
        safety_buffer=shelf.safety_buffer if shelf is not None else 0,
        **more,
    )


def allocated(
    view: View, parcels: Mapping[str, Claim], claims: Iterable[Claim]
) -> Iterator[tuple[OrderAllocated, Claim]]:
    """Yield for each new parcel what is in it, with the claim that it was packed for."""
    contents: dict[str, dict[tuple[str, str], int]] = {parcel: {} for parcel in parcels}
    for claim in claims:
        for piece in claim.pieces:
            if piece.state is PieceState.RESERVED and piece.allocation in contents:
                lines = contents[piece.allocation]
                key = (piece.line, piece.sku)
                lines[key] = lines.get(key, 0) + piece.quantity
    for parcel, claim in parcels.items():
        allocation, asked = view.allocation(parcel), claim.asked
        assert allocation is not None, f"{parcel} was packed, but is not in the books"
        event = OrderAllocated(
            location=allocation.location,
            allocation=parcel,
            order=claim.order,
            shard=view.shard,
            customer=asked.customer,
            placed_at=asked.placed_at,
            allocated_at=view.now,
            destination=asked.destination,
            window=asked.window,
            lines=tuple(
                AllocatedLine(line=line, sku=sku, quantity=units)
                for (line, sku), units in contents[parcel].items()
            ),
        )
        yield event, claim
