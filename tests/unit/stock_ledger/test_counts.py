"""StockCounted: physical truth, and what the books make of it."""

import pytest
from tests.unit.stock_ledger.building import Ledger, dispatched, order, received
from tests.unit.stock_ledger.saying import DAMAGED, adjusted, arrived, at, found, lot

from restock_common.contracts.ledger import Condition, CountLine
from restock_common.contracts.stock import AlertKind, StockAlertCleared, StockAlertRaised
from restock_common.errors import Permanent
from stock_ledger.domain.model import Account, PieceState, Shelf


@pytest.fixture
def ledger() -> Ledger:
    """Return a ledger with 6 at n1."""
    made = Ledger()
    made.stock("n1", "tea", 6)
    return made


def teas(quantity: int, **how: object) -> CountLine:
    return CountLine(sku="tea", quantity=quantity, **how)


def shelf(ledger: Ledger) -> Shelf:
    known = ledger.books.fact(Shelf, ("tea", "n1"))
    assert known is not None
    return known


def test_a_count_posts_the_difference_at_the_time_it_was_made(ledger: Ledger) -> None:
    decision = ledger.tell(found("c", teas(4), minute=10), minute=40)
    (gone,) = [one for one in decision.movements if one.target is Account.ADJUSTMENT]
    assert (gone.source, gone.units, gone.effective_at) == (Account.FREE, 2, at(10))
    (entry,) = [one for one in ledger.books.journal if one.movement is gone]
    assert entry.recorded_at == at(40)


def test_what_has_moved_since_it_was_made_stays_as_it_is(ledger: Ledger) -> None:
    ledger.tell(order("o", ("tea", 2)))
    sent = dispatched(ledger.parcel("o"), "o", "n1")
    ledger.tell(sent.model_copy(update={"dispatched_at": at(20)}), minute=20)
    came = received("r", "n1", ("tea", 5)).model_copy(update={"received_at": at(30)})
    ledger.tell(came, minute=30)
    ledger.tell(found("late", teas(7), minute=10), minute=40)
    assert ledger.level("n1", "tea") == (7 - 2 + 5, 0, 0)


def test_a_count_takes_no_more_than_is_left(ledger: Ledger) -> None:
    ledger.tell(order("o", ("tea", 6)))
    sent = dispatched(ledger.parcel("o"), "o", "n1")
    ledger.tell(sent.model_copy(update={"dispatched_at": at(20)}), minute=20)
    ledger.tell(found("late", teas(0), minute=10), minute=30)
    assert ledger.level("n1", "tea") == (0, 0, 0)


def test_conditions_are_counted_apart(ledger: Ledger) -> None:
    ledger.tell(adjusted("a", "tea", 2, Condition.SELLABLE, DAMAGED))
    ledger.tell(found("c", teas(5), teas(1, condition=DAMAGED)))
    (balance,) = ledger.books.balances.values()
    assert (balance.free, balance.damaged) == (5, 1)


def test_without_a_lot_all_lots_are_counted_together(ledger: Ledger) -> None:
    ledger.tell(arrived("r", lot("tea", 4, "L1", 1)))
    ledger.tell(found("c", teas(7)))
    left = {one.lot: one.free for one in ledger.books.balances.values()}
    assert left == {"L1": 1, "": 6}


def test_a_count_in_the_future_is_refused(ledger: Ledger) -> None:
    ledger.tell(found("soon", teas(5), minute=5))
    with pytest.raises(Permanent, match=r"counted_at: .* is in the future"):
        ledger.tell(found("later", teas(4), minute=6))
    assert ledger.level("n1", "tea") == (5, 0, 0)


def test_losses_one_after_the_other_are_suspected_to_be_shrinkage(ledger: Ledger) -> None:
    for number, left in enumerate((5, 4, 3)):
        ledger.tell(found(f"c{number}", teas(left)))
    raised = [one.kind for one in ledger.emitted(StockAlertRaised)]
    assert raised == [AlertKind.SUSPECTED_SHRINKAGE]
    ledger.tell(found("right", teas(3)))
    assert [one.kind for one in ledger.emitted(StockAlertCleared)] == raised
    assert (shelf(ledger).counts, shelf(ledger).counts_wrong) == (5, 3)


def test_a_count_of_several_lots_or_conditions_is_one_count_of_its_sku(ledger: Ledger) -> None:
    for number, left in enumerate((5, 4, 3)):
        ledger.tell(found(f"c{number}", teas(left), teas(0, condition=DAMAGED)))
    assert [one.kind for one in ledger.emitted(StockAlertRaised)] == [AlertKind.SUSPECTED_SHRINKAGE]
    assert (shelf(ledger).counts, shelf(ledger).counts_wrong) == (4, 3)


def test_what_is_found_in_another_condition_is_no_loss(ledger: Ledger) -> None:
    ledger.tell(found("c", teas(4), teas(2, condition=DAMAGED)))
    assert (shelf(ledger).losses, shelf(ledger).counts_wrong) == (0, 1)


def test_the_first_count_of_a_place_cannot_be_wrong() -> None:
    ledger = Ledger()
    ledger.tell(found("c", teas(4), teas(2, condition=DAMAGED)))
    assert shelf(ledger).counts_wrong == 0


def test_who_waits_is_served_from_what_is_found(ledger: Ledger) -> None:
    ledger.tell(order("o", ("tea", 8)))
    ledger.tell(found("c", teas(7)))
    assert ledger.pieces("o") == [
        ("1", 1, PieceState.BACKORDERED, "n1"),
        ("1", 1, PieceState.RESERVED, "n1"),
        ("1", 6, PieceState.RESERVED, "n1"),
    ]


def test_more_over_all_lots_than_an_event_can_tell_is_refused() -> None:
    ledger = Ledger()
    for name in ("L1", "L2"):
        event = found(name, teas(600_000_000, lot=name))
        if name == "L1":
            ledger.tell(event)
        else:
            with pytest.raises(Permanent, match="quantity: 'tea' at 'n1' would hold more than"):
                ledger.tell(event)
    with pytest.raises(Permanent, match="quantity: 'tea' at 'n1' would hold more than"):
        ledger.tell(found("L3", teas(400_000_001, condition=DAMAGED)))
    assert ledger.level("n1", "tea") == (600_000_000, 0, 0)


def test_promises_are_kept_and_taken_back_when_it_is_heard_of_not_before() -> None:
    ledger = Ledger()
    ledger.tell(order("o", ("tea", 6)), minute=20)
    came = received("r", "n1", ("tea", 6)).model_copy(update={"received_at": at(10)})
    heard = ledger.tell(came, minute=30)
    assert {one.effective_at for one in heard.movements if one.order} == {at(30)}
    assert {one.effective_at for one in heard.movements if not one.order} == {at(10)}
    short = ledger.tell(found("c", teas(4), minute=15), minute=40)
    assert {one.effective_at for one in short.movements if one.order} == {at(40)}
    assert {one.effective_at for one in short.movements if not one.order} == {at(15)}
