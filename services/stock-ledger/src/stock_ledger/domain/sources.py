"""How lines are sourced: at home, from another pool, from expected receipts, or not yet."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from restock_common.contracts.demand import DemandObserved
from restock_common.contracts.envelope import derive_id
from restock_common.contracts.ledger import LineOffered, OrderLine, OrderPlaced
from stock_ledger.domain import sourcing
from stock_ledger.domain.draft import Draft, pieces_in
from stock_ledger.domain.effects import backorder, reserve
from stock_ledger.domain.expected import soonest, unpromised
from stock_ledger.domain.model import Claim, PieceState
from stock_ledger.domain.sourcing import Share, Want
from stock_ledger.domain.trial import Trial, is_whole, rank, waiting_of


def components_of(line: OrderLine) -> list[tuple[str, int]]:
    """Return the (sku, units) that a line takes from the shelves."""
    if not line.components:
        return [(line.sku, line.quantity)]
    return [(one.sku, one.quantity * line.quantity) for one in line.components]


def source(draft: Draft, claim: Claim, lines: Iterable[OrderLine], occurred_at: datetime) -> None:
    """Enter lines of an order at home and decide from where each is served.

    Args:
        draft: The decision.
        claim: The order's, at home.
        lines: Units that are asked for from now on.
        occurred_at: When the customer asked for them.

    Raises:
        Permanent: They would wait at a location of another pool.
    """
    asked = [(line, _ask(draft, claim, line, occurred_at)) for line in lines]
    new = [number for _, numbers in asked for number in numbers]
    ranked = rank(draft, claim, [_want(claim, number) for number in new])
    if claim.ship_complete:
        _all_or_nothing(draft, claim, new, ranked, waiting_of(claim))
        return
    used: set[str] = set()
    for line, numbers in asked:
        waiting = waiting_of(claim, line.line) if is_whole(line) else []
        # A kit is decided within its pool, and what joins a line that waits whole waits with it.
        if line.components or waiting:
            _all_or_nothing(draft, claim, numbers, ranked, waiting)
        else:
            _source_line(draft, claim, line, numbers[0], ranked, used)


def whole_shares(
    draft: Draft,
    claim: Claim,
    line: OrderLine,
    units: int,
    locations: Sequence[str],
    used: Collection[str] = (),
) -> list[Share]:
    """Return from where the claim's pool can serve all units of a line; empty where it cannot."""
    sku, pool, channel = line.sku, claim.pool, claim.channel

    def available(location: str) -> int:
        return draft.available(sku, location, pool, channel)

    return sourcing.choose(units, locations, available, used, split=line.split)


def ask_next_pool(draft: Draft, claim: Claim, number: int, line: OrderLine) -> bool:
    """Offer a whole piece to the next pool by rank, once each; return whether there is one."""
    piece, order = claim.pieces[number], claim.asked
    assert isinstance(order, OrderPlaced), f"claim {claim.key} is itself an offer"
    next_rank = piece.rank + 1
    if next_rank >= len(order.sourcing):
        return False
    target = order.sourcing[next_rank]
    offer = derive_id("offer", order.order, piece.line, number, next_rank)
    claim.pieces[number] = piece._replace(offer=offer, rank=next_rank)
    draft.move(claim, number, PieceState.OFFERED)
    draft.emit(
        LineOffered(
            offer=offer,
            order=order.order,
            line=line.model_copy(update={"quantity": piece.quantity}),
            customer=order.customer,
            placed_at=order.placed_at,
            destination=order.destination,
            window=order.window,
            home_shard=draft.shard,
            home_pool=claim.pool,
            sourcing=target,
            channel=order.channel,
            customer_tier=order.customer_tier,
            promised_by=order.promised_by,
            value=order.value,
        ),
        claim=claim,
        partition=target.shard,
    )
    return True


def end_at_home(draft: Draft, claim: Claim, number: int, line: OrderLine) -> None:
    """Reserve at home what is there now, and let the rest wait at the nearest location.

    It stays as it is where each of its locations has become another pool's in the meantime.
    """
    ranked = rank(draft, claim, [_want(claim, number)])
    if not line.split:
        _all_or_nothing(draft, claim, [number], ranked, waiting_of(claim, line.line))
    elif not _reserve_some(draft, claim, number, ranked):
        _wait(draft, claim, number)


