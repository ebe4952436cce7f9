"""OrderPlaced: reserve at home, else offer to the next pool, else backorder at home."""

from collections import Counter

from restock_common.contracts.envelope import Message
from restock_common.contracts.ledger import OrderPlaced
from restock_common.errors import Permanent
from stock_ledger.domain.backorders import serve
from stock_ledger.domain.books import Books, Decision
from stock_ledger.domain.draft import Draft
from stock_ledger.domain.holds import commit
from stock_ledger.domain.model import HOLD, HOME, Claim, ClaimKey, ClaimState
from stock_ledger.domain.sources import components_of, source


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
    if known is not None and known.placed is not None:
        return Decision(duplicate=True)
    freed = _commit_hold(draft, event)
    if known is not None:
        draft.open_known(key).place(event)  # cancelled before it came
    else:
        claim = draft.add(
            Claim(event.order, HOME, ClaimState.OPEN, message.time, event, message.traceparent),
            fresh=True,
        )
        source(draft, claim, event.lines, event.placed_at)
    draft.bought.clear()
    for sku in freed:
        serve(draft, home.pool, sku)
    return draft.finish()


def _commit_hold(draft: Draft, event: OrderPlaced) -> list[str]:
    """Free the units that the order's hold has kept for it; return the skus that it kept.

    They are the order's all the same: nothing else is decided in between, and no buffer keeps them
    from it. A hold that is over, or another pool's, kept nothing for it.
    """
    hold = draft.open(ClaimKey(event.hold, HOLD)) if event.hold is not None else None
    if hold is None or hold.pool != event.sourcing[0].pool:
        return []
    wanted: Counter[str] = Counter()
    for line in event.lines:
        for sku, units in components_of(line):
            wanted[sku] += units
    return commit(draft, hold, wanted)
