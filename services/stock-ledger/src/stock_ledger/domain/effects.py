"""What happens to pieces under several rules, each with the event that makes it known."""

from collections.abc import Iterable

from restock_common.contracts.fulfilment import AllocationCancelRequested
from restock_common.contracts.stock import StockBackordered, StockReleased, StockReserved
from stock_ledger.domain.draft import Draft
from stock_ledger.domain.model import AllocationState, Claim, Piece, PieceState
from stock_ledger.domain.sourcing import Share


def reserve(draft: Draft, claim: Claim, number: int, shares: Iterable[Share]) -> None:
    """Reserve units of a piece where the shares say, in this message's parcels from there."""
    for location, units in shares:
        allocation = draft.pack(claim, location)
        piece = draft.move(
            claim,
            number,
            PieceState.RESERVED,
            units=units,
            location=location,
            allocation=allocation,
        )
        draft.emit(
            StockReserved(
                sku=piece.sku,
                order=claim.order,
                line=piece.line,
                location=location,
                pool=claim.pool,
                home_pool=claim.home_pool,
                quantity=units,
                allocation=allocation,
                reserved_at=draft.now,
            ),
            claim=claim,
        )


def backorder(draft: Draft, claim: Claim, number: int, state: PieceState) -> None:
    """Let a piece wait where it is: `BACKORDERED`, or `RECALLED` until its parcel answers."""
    piece = draft.move(claim, number, state)
    draft.emit(
        StockBackordered(
            sku=piece.sku,
            order=claim.order,
            line=piece.line,
            location=piece.location,
            pool=claim.pool,
            quantity=piece.quantity,
        ),
        claim=claim,
    )


def tell_released(draft: Draft, claim: Claim, piece: Piece) -> None:
    """Make known that the units of a piece are no longer reserved."""
    draft.emit(
        StockReleased(
            sku=piece.sku,
            order=claim.order,
            line=piece.line,
            location=piece.location,
            quantity=piece.quantity,
            allocation=parcel_of(piece),
        ),
        claim=claim,
    )


def ask_back(draft: Draft, claim: Claim, piece: Piece) -> None:
    """Ask the dispatcher for a piece's parcel, once a parcel."""
    allocation = draft.allocation(parcel_of(piece))
    assert allocation is not None, f"{piece} names a parcel that is not in the books"
    if allocation.state is not AllocationState.OPEN:
        return
    draft.set_allocation(allocation, AllocationState.CANCEL_REQUESTED)
    draft.emit(
        AllocationCancelRequested(
            location=allocation.location,
            allocation=allocation.allocation,
            order=allocation.order,
            shard=draft.shard,
            requested_at=draft.now,
        ),
        claim=claim,
    )


def parcel_of(piece: Piece) -> str:
    """Return the parcel of a piece that is, or was, in one."""
    assert piece.allocation is not None, f"{piece} was never in a parcel"
    return piece.allocation
