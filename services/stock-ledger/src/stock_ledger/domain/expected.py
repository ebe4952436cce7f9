"""ReceiptExpected: what purchase orders will bring, and which preorders are promised from it."""

from dataclasses import replace

from restock_common.contracts.envelope import Message
from restock_common.contracts.ledger import ReceiptExpected
from restock_common.errors import Permanent
from stock_ledger.domain.books import Books, Decision
from stock_ledger.domain.draft import Draft, pieces_in
from stock_ledger.domain.effects import backorder
from stock_ledger.domain.model import Claim, Expected, Piece, PieceState
from stock_ledger.domain.view import View


def expect(books: Books, message: Message[ReceiptExpected]) -> Decision:
    """Take in what a purchase order line is to bring, as it stands.

    Raises:
        Permanent: It was of another sku or location, or the location is another pool's.
    """
    event = message.event
    draft = Draft(books, message.id, message.time)
    draft.check_pool(event.sku, event.location, event.pool)
    known = draft.fact(Expected, event.expected)
    told = Expected(
        event.expected,
        event.sku,
        event.location,
        event.pool,
        event.quantity,
        0 if known is None else known.received,
        event.expected_at,
    )
    if known is not None:
        if (known.sku, known.location) != (told.sku, told.location):
            raise Permanent(
                f"{event.expected!r} is {known.sku!r} at {known.location!r}", field="expected"
            )
        if known == told:
            return Decision(duplicate=True)
    draft.put(told)
    let_go(draft, told)
    return draft.finish()


def let_go(draft: Draft, expected: Expected) -> None:
    """Let preorders that it cannot bring any more wait for any receipt, the last promised first."""
    promised = promised_from(draft, expected)
    too_many = sum(piece.quantity for _, _, piece in promised) - _left(expected)
    for claim, number, piece in reversed(promised):
        if too_many <= 0:
            return
        units = min(too_many, piece.quantity)
        too_many -= units
        at = draft.divide(claim, number, units)
        claim.pieces[at] = claim.pieces[at]._replace(expected=None)
        backorder(draft, claim, at, PieceState.BACKORDERED)


def note_received(draft: Draft, name: str, sku: str, units: int) -> None:
    """Count what has come of what was expected."""
    expected = draft.fact(Expected, name)
    if expected is not None and expected.sku == sku:
        draft.put(replace(expected, received=expected.received + units))


def soonest(view: View, pool: str, sku: str) -> list[Expected]:
    """Return what is expected of a sku in a pool, the soonest first."""
    found = [one for one in view.facts(Expected) if (one.pool, one.sku) == (pool, sku)]
    return sorted(found, key=lambda one: (one.expected_at, one.expected))


def unpromised(draft: Draft, expected: Expected) -> int:
    """Return the units of an expected receipt that are neither promised nor received."""
    promised = promised_from(draft, expected)
    return _left(expected) - sum(piece.quantity for _, _, piece in promised)


def promised_from(draft: Draft, expected: Expected) -> list[tuple[Claim, int, Piece]]:
    """Return the pieces that wait for an expected receipt, the highest priority first."""
    return [
        (claim, number, piece)
        for _, key in draft.waiting(expected.pool, expected.sku)
        for claim in [draft.open_known(key)]
        for number, piece in pieces_in(claim, PieceState.BACKORDERED)
        if piece.expected == expected.expected
    ]


def _left(expected: Expected) -> int:
    return max(0, expected.quantity - expected.received)
