"""StockCounted: physical truth wins; promises that cannot be kept are recalled."""

from dataclasses import replace

from restock_common.contracts.envelope import Message
from restock_common.contracts.ledger import Condition, CountLine, StockCounted
from restock_common.contracts.stock import AlertKind
from restock_common.errors import Permanent
from stock_ledger.domain.backorders import serve
from stock_ledger.domain.books import Books, Decision, Place
from stock_ledger.domain.draft import Draft
from stock_ledger.domain.model import SELLABLE, Account, Alert, Booking, Shelf
from stock_ledger.domain.recall import recall
from stock_ledger.domain.returns import ACCOUNTS
from stock_ledger.domain.rules import check_not_ahead


def count(books: Books, message: Message[StockCounted]) -> Decision:
    """Book a count once: what was found differs from what the books had then; that is posted.

    What has moved since the count was made stays as it is, however late the count is told.

    Raises:
        Permanent: The location belongs to another pool, a sku stands twice, or it was counted in
            the future.
    """
    event = message.event
    check_not_ahead("counted_at", event.counted_at, message.time)
    booking = Booking("count", event.count)
    if books.fact(Booking, booking.key) is not None:
        return Decision(duplicate=True)
    seen: set[tuple[str, str | None, Condition]] = set()
    for number, line in enumerate(event.lines):
        if (line.sku, line.lot, line.condition) in seen:
            raise Permanent(f"{line.sku!r} is counted twice", field=f"lines.{number}.sku")
        seen.add((line.sku, line.lot, line.condition))
    draft = Draft(books, message.id, message.time, event.counted_at)
    known = {line.sku: bool(draft.lots(line.sku, event.location)) for line in event.lines}
    differences: dict[str, list[int]] = {sku: [] for sku in known}
    for line in event.lines:
        draft.check_pool(line.sku, event.location, event.pool)
        difference = _difference(draft, books, event, line)
        if difference > 0:
            found = (Account.ADJUSTMENT, ACCOUNTS[line.condition])
            place = (line.sku, event.location)
            draft.shift(place, event.pool, found, difference, line.lot or "")
        elif difference < 0:
            _write_off(draft, event, line, -difference)
        differences[line.sku].append(difference if known[line.sku] else 0)
    for sku in known:
        _note(draft, event, sku, differences[sku])
        serve(draft, event.pool, sku)
    draft.put(booking)
    return draft.finish()


def _difference(draft: Draft, books: Books, event: StockCounted, line: CountLine) -> int:
    """Return found minus what the books had at the time of the count; never more than is left."""
    condition = ACCOUNTS[line.condition]
    accounts = SELLABLE if condition is Account.FREE else (condition,)
    now: int = sum(
        getattr(one, account.value)
        for one in draft.lots(line.sku, event.location)
        if line.lot is None or one.lot == line.lot
        for account in accounts
    )
    place = (line.sku, event.location)
    since = books.moved_since(place, event.counted_at, line.lot, accounts)
    return max(line.quantity - (now - since), -now)


def _write_off(draft: Draft, event: StockCounted, line: CountLine, missing: int) -> None:
    """Post what is missing, lot by lot; what is kept for somebody is recalled where it must be."""
    place: Place = (line.sku, event.location)
    account = ACCOUNTS[line.condition]
    accounts = SELLABLE if account is Account.FREE else (account,)
    gone: dict[str, int] = {}
    for one in draft.lots(*place):
        if line.lot is not None and one.lot != line.lot:
            continue
        there = sum(getattr(one, each.value) for each in accounts)
        gone[one.lot] = min(missing, there)
        missing -= gone[one.lot]
    write_off(draft, place, event.pool, (account, Account.ADJUSTMENT), gone)


def write_off(
    draft: Draft,
    place: Place,
    pool: str,
    accounts: tuple[Account, Account],
    gone: dict[str, int],
) -> None:
    """Move units of each lot from one account to another, recalling what is promised of them."""
    source, target = accounts
    if source is Account.FREE:
        free = {one.lot: one.free for one in draft.lots(*place)}
        recall(draft, place, {lot: units - free[lot] for lot, units in gone.items()})
    for lot, units in gone.items():
        if units > 0:
            draft.shift(place, pool, (source, target), units, lot)


def _note(draft: Draft, event: StockCounted, sku: str, differences: list[int]) -> None:
    """Remember how the count of a sku went, over its lots and conditions.

    Losses one after the other are suspected to be shrinkage.
    """
    place: Place = (sku, event.location)
    shelf = draft.fact(Shelf, place) or Shelf(*place, event.pool)
    losses = shelf.losses + 1 if sum(differences) < 0 else 0
    draft.put(
        replace(
            shelf,
            counted_at=max(event.counted_at, shelf.counted_at or event.counted_at),
            counts=shelf.counts + 1,
            counts_wrong=shelf.counts_wrong + any(differences),
            losses=losses,
        )
    )
    reason = f"{losses} counts one after the other found less than the books"
    alert = Alert(*place, "", AlertKind.SUSPECTED_SHRINKAGE, event.pool, reason, event.counted_at)
    if losses >= draft.rules.shrinkage_losses:
        draft.raise_alert(alert)
    elif losses == 0:
        draft.clear_alert(replace(alert, reason="the last count found no less than the books"))
