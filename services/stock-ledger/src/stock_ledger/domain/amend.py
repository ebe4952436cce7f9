"""OrderAmended: the order as it is to be; what differs is sourced, or called off."""

from restock_common.contracts.envelope import Message
from restock_common.contracts.ledger import OrderAmended, OrderLine, OrderPlaced
from restock_common.errors import Permanent
from stock_ledger.domain.backorders import serve_again
from stock_ledger.domain.books import Books, Decision
from stock_ledger.domain.cutting import cut, live, returned
from stock_ledger.domain.draft import Draft
from stock_ledger.domain.model import HOME, Claim, ClaimKey, ClaimState
from stock_ledger.domain.sources import components_of, source


def amend(books: Books, message: Message[OrderAmended]) -> Decision:
    """Bring an order to what a newer revision says; an older one changes nothing.

    Raises:
        Permanent: The order is not known or was cancelled, or a line became another sku.
    """
    event = message.event
    draft = Draft(books, message.id, message.time)
    claim = draft.open(ClaimKey(event.order, HOME))
    if claim is None or not isinstance(claim.placed, OrderPlaced):
        raise Permanent(f"{event.order!r} is not an order of this shard", field="order")
    if event.revision <= claim.revision:
        return Decision(duplicate=True)
    if claim.state is ClaimState.CANCELLED:
        raise Permanent(f"{event.order!r} was cancelled before", field="order")
    before = {line.line: line for line in claim.placed.lines}
    wanted = {line.line: line for line in event.lines}
    for place, line in enumerate(event.lines):
        _check_same(claim, before.get(line.line), line, place)
    claim.revision = event.revision
    claim.placed = claim.placed.model_copy(update={"lines": event.lines})
    more = [_more(claim, before.get(name), line) for name, line in wanted.items()]
    for name, line in before.items():
        _cut_back(draft, claim, line, wanted.get(name))
    source(draft, claim, [line for line in more if line is not None], event.amended_at)
    serve_again(draft, claim)
    return draft.finish()


def _check_same(claim: Claim, before: OrderLine | None, line: OrderLine, place: int) -> None:
    """Raise Permanent where a line was another sku, or kit, also if it was taken out since."""
    had = {piece.sku for piece in claim.pieces if piece.line == line.line}
    same = before is None or (before.sku, before.components) == (line.sku, line.components)
    if not same or (had and had != {sku for sku, _ in components_of(line)}):
        raise Permanent(
            f"line {line.line!r} is {', '.join(sorted(had))}: another sku, or kit, is another line",
            field=f"lines.{place}.sku",
        )


def _more(claim: Claim, before: OrderLine | None, line: OrderLine) -> OrderLine | None:
    """Return what a line lacks; what has come back of it is not sent again because of another."""
    sku, units = components_of(line.model_copy(update={"quantity": 1}))[0]
    now = live(claim, line.line, sku) // units
    had = (live(claim, line.line, sku) + returned(claim, line.line, sku)) // units
    asked = 0 if before is None else before.quantity
    lacking = line.quantity - max(now, min(had, asked))
    return line.model_copy(update={"quantity": lacking}) if lacking > 0 else None


def _cut_back(draft: Draft, claim: Claim, before: OrderLine, line: OrderLine | None) -> None:
    """Call off what there is too much of a line."""
    target = 0 if line is None else line.quantity
    for sku, units in components_of(before.model_copy(update={"quantity": 1})):
        too_many = live(claim, before.line, sku) - target * units
        if too_many > 0:
            cut(draft, claim, before.line, sku, too_many)
