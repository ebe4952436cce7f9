"""What happens to pieces under several rules, each with the event that makes it known."""

from collections.abc import Iterable

from restock_common.contracts.fulfilment import AllocationCancelRequested
from restock_common.contracts.stock import (
    HoldEnd,
    HoldEnded,
    Priority,
    StockBackordered,
    StockReleased,
    StockReserved,
    StockTransferred,
    TransferStage,
)
from stock_ledger.domain.draft import Draft
from stock_ledger.domain.model import (
    AllocationState,
    Claim,
    ClaimState,
    Expected,
    Piece,
    PieceState,
)
from stock_ledger.domain.sourcing import Share


def reserve(
    draft: Draft,
    claim: Claim,
    number: int,
    shares: Iterable[Share],
    priority: Priority | None = None,
) -> None:
    """Reserve units of a piece where the shares say, in this message's parcels from there.

    At each location the lots that expire first are taken. What the shares do not cover stays as
    it was; where they cover all, the last of them takes the piece itself.
    """
    for location, quantity in shares:
        for lot, units in _from_lots(draft, claim.pieces[number].sku, location, quantity):
            _reserve_lot(
                draft, claim, draft.divide(claim, number, units), (location, lot), priority
            )


def _reserve_lot(
    draft: Draft, claim: Claim, number: int, source: tuple[str, str], priority: Priority | None
) -> None:
    """Reserve a whole piece from one lot at one location."""
    location, lot = source
    allocation = draft.pack(claim, location)
    reservation = draft.next_reservation(allocation)
    if claim.pieces[number].expected is not None:  # it waits for no receipt any more
        claim.pieces[number] = claim.pieces[number]._replace(expected=None)
    piece = draft.move(
        claim,
        number,
        PieceState.RESERVED,
        location=location,
        lot=lot,
        allocation=allocation,
        reservation=reservation,
    )
    draft.emit(
        StockReserved(
            sku=piece.sku,
            order=claim.order,
            line=piece.line,
            reservation=reservation,
            location=location,
            pool=claim.pool,
            home_pool=claim.home_pool,
            quantity=piece.quantity,
            allocation=allocation,
            reserved_at=draft.now,
            lot=lot or None,
            priority=priority,
        ),
        claim=claim,
    )


def keep_from_lots(
    draft: Draft, claim: Claim, number: int, location: str, units: int, state: PieceState
) -> list[Piece]:
    """Bring units of a hold's or transfer's piece into a state at a location, by lot."""
    kept = []
    for lot, some in _from_lots(draft, claim.pieces[number].sku, location, units):
        at = draft.divide(claim, number, some)
        reservation = draft.next_reservation(claim.order)
        kept.append(
            draft.move(claim, at, state, location=location, lot=lot, reservation=reservation)
        )
    return kept


def backorder(draft: Draft, claim: Claim, number: int, state: PieceState) -> None:
    """Let a piece wait where it is: `BACKORDERED`, or `RECALLED` until its parcel answers."""
    # What was counted out may have left all the same: its lot is remembered until that is known.
    lot = None if state is PieceState.RECALLED else ""
    piece = draft.move(claim, number, state, lot=lot)
    expected = None if piece.expected is None else draft.fact(Expected, piece.expected)
    draft.emit(
        StockBackordered(
            sku=piece.sku,
            order=claim.order,
            line=piece.line,
            location=piece.location,
            pool=claim.pool,
            quantity=piece.quantity,
            expected=piece.expected,
            expected_at=None if expected is None else expected.expected_at,
            priority=draft.priority(claim),
        ),
        claim=claim,
    )


def cut_reserved(draft: Draft, claim: Claim, number: int) -> None:
    """Call a piece in a parcel off: it ends, or ships, when the dispatcher answers."""
    piece = claim.pieces[number] = claim.pieces[number]._replace(cut=True)
    ask_back(draft, claim, piece)


def tell_released(draft: Draft, claim: Claim, piece: Piece) -> None:
    """Make known that the units of a piece are no longer reserved."""
    draft.emit(
        StockReleased(
            sku=piece.sku,
            order=claim.order,
            line=piece.line,
            reservation=reservation_of(piece),
            location=piece.location,
            quantity=piece.quantity,
            allocation=parcel_of(piece),
        ),
        claim=claim,
    )


def tell_transferred(
    draft: Draft, claim: Claim, piece: Piece, stage: TransferStage, units: int | None = None
) -> None:
    """Make known how far units of a transfer have come."""
    draft.emit(
        StockTransferred(
            sku=piece.sku,
            transfer=claim.order,
            line=piece.line,
            location=piece.location,
            quantity=units or piece.quantity,
            stage=stage,
        ),
        claim=claim,
    )


def end_held(draft: Draft, claim: Claim, number: int, reason: HoldEnd) -> None:
    """Free the units of a held piece; with the last of them the hold ends."""
    taken = reason is HoldEnd.COMMITTED
    piece = draft.move(claim, number, PieceState.COMMITTED if taken else PieceState.CANCELLED)
    draft.emit(
        HoldEnded(
            sku=piece.sku,
            hold=claim.order,
            location=piece.location,
            quantity=piece.quantity,
            reason=reason,
        ),
        claim=claim,
    )
    end_if_empty(claim)


def end_if_empty(hold: Claim) -> None:
    """End a hold that holds nothing."""
    if all(piece.state is not PieceState.HELD for piece in hold.pieces):
        hold.state = ClaimState.ENDED


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


def reservation_of(piece: Piece) -> str:
    """Return the reservation of a piece that is, or was, reserved."""
    assert piece.reservation is not None, f"{piece} was never reserved"
    return piece.reservation


def _from_lots(draft: Draft, sku: str, location: str, units: int) -> list[tuple[str, int]]:
    """Return how many units each lot gives, first expired first; they are known to be there."""
    given = []
    for lot, free in draft.sellable_lots(sku, location):
        some = min(free, units)
        given.append((lot, some))
        units -= some
        if not units:
            return given
    raise AssertionError(f"{units} units of {sku!r} are missing at {location!r}")
