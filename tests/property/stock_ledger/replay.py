"""The log read again: on fresh books, and in batches between which everything is stored."""

from collections.abc import Sequence
from typing import Any

from tests.property.stock_ledger.entries import claims_of
from tests.property.stock_ledger.simulation import World, state_of

from restock_common.contracts.envelope import Message
from restock_common.contracts.ledger import StockCounted
from restock_common.errors import Permanent
from restock_common.transact import Emission
from stock_ledger.domain.books import Books
from stock_ledger.domain.model import Entry
from stock_ledger.handlers import decide

Log = Sequence[tuple[Message[Any], list[Emission] | None]]


def check_replay(world: World) -> None:
    """Assert that each shard's log leads to the same events and books again (I24)."""
    for shard, log in world.logs.items():
        for size in (len(log), 1, 7):
            again = read_again(Books(shard, world.rules), log, max(1, size))
            first, second = told(world.books[shard]), told(again)
            for name, was in first.items():
                differ = (
                    {key for key in was if was[key] != second[name].get(key)}
                    if isinstance(was, dict)
                    else was
                )
                assert was == second[name], f"I24: {name} in batches of {size}: {differ}"


def told(books: Books) -> dict[str, Any]:
    """Return what the books hold, whatever order it was stored in."""
    state = state_of(books)
    return {
        "clock": state[:3],
        "balances": state[3],
        "claims": state[4],
        "allocations": state[5],
        "facts": state[6],
    }


def read_again(books: Books, log: Log, size: int) -> Books:
    """Decide a log in batches, storing and loading in between; compare what each message tells."""
    journal: list[Entry] = []
    for start in range(0, len(log), size):
        batch = log[start : start + size]
        books = stored(books, journal, [message for message, _ in batch])
        for message, emissions in batch:
            try:
                found: list[Emission] | None = list(decide(books, message).emissions)
            except Permanent:
                found = None
            assert found == emissions, f"I24: {message} tells otherwise when read again"
        journal += books.journal
    return books


def stored(books: Books, journal: Sequence[Entry], batch: Sequence[Message[Any]]) -> Books:
    """Return fresh books with all that a database would have of the others, in its own order."""
    fresh = Books(books.shard, books.rules, books.clock)
    fresh.skus_listed, fresh.locations_listed = books.skus_listed, books.locations_listed
    fresh.store(
        balances=[books.balances[key].copy() for key in sorted(books.balances)],
        claims=[claim.copy() for claim in sorted(claims_of(books), key=lambda one: one.key)],
        allocations=[books.allocations[key] for key in sorted(books.allocations)],
        facts=[one for facts in books.facts.values() for one in facts.values() if one is not None],
    )
    for message in batch:
        if isinstance(message.event, StockCounted):
            _add_later(fresh, journal, message.event)
    return fresh


def _add_later(books: Books, journal: Sequence[Entry], event: StockCounted) -> None:
    """Sum what the journal has after a count, as the database does."""
    for line in event.lines:
        place = (line.sku, event.location)
        later = books.later[place, event.counted_at] = {}
        for _, _, one in journal:
            if (one.sku, one.location) == place and one.effective_at > event.counted_at:
                key = (one.lot, one.source, one.target)
                later[key] = later.get(key, 0) + one.units
