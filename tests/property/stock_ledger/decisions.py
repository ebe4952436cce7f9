"""What one decision may promise, and in which order."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

from tests.property.stock_ledger.entries import claims_of, pieces_of

from restock_common.contracts.envelope import Message
from restock_common.contracts.ledger import OrderLine, OrderPlaced
from restock_common.contracts.stock import (
    StockHeld,
    StockReserved,
    StockTransferred,
    TransferStage,
)
from stock_ledger.domain.books import Books, Decision, Place
from stock_ledger.domain.model import Claim, Piece, PieceState, Shelf
from stock_ledger.domain.priority import score

BACKORDERED = PieceState.BACKORDERED


def sellable(books: Books, place: Place, today: date) -> int:
    """Return the free units of a place that can be sold on a day."""
    lots = [books.balances[key] for key in books.lots.get(place, ())]
    return sum(one.free for one in lots if one.expires_on is None or one.expires_on >= today)


def kept_from(books: Books, place: Place, channel: str | None) -> int:
    """Return the free units of a place that a channel cannot have."""
    shelf = books.fact(Shelf, place)
    if shelf is None:
        return 0
    of_channel = shelf.channel_buffers.get(channel, 0) if channel is not None else 0
    return shelf.safety_buffer + of_channel


def today_of(books: Books, message: Message[Any]) -> date:
    """Return the day of a decision: time is in the log."""
    return max(message.time, books.clock.until).date()


def check_decision(books: Books, message: Message[Any], decision: Decision) -> None:
    """Assert what must hold of what a message has led to, after it was taken."""
    reserved = [one.event for one in decision.emissions if isinstance(one.event, StockReserved)]
    _check_buffers(books, message, decision, reserved)
    for claim in decision.claims.values():
        if claim.is_order and claim.placed is not None:
            _check_together(claim, [one for one in reserved if one.order == claim.order])
    _check_turns(books, message, reserved)


def _check_buffers(
    books: Books, message: Message[Any], decision: Decision, reserved: Sequence[StockReserved]
) -> None:
    """What is promised leaves the buffers free (I7); a cart that is bought takes what it held."""
    event = message.event
    if isinstance(event, OrderPlaced) and event.hold is not None:
        return
    promised: set[tuple[Place, str | None]] = set()
    for one in reserved:
        channel = next(c.channel for c in claims_of(books) if _has(c, one.reservation))
        promised.add(((one.sku, one.location), channel))
        assert one.lot is None or _is_sellable(books, one, today_of(books, message)), f"I7: {one}"
    for emission in decision.emissions:
        told = emission.event
        if isinstance(told, StockHeld):
            promised.add(((told.sku, told.location), event.channel))
        elif isinstance(told, StockTransferred) and told.stage is TransferStage.RESERVED:
            promised.add(((told.sku, told.location), None))
    for place, channel in promised:
        left = sellable(books, place, today_of(books, message))
        kept = kept_from(books, place, channel)
        assert left >= kept, f"I7: {left} left at {place} for {channel}, {kept} are to be kept"


def _has(claim: Claim, reservation: str) -> bool:
    return any(piece.reservation == reservation for piece in claim.pieces)


def _is_sellable(books: Books, one: StockReserved, today: date) -> bool:
    lots = books.lots[one.sku, one.location]
    (lot,) = [key for key in lots if key.lot == one.lot]
    expires_on = books.balances[lot].expires_on
    return expires_on is None or expires_on >= today


def line_of(claim: Claim, name: str) -> OrderLine | None:
    """Return a line as it was asked for; None where it was amended out."""
    return next((line for line in claim.lines if line.line == name), None)


def _check_together(claim: Claim, reserved: Sequence[StockReserved]) -> None:
    """A kit's parts, a line that is not to be split, and a whole order go together (I11, I12)."""
    new = [one for one in reserved if _has(claim, one.reservation)]
    if not new:
        return
    waiting = [piece for piece in claim.pieces if piece.state is BACKORDERED]
    if claim.ship_complete:
        assert not waiting, f"I12: {claim} is to be whole"
    for line in claim.lines:
        if not line.components and line.split:
            continue
        here = [one for one in new if one.line == line.line]
        places = {one.location for one in here}
        assert len(places) <= 1, f"I11, I12: {line} is served from {places}"
        late = [piece for piece in waiting if piece.line == line.line]
        assert not (here and late), f"I11, I12: {line} of {claim} is served in part"


