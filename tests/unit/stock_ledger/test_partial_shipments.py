"""ShipmentDispatched with lines: part of a parcel leaves, the rest becomes another."""

import pytest
from tests.unit.stock_ledger.building import Ledger, order, time
from tests.unit.stock_ledger.saying import amended, arrived, found, line, lot, shipped

from restock_common.contracts.fulfilment import OrderAllocated
from restock_common.contracts.ledger import CountLine
from restock_common.contracts.stock import StockShipped
from restock_common.errors import Permanent
from stock_ledger.domain.model import Account, PieceState

SHIPPED, RESERVED, RECALLED = PieceState.SHIPPED, PieceState.RESERVED, PieceState.RECALLED


@pytest.fixture
def ledger() -> Ledger:
    """Return a ledger with order o: 4 teas and 2 cups in one parcel at n1."""
    made = Ledger()
    made.stock("n1", "tea", 9)
    made.stock("n1", "cup", 9)
    made.tell(order("o", ("tea", 4), ("cup", 2)))
    return made


def test_what_stays_behind_becomes_a_parcel_of_its_own(ledger: Ledger) -> None:
    first = ledger.parcel("o")
    ledger.tell(shipped(first, "o", ("1", "tea", 3)))
    (told,) = ledger.emitted(StockShipped)
    assert (told.quantity, told.allocation) == (3, first)
    (parcel,) = ledger.emitted(OrderAllocated)
    assert parcel.allocation != first
    assert [(one.sku, one.quantity) for one in parcel.lines] == [("tea", 1), ("cup", 2)]
    ledger.tell(shipped(parcel.allocation, "o"))
    assert {state for _, _, state, _ in ledger.pieces("o")} == {SHIPPED}
    assert (ledger.level("n1", "tea"), ledger.level("n1", "cup")) == ((5, 0, 0), (7, 0, 0))


def test_more_than_is_in_the_parcel_does_not_leave(ledger: Ledger) -> None:
    parcel = ledger.parcel("o")
    with pytest.raises(Permanent, match=r"lines.0.quantity: 5 units of 'tea', 4 in the parcel"):
        ledger.tell(shipped(parcel, "o", ("1", "tea", 5)))
    with pytest.raises(Permanent, match=r"lines.0.quantity: 1 units of 'tea', 0 in the parcel"):
        ledger.tell(shipped(parcel, "o", ("2", "tea", 1)))
    assert ledger.level("n1", "tea") == (9, 4, 0)


def test_what_is_still_wanted_leaves_before_what_was_called_off(ledger: Ledger) -> None:
    parcel = ledger.parcel("o")
    ledger.tell(amended("o", 1, line("1", "tea", 1), line("2", "cup", 2)))
    ledger.tell(amended("o", 2, line("1", "tea", 4), line("2", "cup", 2)))
    ledger.tell(shipped(parcel, "o", ("1", "tea", 1), ("2", "cup", 2)))
    gone = [one for one in ledger.claim("o").pieces if one.state is SHIPPED]
    assert not any(one.cut for one in gone)
    assert not ledger.claim("o").return_expected


def test_what_stays_behind_of_what_was_called_off_is_free_when_time_advances(
    ledger: Ledger,
) -> None:
    parcel = ledger.parcel("o")
    ledger.tell(amended("o", 1, line("1", "tea", 1), line("2", "cup", 2)))
    ledger.tell(shipped(parcel, "o", ("1", "tea", 1), ("2", "cup", 2)))
    assert ledger.emitted(OrderAllocated) == []
    assert ledger.level("n1", "tea") == (8, 3, 0)
    ledger.tell(time())
    assert ledger.level("n1", "tea") == (8, 0, 0)


def test_what_a_count_had_missed_is_the_last_to_have_left() -> None:
    ledger = Ledger()
    ledger.tell(arrived("r", lot("tea", 2, "L1", 1), lot("tea", 3, "L2", 2)))
    ledger.tell(order("o", ("tea", 5)))
    parcel = ledger.parcel("o")
    ledger.tell(found("c", CountLine(sku="tea", quantity=0, lot="L2")))
    assert ledger.pieces("o") == [("1", 2, RESERVED, "n1"), ("1", 3, RECALLED, "n1")]
    decision = ledger.tell(shipped(parcel, "o", ("1", "tea", 2)))
    assert not any(one.source is Account.ADJUSTMENT for one in decision.movements)
    assert ledger.pieces("o") == [("1", 2, SHIPPED, "n1"), ("1", 3, RECALLED, "n1")]
    assert ledger.level("n1", "tea") == (0, 0, 3)
