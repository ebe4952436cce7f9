"""OrderPlaced: reserve at home, else offer to the next pool, else backorder at home."""

from collections.abc import Collection
from dataclasses import replace

from restock_common.contracts.demand import DemandObserved
from restock_common.contracts.envelope import Message, derive_id
from restock_common.contracts.ledger import LineOffered, OrderLine, OrderPlaced
from restock_common.errors import Permanent
from stock_ledger.domain import sourcing
from stock_ledger.domain.books import Books, Decision
from stock_ledger.domain.draft import Draft
from stock_ledger.domain.effects import backorder, reserve
from stock_ledger.domain.model import HOME, Claim, ClaimKey, ClaimState, PieceState


def place(books: Books, message: Message[OrderPlaced]) -> Decision:
    """Book an order once; one that was cancelled before it came is only remembered.

    Raises:
        Permanent: The order's home is not on this shard, or a location is another pool's.
    """
    event = message.event
    home = event.sourcing[0]
    if home.shard != books.shard:
        raise Permanent(f"is {home.shard}, read on {books.shard}", field="sourcing.0.shard")
    draft = Draft(books, message.id, message.time)
    key = ClaimKey(event.order, HOME)
    known = books.claim(key)
    if known is not None:
        if known.placed is not None:
            return Decision(duplicate=True)
        cancelled = draft.open(key)
        assert cancelled is not None
        cancelled.place(event)
        return draft.finish()
    claim = draft.add(
        Claim(event.order, HOME, ClaimState.OPEN, message.time, event, message.traceparent),
        fresh=True,
    )
    used: set[str] = set()
    for line in event.lines:
        draft.emit(
            DemandObserved(
                sku=line.sku,
                location=claim.locations[0],
                pool=claim.pool,
                order=event.order,
                line=line.line,
                quantity=line.quantity,
                occurred_at=event.placed_at,
            )
        )
        number = draft.ask(claim, line)
        shares = whole_shares(draft, claim, line, used)
        if shares:
            reserve(draft, claim, number, shares)
            used.update(location for location, _ in shares)
        elif not ask_next_pool(draft, claim, number):
            end_at_home(draft, claim, number)
    return draft.finish()


def whole_shares(
    draft: Draft, claim: Claim, line: OrderLine, used: Collection[str] = ()
) -> list[sourcing.Share]:
    """Return from where the claim's pool can serve a whole line; empty where it cannot."""

    def available(location: str) -> int:
        return draft.available(line.sku, location, claim.pool)

    return sourcing.choose(line.quantity, claim.locations, available, used)


def ask_next_pool(draft: Draft, claim: Claim, number: int) -> bool:
    """Offer a whole piece to the next pool by rank, once each; return whether there is one."""
    piece = claim.pieces[number]
    order = claim.asked
    assert isinstance(order, OrderPlaced), f"claim {claim.key} is itself an offer"
    rank = piece.rank + 1
    if rank >= len(order.sourcing):
        return False
    target = order.sourcing[rank]
    offer = derive_id("offer", order.order, piece.line, rank)
    claim.pieces[number] = replace(piece, offer=offer, rank=rank)
    draft.move(claim, number, PieceState.OFFERED)
    draft.emit(
        LineOffered(
            offer=offer,
            order=order.order,
            line=OrderLine(line=piece.line, sku=piece.sku, quantity=piece.quantity),
            customer=order.customer,
            placed_at=order.placed_at,
            destination=order.destination,
            window=order.window,
            home_shard=draft.shard,
            home_pool=claim.pool,
            sourcing=target,
        ),
        claim=claim,
        partition=target.shard,
    )
    return True


def end_at_home(draft: Draft, claim: Claim, number: int) -> None:
    """Reserve at home what is there now, and let the rest wait at the nearest location."""
    piece = claim.pieces[number]

    def available(location: str) -> int:
        return draft.available(piece.sku, location, claim.pool)

    # The reserved units leave the piece, unless they are all of it.
    reserve(draft, claim, number, sourcing.fill(piece.quantity, claim.locations, available))
    if claim.pieces[number].state is not PieceState.RESERVED:
        backorder(draft, claim, number, PieceState.BACKORDERED)
