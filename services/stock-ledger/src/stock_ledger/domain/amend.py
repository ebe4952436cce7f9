"""OrderAmended: the order as it is to be; what differs is sourced, or called off."""

from restock_common.contracts.envelope import Message
from restock_common.contracts.ledger import OrderAmended, OrderLine, OrderPlaced
from restock_common.errors import Permanent
from stock_ledger.domain.books import Books, Decision
from stock_ledger.domain.cutting import cut, live
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
    for place, line in enumerate(event.lines):
        _check_same(before.get(line.line), line, place)
    claim.revision = event.revision
    claim.placed = claim.placed.model_copy(update={"lines": event.lines})
    for name in [*before, *(line.line for line in event.lines if line.line not in before)]:
        wanted = next((line for line in event.lines if line.line == name), None)
        _bring_to(draft, claim, before.get(name) or wanted, wanted, event)
    return draft.finish()


def _check_same(before: OrderLine | None, line: OrderLine, place: int) -> None:
    if before is None:
        return
    if (before.sku, before.components) != (line.sku, line.components):
        raise Permanent(
            f"line {line.line!r} is {before.sku!r}: another sku, or kit, is another line",
            field=f"lines.{place}.sku",
        )


def _bring_to(
    draft: Draft,
    claim: Claim,
    line: OrderLine | None,
    wanted: OrderLine | None,
    event: OrderAmended,
) -> None:
    """Source what a line lacks, or call off what it has too many of."""
    assert line is not None, "a line is in the order, or in its amendment"
    for_one = components_of(line.model_copy(update={"quantity": 1}))
    sku, units = for_one[0]
    now = live(claim, line.line, sku) // units
    target = wanted.quantity if wanted is not None else 0
    if wanted is not None and target > now:
        more = wanted.model_copy(update={"quantity": target - now})
        source(draft, claim, [more], event.amended_at)
    for sku, units in for_one:
        too_many = live(claim, line.line, sku) - target * units
        if too_many > 0:
            cut(draft, claim, line.line, sku, too_many)
