"""Offers between pools: taken in, answered, and what an answer leads to at home."""

from restock_common.contracts.envelope import Message
from restock_common.contracts.ledger import LineAccepted, LineOffered, LineRefused, LineWithdrawn
from restock_common.errors import Permanent
from stock_ledger.domain.books import Books, Decision
from stock_ledger.domain.draft import Draft
from stock_ledger.domain.effects import reserve
from stock_ledger.domain.model import HOLD, HOME, TRANSFER, Claim, ClaimKey, ClaimState, PieceState
from stock_ledger.domain.sources import ask_next_pool, whole_shares
from stock_ledger.domain.sourcing import Want
from stock_ledger.domain.trial import rank


def take_offer(books: Books, message: Message[LineOffered]) -> Decision:
    """Remember an offer until time advances; nothing if it is known or was withdrawn before.

    Raises:
        Permanent: The offered pool is not on this shard, or the offer is named as none is.
    """
    event = message.event
    if event.sourcing.shard != books.shard:
        raise Permanent(f"is {event.sourcing.shard}, read on {books.shard}", field="sourcing.shard")
    key = offer_key(event)
    if books.claim(key) is not None:
        return Decision(duplicate=True)
    draft = Draft(books, message.id, message.time)
    draft.add(
        Claim(
            event.order, event.offer, ClaimState.PENDING, message.time, event, message.traceparent
        ),
        fresh=False,
    )
    return draft.finish()


def offer_key(event: LineOffered | LineWithdrawn) -> ClaimKey:
    """Return what an offer is known by. Raises Permanent where it is named as none is."""
    if event.offer in {HOLD, TRANSFER}:
        raise Permanent(f"{event.offer!r} is not the name of an offer", field="offer")
    return ClaimKey(event.order, event.offer)


def answer(draft: Draft, claim: Claim) -> None:
    """Reserve an offered line here, all of it, or refuse it."""
    offer = claim.asked
    assert isinstance(offer, LineOffered), f"claim {claim.key} is no offer"
    line = offer.line
    ranked = rank(draft, claim, [Want(line.sku, line.quantity)])
    shares = whole_shares(draft, claim, line, line.quantity, ranked)
    if not shares:
        claim.state = ClaimState.REFUSED
        refusal = LineRefused(offer=offer.offer, order=offer.order, line=line.line, pool=claim.pool)
        draft.emit(refusal, claim=claim, partition=offer.home_shard)
        return
    claim.state = ClaimState.OPEN
    reserve(draft, claim, draft.ask(claim, line.line, line.sku, line.quantity), shares)
    acceptance = LineAccepted(
        offer=offer.offer,
        order=offer.order,
        line=line.line,
        pool=claim.pool,
        location=shares[0][0],
    )
    draft.emit(acceptance, claim=claim, partition=offer.home_shard)


def accepted(books: Books, message: Message[LineAccepted]) -> Decision:
    """Note at home that another pool serves the line; late answers change nothing.

    Raises:
        Permanent: The order is not known.
    """
    draft = Draft(books, message.id, message.time)
    found = _offered(draft, message.event)
    if found is None:
        return Decision(duplicate=True)
    claim, number = found
    draft.move(claim, number, PieceState.ACCEPTED)
    return draft.finish()


def refused(books: Books, message: Message[LineRefused]) -> Decision:
    """Ask the next pool; after the last, the line ends at home when time next advances.

    Not at once: two refusals may come in either order, and the first would take what is there.
    Late answers change nothing.

    Raises:
        Permanent: The order is not known.
    """
    draft = Draft(books, message.id, message.time)
    found = _offered(draft, message.event)
    if found is None:
        return Decision(duplicate=True)
    claim, number = found
    line = next(one for one in claim.lines if one.line == claim.pieces[number].line)
    if not ask_next_pool(draft, claim, number, line):
        claim.pieces[number] = claim.pieces[number]._replace(since=message.time)
        draft.move(claim, number, PieceState.REFUSED)
    return draft.finish()


def _offered(draft: Draft, answer: LineAccepted | LineRefused) -> tuple[Claim, int] | None:
    """Return the piece that still waits for this answer."""
    claim = draft.open(ClaimKey(answer.order, HOME))
    if claim is None or claim.placed is None:
        raise Permanent(f"{answer.order!r} is not an order of this shard", field="order")
    for number, piece in enumerate(claim.pieces):
        if piece.offer == answer.offer and piece.state is PieceState.OFFERED:
            return claim, number
    return None