def _reserve_some(draft: Draft, claim: Claim, number: int, ranked: Sequence[str]) -> bool:
    """Reserve what is there of a piece; return whether that was all of it."""
    piece = claim.pieces[number]

    def available(location: str) -> int:
        return draft.available(piece.sku, location, claim.pool, claim.channel)

    # The reserved units leave the piece, unless they are all of it.
    reserve(draft, claim, number, sourcing.fill(piece.quantity, ranked, available))
    return claim.pieces[number].state is PieceState.RESERVED


def _reserve_bought(draft: Draft, claim: Claim, number: int, ranked: Sequence[str]) -> bool:
    """Reserve what the cart held of a piece; return whether that is all of it.

    What other lines of the order have taken at a place counts as the cart's.
    """
    piece = claim.pieces[number]

    def available(location: str) -> int:
        bought = draft.bought.get((piece.sku, location))
        if bought is None:
            return 0
        taken = sum(
            one.quantity
            for _, one in pieces_in(claim, PieceState.RESERVED)
            if (one.sku, one.location) == (piece.sku, location)
        )
        there = draft.available(piece.sku, location, claim.pool, claim.channel)
        return min(there, max(0, bought.units - taken))

    reserve(draft, claim, number, sourcing.fill(piece.quantity, ranked, available))
    return claim.pieces[number].state is PieceState.RESERVED


def _wait(draft: Draft, claim: Claim, number: int) -> None:
    sku = claim.pieces[number].sku
    for location in claim.locations:
        if draft.pool_of(sku, location) in {None, claim.pool}:
            claim.pieces[number] = claim.pieces[number]._replace(location=location)
            backorder(draft, claim, number, PieceState.BACKORDERED)
            return


def _want(claim: Claim, number: int) -> Want:
    return Want(claim.pieces[number].sku, claim.pieces[number].quantity)


def _ask(draft: Draft, claim: Claim, line: OrderLine, occurred_at: datetime) -> list[int]:
    """Enter a line's pieces and observe the demand, served or not; return their numbers."""
    numbers = []
    for sku, units in components_of(line):
        draft.emit(
            DemandObserved(
                sku=sku,
                location=claim.locations[0],
                pool=claim.pool,
                order=claim.order,
                line=line.line,
                quantity=units,
                occurred_at=occurred_at,
            )
        )
        draft.check_pool(sku, claim.locations[0], claim.pool, "sourcing.0.locations.0.location")
        numbers.append(draft.ask(claim, line.line, sku, units))
    return numbers


def _all_or_nothing(
    draft: Draft, claim: Claim, new: Sequence[int], ranked: Sequence[str], waiting: Sequence[int]
) -> None:
    """Reserve new pieces and those that they join, or let all of them wait together."""
    shares = Trial(draft, claim).take_whole([*waiting, *new], ranked)
    priority = draft.priority(claim) if waiting else None
    for number, given in shares.items():
        reserve(draft, claim, number, given, priority if number in waiting else None)
    for number in () if shares else new:
        _wait(draft, claim, number)


def _source_line(
    draft: Draft,
    claim: Claim,
    line: OrderLine,
    number: int,
    ranked: Sequence[str],
    used: set[str],
) -> None:
    shares = whole_shares(draft, claim, line, claim.pieces[number].quantity, ranked, used)
    if shares:
        reserve(draft, claim, number, shares)
        used.update(location for location, _ in shares)
    elif line.split and draft.bought and _reserve_bought(draft, claim, number, ranked):
        return
    elif line.preorder:
        if not (line.split and _reserve_some(draft, claim, number, ranked)):
            _promise_from_expected(draft, claim, number)
    elif not ask_next_pool(draft, claim, number, line):
        end_at_home(draft, claim, number, line)


def _promise_from_expected(draft: Draft, claim: Claim, number: int) -> None:
    """Promise units from the receipts that are expected soonest; what they lack waits for any."""
    sku = claim.pieces[number].sku
    for expected in soonest(draft, claim.pool, sku):
        piece = claim.pieces[number]
        units = min(piece.quantity, unpromised(draft, expected))
        if units <= 0:
            continue
        at = draft.divide(claim, number, units)
        claim.pieces[at] = claim.pieces[at]._replace(
            expected=expected.expected, location=expected.location
        )
        backorder(draft, claim, at, PieceState.BACKORDERED)
        if at == number:
            return
    backorder(draft, claim, number, PieceState.BACKORDERED)