def _check_turns(books: Books, message: Message[Any], reserved: Sequence[StockReserved]) -> None:
    """Of those who wait the higher priority is served first (I16)."""
    now = message.time
    served: dict[tuple[str, str, str | None], list[float]] = {}
    for one in reserved:
        if one.priority is None:
            continue
        parts = one.priority
        summed = parts.promised + parts.tier + parts.channel + parts.age + parts.value
        assert abs(parts.score - summed) < 1e-5, f"I16: {parts}"
        claim = next(c for c in claims_of(books) if _has(c, one.reservation))
        piece = next(p for p in claim.pieces if p.reservation == one.reservation)
        if is_plain(claim, piece):
            scores = served.setdefault((claim.pool, one.sku, claim.channel), [])
            assert not scores or scores[-1] >= parts.score, f"I16: {one} came after {scores}"
            scores.append(parts.score)
    for claim, piece in pieces_of(books):
        scores = served.get((claim.pool, piece.sku, claim.channel), []) if claim.is_order else []
        if piece.state is BACKORDERED and is_plain(claim, piece) and scores:
            waits = round(score(claim.asked, now, books.rules.weights).sum, 6)
            assert min(scores) >= waits, f"I16: {piece} of {claim} waits, {scores} were served"


def is_plain(claim: Claim, piece: Piece) -> bool:
    """Return whether a piece is served by itself, from whatever comes first."""
    line = line_of(claim, piece.line)
    whole = line is not None and (bool(line.components) or not line.split)
    return piece.expected is None and not claim.ship_complete and not whole


def check_waiting(books: Books, today: date) -> None:
    """Assert that nobody waits beside stock that he could have (I13)."""
    seen: set[tuple[Any, str]] = set()
    for claim, piece in pieces_of(books):
        if piece.state is not BACKORDERED:
            continue
        line = line_of(claim, piece.line)
        if claim.ship_complete:
            _check_whole_order(books, claim, today)
        elif line is not None and (line.components or not line.split):
            if (claim.key, line.line) not in seen:
                seen.add((claim.key, line.line))
                _check_whole_line(books, claim, line, today)
        else:
            there = {at: units for at, units in _places(books, claim, piece.sku, today) if units}
            assert not there, f"I13: {piece} of {claim} waits beside {there}"


def _places(books: Books, claim: Claim, sku: str, today: date) -> Iterator[tuple[str, int]]:
    for location in books.stocked_at.get((claim.pool, sku), ()):
        place = (sku, location)
        free = sellable(books, place, today) - kept_from(books, place, claim.channel)
        yield location, max(0, free)


def _waiting(claim: Claim, line: str | None = None) -> Counter[str]:
    units: Counter[str] = Counter()
    for piece in claim.pieces:
        if piece.state is BACKORDERED and line in {None, piece.line}:
            units[piece.sku] += piece.quantity
    return units


def _check_whole_line(books: Books, claim: Claim, line: OrderLine, today: date) -> None:
    wanted = _waiting(claim, line.line)
    free = {sku: dict(_places(books, claim, sku, today)) for sku in wanted}
    for location in set.intersection(*(set(places) for places in free.values())):
        enough = all(free[sku][location] >= units for sku, units in wanted.items())
        assert not enough, f"I13: {line} of {claim} waits, although {location} has {free}"


def _check_whole_order(books: Books, claim: Claim, today: date) -> None:
    """Where one location has all of it, any order of serving its lines finds it."""
    wanted = _waiting(claim)
    free = {sku: dict(_places(books, claim, sku, today)) for sku in wanted}
    places = [place for of_sku in free.values() for place, units in of_sku.items() if units]
    if len(set(places)) == 1:
        enough = all(free[sku].get(places[0], 0) >= units for sku, units in wanted.items())
        assert not enough, f"I13: {claim} waits, although {places[0]} has {free}"
