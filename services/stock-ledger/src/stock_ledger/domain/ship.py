"""ShipmentDispatched and AllocationWithdrawn: how a parcel ends."""

from collections.abc import Iterable

from restock_common.contracts.envelope import Message
from restock_common.contracts.ledger import AllocationWithdrawn, ShipmentDispatched
from restock_common.contracts.stock import StockShipped
from restock_common.errors import Permanent
from stock_ledger.domain.backorders import serve
from stock_ledger.domain.books import Books, Decision
from stock_ledger.domain.draft import Draft, pieces_in
from stock_ledger.domain.effects import backorder, parcel_of, tell_released
from stock_ledger.domain.model import (
    Account,
    Allocation,
    AllocationState,
    Claim,
    ClaimState,
    Movement,
    PieceState,
)


def ship(books: Books, message: Message[ShipmentDispatched]) -> Decision:
    """Let a parcel's units leave; a cancellation that came too late becomes a return to expect.

    Raises:
        Permanent: The parcel is not known, was withdrawn, or is another location's.
    """
    draft = Draft(books, message.id, message.time)
    allocation = _allocation(draft, message.event)
    if allocation.state is AllocationState.SHIPPED:
        return Decision(duplicate=True)
    if allocation.state in {AllocationState.WITHDRAWN, AllocationState.RELEASED}:
        raise Permanent(f"{allocation.allocation!r} was withdrawn before", field="allocation")
    for claim in draft.open_order(allocation.order):
        for number, piece in pieces_in(claim, PieceState.RESERVED, PieceState.RECALLED):
            if piece.allocation == allocation.allocation:
                _ship_piece(draft, claim, number)
    draft.set_allocation(allocation, AllocationState.SHIPPED)
    return draft.finish()


def withdrawn(books: Books, message: Message[AllocationWithdrawn]) -> Decision:
    """Note that a parcel stays; its units are released when time next advances.

    Raises:
        Permanent: The parcel is not known, or has left.
    """
    draft = Draft(books, message.id, message.time)
    allocation = _allocation(draft, message.event)
    if allocation.state in {AllocationState.WITHDRAWN, AllocationState.RELEASED}:
        return Decision(duplicate=True)
    if allocation.state is AllocationState.SHIPPED:
        raise Permanent(f"{allocation.allocation!r} was shipped before", field="allocation")
    draft.set_allocation(allocation, AllocationState.WITHDRAWN)
    return draft.finish()


def release(draft: Draft, parcels: Iterable[str]) -> None:
    """Release withdrawn parcels: cancelled units end, the others are served again like a receipt.

    What a short count has recalled waits for a receipt from now on: it has not left.
    """
    freed: set[tuple[str, str]] = set()
    for parcel in sorted(parcels):
        allocation = draft.allocation(parcel)
        assert allocation is not None, f"{parcel} is indexed, but not in the books"
        for claim in draft.open_order(allocation.order):
            for number, piece in pieces_in(claim, PieceState.RESERVED, PieceState.RECALLED):
                if piece.allocation == parcel:
                    _release_piece(draft, claim, number)
                    freed.add((claim.pool, piece.sku))
        draft.set_allocation(allocation, AllocationState.RELEASED)
    for pool, sku in sorted(freed):
        serve(draft, pool, sku)


def _allocation(draft: Draft, event: ShipmentDispatched | AllocationWithdrawn) -> Allocation:
    allocation = draft.allocation(event.allocation)
    if allocation is None or allocation.order != event.order:
        raise Permanent(
            f"{event.allocation!r} is no parcel of order {event.order!r} on this shard",
            field="allocation",
        )
    if allocation.location != event.location:
        raise Permanent(f"is {event.location!r}, not {allocation.location!r}", field="location")
    return allocation


def _ship_piece(draft: Draft, claim: Claim, number: int) -> None:
    if claim.pieces[number].state is PieceState.RECALLED:
        # A count had missed them, but they have left: they were there. Physical truth wins.
        missed = claim.pieces[number]
        found = Movement(
            missed.sku,
            missed.location,
            Account.ADJUSTMENT,
            Account.AVAILABLE,
            missed.quantity,
            claim.order,
            claim.offer,
            missed.line,
        )
        draft.post(found, claim.pool)
    piece = draft.move(claim, number, PieceState.SHIPPED)
    draft.emit(
        StockShipped(
            sku=piece.sku,
            order=claim.order,
            line=piece.line,
            location=piece.location,
            quantity=piece.quantity,
            allocation=parcel_of(piece),
        ),
        claim=claim,
    )
    if claim.state is ClaimState.CANCELLED:
        claim.return_expected = True


def _release_piece(draft: Draft, claim: Claim, number: int) -> None:
    piece = claim.pieces[number]
    cancelled = claim.state is ClaimState.CANCELLED
    if piece.state is PieceState.RESERVED:
        tell_released(draft, claim, piece)
    if cancelled:
        draft.move(claim, number, PieceState.CANCELLED)
    elif piece.state is PieceState.RECALLED:
        draft.move(claim, number, PieceState.BACKORDERED)
    else:
        backorder(draft, claim, number, PieceState.BACKORDERED)
