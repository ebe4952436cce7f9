"""TimeAdvanced: what has waited for it is decided in a fixed order, then time is passed on.

Other shards and the dispatcher answer on logs of their own, so the order in which answers arrive
is chance. Whatever they free or take is therefore decided here, sorted by what was placed: the
books depend on what was sent between two advances, not on how it was interleaved. What another
shard's advance to the same time has led to may be here already or not, and so waits for the next.
"""

from restock_common.contracts.envelope import Message
from restock_common.contracts.ledger import TimeAdvanced
from restock_common.contracts.topics import DEMAND, FULFILMENT, STOCK
from restock_common.transact import Emission
from stock_ledger.domain import holds, upkeep
from stock_ledger.domain.backorders import serve
from stock_ledger.domain.books import Books, Decision
from stock_ledger.domain.draft import Draft, pieces_in
from stock_ledger.domain.model import PieceState
from stock_ledger.domain.offers import answer
from stock_ledger.domain.ship import release
from stock_ledger.domain.sources import end_at_home

PASSED_ON_TO = (STOCK, FULFILMENT, DEMAND)


def advance_time(books: Books, message: Message[TimeAdvanced]) -> Decision:
    """End holds, release what was withdrawn, end what all have refused, answer, pass time on.

    A time that has come already changes nothing.
    """
    until = message.event.until
    if until <= books.clock.until:
        return Decision(duplicate=True)
    draft = Draft(books, message.id, until)
    freed = holds.expire(draft, books)
    freed |= release(draft, books.withdrawn)
    upkeep.set_expired_aside(draft)
    for pool, sku in sorted(freed):
        serve(draft, pool, sku)
    _end_refused(draft, books)
    _answer_offers(draft, books)
    upkeep.look_over(draft, since=books.clock.until)
    decision = draft.finish(until=until)
    decision.emissions.extend(
        Emission(message.event, topic=topic, partition=partition)
        for topic in PASSED_ON_TO
        for partition in range(topic.partitions)
    )
    return decision


def _answer_offers(draft: Draft, books: Books) -> None:
    claims = [draft.open_known(key) for key in books.pending]
    offers = [claim for claim in claims if claim.since < draft.now]
    for claim in sorted(offers, key=lambda claim: (claim.asked.placed_at, claim.offer)):
        answer(draft, claim)


def _end_refused(draft: Draft, books: Books) -> None:
    claims = [draft.open_known(key) for key in books.refused]
    refused = [
        (claim.asked.placed_at, claim.order, piece.line, number, claim)
        for claim in claims
        for number, piece in pieces_in(claim, PieceState.REFUSED)
        if piece.since is not None and piece.since < draft.now
    ]
    for _, _, name, number, claim in sorted(refused, key=lambda one: one[:4]):
        line = next(line for line in claim.lines if line.line == name)
        end_at_home(draft, claim, number, line)
