"""CartHeld, CartReleased: units kept for a cart until it is bought, given up, or out of time."""

from collections import Counter
from collections.abc import Sequence

from restock_common.contracts.envelope import Message
from restock_common.contracts.ledger import CartHeld, CartReleased
from restock_common.contracts.stock import HoldEnd, HoldRefused, StockHeld
from restock_common.errors import Permanent
from stock_ledger.domain import sourcing
from stock_ledger.domain.backorders import serve
from stock_ledger.domain.books import Books, Decision, Place
from stock_ledger.domain.draft import Draft, pieces_in
from stock_ledger.domain.effects import end_held, end_if_empty, keep_from_lots
from stock_ledger.domain.model import HOLD, Booking, Claim, ClaimKey, ClaimState, PieceState
from stock_ledger.domain.sourcing import Want
from stock_ledger.domain.trial import rank
from stock_ledger.domain.view import Bought


def hold_cart(books: Books, message: Message[CartHeld]) -> Decision:
    """Hold each line whole or not at all, once; what a later release names was said here.

    Raises:
        Permanent: The pool is not on this shard.
    """
    event = message.event
    if event.sourcing.shard != books.shard:
        raise Permanent(f"is {event.sourcing.shard}, read on {books.shard}", field="sourcing.shard")
    key = ClaimKey(event.hold, HOLD)
    if books.claim(key) is not None:
        return Decision(duplicate=True)
    draft = Draft(books, message.id, message.time)
    hold = draft.add(
        Claim(event.hold, HOLD, ClaimState.HELD, message.time, event, message.traceparent),
        fresh=True,
    )
    numbers = [draft.ask(hold, line.sku, line.sku, line.quantity) for line in event.lines]
    wants = [Want(line.sku, line.quantity) for line in event.lines]
    ranked = rank(draft, hold, wants)
    for number in numbers:
        _hold_line(draft, hold, event, number, ranked)
    end_if_empty(hold)
    return draft.finish()


def release_cart(books: Books, message: Message[CartReleased]) -> Decision:
    """Free what a cart gives up; a hold that has ended already is a duplicate.

    Raises:
        Permanent: The hold is not known, or holds less than is to be released.
    """
    event = message.event
    draft = Draft(books, message.id, message.time)
    hold = draft.open(ClaimKey(event.hold, HOLD))
    if hold is None:
        raise Permanent(f"{event.hold!r} is not a hold of this shard", field="hold")
    if hold.state is ClaimState.ENDED:
        return Decision(duplicate=True)
    if event.release is not None:
        booking = Booking("hold release", f"{event.hold} {event.release}")
        if draft.fact(Booking, booking.key) is not None:
            return Decision(duplicate=True)
        draft.put(booking)
    held = _held(hold)
    given_up: Counter[str] = Counter()
    for place, line in enumerate(event.lines):
        given_up[line.sku] += line.quantity
        if given_up[line.sku] > held[line.sku]:
            raise Permanent(
                f"{given_up[line.sku]} units of {line.sku!r} are more than the"
                f" {held[line.sku]} held",
                field=f"lines.{place}.quantity",
            )
    _free(draft, hold, given_up or held, HoldEnd.RELEASED)
    for sku in given_up or held:
        serve(draft, hold.pool, sku)
    return draft.finish()


def commit(draft: Draft, hold: Claim, wanted: Counter[str]) -> list[str]:
    """Free a hold's units for the order that cites it, and what it does not want for anyone.

    Returns:
        The skus that were held.
    """
    held = _held(hold)
    _free(draft, hold, held - wanted, HoldEnd.RELEASED)
    units: Counter[Place] = Counter()
    for _, piece in pieces_in(hold, PieceState.HELD):
        units[piece.sku, piece.location] += piece.quantity
    for place, bought in units.items():
        draft.bought[place] = Bought(bought, draft.sellable(*place))
    _free(draft, hold, _held(hold), HoldEnd.COMMITTED)
    return sorted(held)


def expire(draft: Draft, books: Books) -> set[tuple[str, str]]:
    """Free the holds whose time has come; return the (pool, sku) that were freed."""
    freed: set[tuple[str, str]] = set()
    for key in sorted(books.held):
        known = books.claim(key)
        assert known is not None, f"{key} is indexed, but not in the books"
        assert isinstance(known.placed, CartHeld), f"{key} is no hold"
        if known.placed.expires_at > draft.now:
            continue
        hold = draft.open_known(key)
        held = _held(hold)
        _free(draft, hold, held, HoldEnd.EXPIRED)
        freed.update((hold.pool, sku) for sku in held)
    return freed


def _hold_line(
    draft: Draft, hold: Claim, event: CartHeld, number: int, ranked: Sequence[str]
) -> None:
    sku, quantity = hold.pieces[number].sku, hold.pieces[number].quantity

    def available(location: str) -> int:
        return draft.available(sku, location, hold.pool, hold.channel)

    shares = sourcing.choose(quantity, ranked, available)
    if not shares:
        draft.move(hold, number, PieceState.CANCELLED)
        there = sum(map(available, ranked))
        refusal = HoldRefused(
            sku=sku, hold=hold.order, pool=hold.pool, quantity=quantity, available=there
        )
        draft.emit(refusal, claim=hold)
    for location, units in shares:
        keep_from_lots(draft, hold, number, location, units, PieceState.HELD)
        draft.emit(
            StockHeld(
                sku=sku,
                hold=hold.order,
                location=location,
                pool=hold.pool,
                quantity=units,
                expires_at=event.expires_at,
            ),
            claim=hold,
        )


def _held(hold: Claim) -> Counter[str]:
    held: Counter[str] = Counter()
    for _, piece in pieces_in(hold, PieceState.HELD):
        held[piece.sku] += piece.quantity
    return held


def _free(draft: Draft, hold: Claim, wanted: Counter[str], reason: HoldEnd) -> None:
    """Free units by sku, the last that were held first."""
    for sku, units in wanted.items():
        left = units
        for number, piece in reversed([*pieces_in(hold, PieceState.HELD)]):
            if piece.sku == sku and left > 0:
                some = min(left, piece.quantity)
                end_held(draft, hold, draft.divide(hold, number, some), reason)
                left -= some
