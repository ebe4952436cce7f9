"""OrderCancelled and LineWithdrawn: what waits ends at once, what is in a parcel is asked back."""

from restock_common.contracts.envelope import Message
from restock_common.contracts.ledger import LineOffered, LineWithdrawn, OrderCancelled
from restock_common.errors import Permanent
from stock_ledger.domain.backorders import serve_again
from stock_ledger.domain.books import Books, Decision
from stock_ledger.domain.cutting import cut, cut_all, live
from stock_ledger.domain.draft import Draft
from stock_ledger.domain.model import HOME, Claim, ClaimKey, ClaimState
from stock_ledger.domain.offers import offer_key

_OVER = frozenset({ClaimState.CANCELLED, ClaimState.REFUSED})


def cancel(books: Books, message: Message[OrderCancelled]) -> Decision:
    """Call an order off; one that is not known yet is remembered as cancelled."""
    return _call_off(Draft(books, message.id, message.time), ClaimKey(message.event.order, HOME))


def withdraw_line(books: Books, message: Message[LineWithdrawn]) -> Decision:
    """Give back what home no longer wants of an offer; all of it is remembered for ever.

    Raises:
        Permanent: A part is taken back of what was never offered, or the offer is named as none is.
    """
    event = message.event
    draft = Draft(books, message.id, message.time)
    key = offer_key(event)
    claim = draft.open(key)
    if event.remaining == 0:
        return _call_off(draft, key)
    if claim is None:
        raise Permanent(f"{event.offer!r} was never offered to this shard", field="offer")
    if claim.state in _OVER:
        return Decision(duplicate=True)
    offer = claim.asked
    assert isinstance(offer, LineOffered), f"{key} is no offer"
    line = offer.line
    wanted = line.model_copy(update={"quantity": min(line.quantity, event.remaining)})
    claim.placed = offer.model_copy(update={"line": wanted})
    if claim.state is ClaimState.OPEN:
        too_many = live(claim, line.line, line.sku) - event.remaining
        cut(draft, claim, line.line, line.sku, max(0, too_many))
        serve_again(draft, claim)
    return draft.finish()


def _call_off(draft: Draft, key: ClaimKey) -> Decision:
    claim = draft.open(key)
    if claim is None:
        draft.add(Claim(key.order, key.offer, ClaimState.CANCELLED, draft.now), fresh=True)
        return draft.finish()
    if claim.state in _OVER:
        return Decision(duplicate=True)
    claim.state = ClaimState.CANCELLED
    cut_all(draft, claim)
    return draft.finish()
