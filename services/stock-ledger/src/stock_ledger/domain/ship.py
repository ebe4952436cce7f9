"""ShipmentDispatched and AllocationWithdrawn: how a parcel ends."""

from collections import Counter
from collections.abc import Iterable

from restock_common.contracts.envelope import Message
from restock_common.contracts.ledger import AllocationWithdrawn, ShipmentDispatched
from restock_common.contracts.stock import StockShipped
from restock_common.errors import Permanent
from stock_ledger.domain import serials
from stock_ledger.domain.books import Books, Decision
from stock_ledger.domain.draft import Draft, pieces_in
from stock_ledger.domain.effects import backorder, parcel_of, reservation_of, tell_released
from stock_ledger.domain.model import (
    Account,
    Allocation,
    AllocationState,
    Claim,
    Movement,
    PieceState,
)
from stock_ledger.domain.rules import check_not_ahead

_IN_PARCEL = (PieceState.RESERVED, PieceState.RECALLED)
_GIVEN_BACK = frozenset({AllocationState.WITHDRAWN, AllocationState.RELEASED})


def ship(books: Books, message: Message[ShipmentDispatched]) -> Decision:
    """Let a parcel's units leave; a cancellation that came too late becomes a return to expect.

    What stays behind of a parcel that is shipped in part is a parcel of its own from then on.

    Raises:
        Permanent: The parcel is not known, was withdrawn, left before by another route, or is
            another location's; it holds less than is shipped; or a serial is not there.
    """
    event = message.event
    check_not_ahead("dispatched_at", event.dispatched_at, message.time)
    draft = Draft(books, message.id, message.time, event.dispatched_at)
    allocation = _allocation(draft, event)
    if allocation.state is AllocationState.SHIPPED:
        if allocation.route == event.route:
            return Decision(duplicate=True)
        raise Permanent(
            f"{event.allocation!r} was shipped before, by route {allocation.route!r}",
            field="allocation",
        )
    if allocation.state in _GIVEN_BACK:
        raise Permanent(f"{allocation.allocation!r} was withdrawn before", field="allocation")
    claims = draft.open_order(allocation.order)
    if event.lines:
        _ship_some(draft, claims, event)
    else:
        for claim, number in _in_parcel(claims, allocation.allocation):
            _ship_piece(draft, claim, number)
    draft.set_allocation(allocation, AllocationState.SHIPPED, event.route)
    return draft.finish()


def withdrawn(books: Books, message: Message[AllocationWithdrawn]) -> Decision:
    """Note that a parcel stays; its units are released when time next advances.

    Raises:
        Permanent: The parcel is not known, or has left.
    """
    draft = Draft(books, message.id, message.time)
    allocation = _allocation(draft, message.event)
    if allocation.state in _GIVEN_BACK:
        return Decision(duplicate=True)
    if allocation.state is AllocationState.SHIPPED:
        raise Permanent(f"{allocation.allocation!r} was shipped before", field="allocation")
    draft.set_allocation(allocation, AllocationState.WITHDRAWN)
    return draft.finish()


def release(draft: Draft, parcels: Iterable[str]) -> set[tuple[str, str]]:
    """Release withdrawn parcels: what was called off ends, the rest waits to be served again.

    What a short count has recalled waits for a receipt from now on: it has not left.

    Returns:
        The (pool, sku) of which units are free again.
    """
    freed: set[tuple[str, str]] = set()
    for parcel in sorted(parcels):
        allocation = draft.allocation(parcel)
        assert allocation is not None, f"{parcel} is indexed, but not in the books"
        for claim, number in _in_parcel(draft.open_order(allocation.order), parcel):
            _release_piece(draft, claim, number)
            freed.add((claim.pool, claim.pieces[number].sku))
        draft.set_allocation(allocation, AllocationState.RELEASED)
    return freed


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


def _ship_some(draft: Draft, claims: list[Claim], event: ShipmentDispatched) -> None:
    """Ship what the lines say; the rest of the parcel is packed anew, or put aside."""
    left = Counter({(line.line, line.sku): 0 for line in event.lines})
    for line in event.lines:
        left[line.line, line.sku] += line.quantity
        serials.leave(draft, line, event)
    asked = Counter(left)
    for claim, number in _in_parcel(claims, event.allocation):
        piece = claim.pieces[number]
        units = min(piece.quantity, left[piece.line, piece.sku])
        if units > 0:
            left[piece.line, piece.sku] -= units
            _ship_piece(draft, claim, draft.divide(claim, number, units))
        if units < piece.quantity:
            _leave_behind(draft, claim, number)
    for place, line in enumerate(event.lines):
        if left[line.line, line.sku] > 0:
            there = asked[line.line, line.sku] - left[line.line, line.sku]
            raise Permanent(
                f"{line.quantity} units of {line.sku!r}, {there} in the parcel",
                field=f"lines.{place}.quantity",
            )


def _in_parcel(claims: list[Claim], parcel: str) -> list[tuple[Claim, int]]:
    """Return the pieces of a parcel: what is still wanted first, what a count had missed last."""
    found = [
        (piece.state is PieceState.RECALLED, piece.cut, claim, number)
        for claim in claims
        for number, piece in pieces_in(claim, *_IN_PARCEL)
        if piece.allocation == parcel
    ]
    found.sort(key=lambda one: one[:2])
    return [(claim, number) for _, _, claim, number in found]


def _leave_behind(draft: Draft, claim: Claim, number: int) -> None:
    piece = claim.pieces[number]
    stays = piece.state is PieceState.RESERVED and not piece.cut
    pack = draft.pack if stays else draft.put_aside
    claim.pieces[number] = piece._replace(allocation=pack(claim, piece.location))


def _ship_piece(draft: Draft, claim: Claim, number: int) -> None:
    if claim.pieces[number].state is PieceState.RECALLED:
        # A count had missed them, but they have left: they were there. Physical truth wins.
        missed = claim.pieces[number]
        found = Movement(
            missed.sku,
            missed.location,
            missed.lot,
            Account.ADJUSTMENT,
            Account.FREE,
            missed.quantity,
            claim.order,
            claim.offer,
            missed.line,
            draft.effective_at,
        )
        draft.post(found, claim.pool)
    piece = draft.move(claim, number, PieceState.SHIPPED)
    draft.emit(
        StockShipped(
            sku=piece.sku,
            order=claim.order,
            line=piece.line,
            reservation=reservation_of(piece),
            location=piece.location,
            quantity=piece.quantity,
            allocation=parcel_of(piece),
            lot=piece.lot or None,
        ),
        claim=claim,
    )
    if piece.cut:
        claim.return_expected = True


def _release_piece(draft: Draft, claim: Claim, number: int) -> None:
    piece = claim.pieces[number]
    if piece.state is PieceState.RESERVED:
        tell_released(draft, claim, piece)
    if piece.cut:
        draft.move(claim, number, PieceState.CANCELLED)
    elif piece.state is PieceState.RECALLED:
        draft.move(claim, number, PieceState.BACKORDERED, lot="")
    else:
        backorder(draft, claim, number, PieceState.BACKORDERED)
