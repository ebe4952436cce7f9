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
    """Call an order off; one that is not known yet is remembered as cancelled.

    A shop tells of a cancellation with each change of the order, also after an exchange: what was
    called off no later than was known before is not about what is sent instead.
    """
    draft, at = Draft(books, message.id, message.time), message.event.cancelled_at
    key = ClaimKey(message.event.order, HOME)
    claim = draft.open(key)
    if claim is None:
        claim = Claim(key.order, key.offer, ClaimState.CANCELLED, draft.now, cancelled_at=at)
        draft.add(claim, fresh=True)
        return draft.finish()
    if claim.cancelled_at is not None and at <= claim.cancelled_at:
        return Decision(duplicate=True)
    claim.cancelled_at = at
    if claim.state not in _OVER:
        _end(draft, claim)
    return draft.finish()


def withdraw_line(books: Books, message: Message[LineWithdrawn]) -> Decision:
    """Give back what home no longer wants of an offer; all of it is remembered for ever.

    Raises:
        Permanent: A part is taken back of what was never offered, or the offer is named as none is.
    """
    event = message.event
    draft = Draft(books, message.id, message.time)
    key = offer_key(event)
    claim = draft.open(key)
    if claim is None:
        if event.remaining == 0:
            draft.add(Claim(key.order, key.offer, ClaimState.CANCELLED, draft.now), fresh=True)
            return draft.finish()
        raise Permanent(f"{event.offer!r} was never offered to this shard", field="offer")
    if claim.state in _OVER:
        return Decision(duplicate=True)
    if event.remaining == 0:
        _end(draft, claim)
        return draft.finish()
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


def _end(draft: Draft, claim: Claim) -> None:
    claim.state = ClaimState.CANCELLED
    cut_all(draft, claim)
