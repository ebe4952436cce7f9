"""OrderReturned: what was shipped comes back, and something else may be sent instead."""

import pytest
from tests.unit.stock_ledger.building import (
    TWO_POOLS,
    Ledger,
    cancelled,
    counted,
    order,
    time,
)
from tests.unit.stock_ledger.saying import (
    DAMAGED,
    QUALITY_HOLD,
    amended,
    arrived,
    at,
    back,
    line,
    lot,
    returned,
    shipped,
)

from restock_common.contracts.demand import DemandObserved
from restock_common.contracts.ledger import LineOffered, ReceiptLine
from restock_common.contracts.stock import StockReserved, StockReturned
from restock_common.errors import Permanent
from stock_ledger.domain.model import ClaimState, PieceState

RESERVED, RETURNED, SHIPPED = PieceState.RESERVED, PieceState.RETURNED, PieceState.SHIPPED


@pytest.fixture
def ledger() -> Ledger:
    """Return a ledger with 6 at n1, and 4 more shipped to order o."""
    made = Ledger()
    made.stock("n1", "tea", 10)
    made.tell(order("o", ("tea", 4)))
    made.tell(shipped(made.parcel("o"), "o"))
    return made


def test_part_of_a_line_comes_back_to_the_shelf(ledger: Ledger) -> None:
    ledger.tell(returned("b", "o", back("1", "tea", 3)))
    assert ledger.level("n1", "tea") == (9, 0, 0)
    assert ledger.pieces("o") == [("1", 1, SHIPPED, "n1"), ("1", 3, RETURNED, "n1")]
    (told,) = ledger.emitted(StockReturned)
    assert (told.quantity, told.condition.value, told.returned) == (3, "sellable", "b")


def test_a_return_counts_once(ledger: Ledger) -> None:
    ledger.tell(returned("b", "o", back("1", "tea", 3)))
    assert ledger.tell(returned("b", "o", back("1", "tea", 1))).duplicate
    assert ledger.level("n1", "tea") == (9, 0, 0)


def test_what_comes_back_damaged_is_not_sold_again(ledger: Ledger) -> None:
    ledger.tell(order("waits", ("tea", 8)))
    lines = (back("1", "tea", 1, condition=DAMAGED), back("1", "tea", 2, condition=QUALITY_HOLD))
    ledger.tell(returned("b", "o", *lines))
    (balance,) = ledger.books.balances.values()
    assert (balance.free, balance.damaged, balance.quality_hold) == (0, 1, 2)
    ledger.tell(returned("b2", "o", back("1", "tea", 1)))
    (served,) = ledger.emitted(StockReserved)
    assert (served.order, served.quantity) == ("waits", 1)


def test_it_comes_back_to_any_location_and_any_lot_of_the_pool(ledger: Ledger) -> None:
    ledger.tell(returned("b", "o", back("1", "tea", 2, lot="L1"), location="n2"))
    assert ledger.level("n2", "tea") == (2, 0, 0)
    assert {key.lot for key in ledger.books.lots["tea", "n2"]} == {"L1"}


def test_more_than_was_shipped_does_not_come_back(ledger: Ledger) -> None:
    for lines in ([("1", "tea", 5)], [("1", "tea", 3), ("1", "tea", 2)], [("2", "tea", 1)]):
        with pytest.raises(Permanent, match=r"lines.\d.quantity: .* were shipped"):
            ledger.tell(returned("b", "o", *(back(*one) for one in lines)))
    with pytest.raises(Permanent, match="order: 'x' has nothing on this shard"):
        ledger.tell(returned("b", "x", back("1", "tea", 1)))
    late = returned("b", "o", back("1", "tea", 1)).model_copy(update={"returned_at": at(60)})
    with pytest.raises(Permanent, match=r"returned_at: .* is in the future"):
        ledger.tell(late)
    assert ledger.level("n1", "tea") == (6, 0, 0)


def test_a_return_that_was_expected_is_not_any_more_once_all_is_back(ledger: Ledger) -> None:
    ledger.tell(cancelled("o"))
    assert ledger.claim("o").return_expected
    ledger.tell(returned("b1", "o", back("1", "tea", 3)))
    assert ledger.claim("o").return_expected
    ledger.tell(returned("b2", "o", back("1", "tea", 1)))
    assert not ledger.claim("o").return_expected


def test_what_is_sent_instead_is_a_new_line_of_the_order(ledger: Ledger) -> None:
    ledger.stock("n1", "cup", 1)
    ledger.tell(returned("b", "o", back("1", "tea", 4), replacements=[line("2", "cup", 1)]))
    assert ledger.pieces("o") == [("1", 4, RETURNED, "n1"), ("2", 1, RESERVED, "n1")]
    assert [one.sku for one in ledger.emitted(DemandObserved)] == ["cup"]


def test_what_is_sent_instead_is_not_a_line_that_is_there(ledger: Ledger) -> None:
    with pytest.raises(Permanent, match=r"replacements.0.line: line '1' is there"):
        ledger.tell(returned("b", "o", back("1", "tea", 4), replacements=[line("1", "cup", 1)]))
    ledger.tell(amended("o", 1))
    with pytest.raises(Permanent, match=r"replacements.0.line: line '1' is there"):
        ledger.tell(returned("b", "o", back("1", "tea", 4), replacements=[line("1", "cup", 1)]))
    assert ledger.level("n1", "tea") == (6, 0, 0)


def test_of_a_cancelled_order_only_what_is_sent_instead_is_wanted(ledger: Ledger) -> None:
    ledger.tell(cancelled("o"))
    ledger.tell(returned("b", "o", back("1", "tea", 4), replacements=[line("2", "tea", 1)]))
    assert ledger.claim("o").state is ClaimState.OPEN
    assert [one.line for one in ledger.claim("o").lines] == ["2"]
    assert ledger.level("n1", "tea") == (10, 1, 0)
    ledger.tell(amended("o", 1, line("2", "tea", 2)))
    assert ledger.level("n1", "tea") == (10, 2, 0)


def test_only_home_exchanges() -> None:
    home, south = Ledger(), Ledger(1)
    south.stock("s1", "tea", 4, pool="south")
    home.tell(order("o", ("tea", 4), pools=TWO_POOLS))
    (offer,) = home.emitted(LineOffered)
    south.tell(offer)
    south.tell(time())
    gone = shipped(south.parcel("o", offer.offer), "o").model_copy(update={"location": "s1"})
    south.tell(gone)
    told = returned("b", "o", back("1", "tea", 1), location="s1")
    came = told.model_copy(update={"pool": "south"})
    with pytest.raises(Permanent, match="replacements: 'o' is at home on another shard"):
        south.tell(came.model_copy(update={"replacements": (line("2", "tea", 1),)}))
    south.tell(came)
    assert south.level("s1", "tea") == (1, 0, 0)


def test_serials_come_back_as_they_left(ledger: Ledger) -> None:
    told_apart = ReceiptLine(sku="pot", quantity=2, serials=("p1", "p2"))
    ledger.tell(arrived("r", told_apart))
    with pytest.raises(Permanent, match="serials: serial 'p1' of 'pot' is at 'n1' already"):
        ledger.tell(arrived("r2", told_apart))
    ledger.tell(order("p", ("pot", 1)))
    parcel = ledger.parcel("p")
    with pytest.raises(Permanent, match="serials: serial 'p9' of 'pot' is not at 'n1'"):
        ledger.tell(shipped(parcel, "p", ("1", "pot", 1), serials=("p9",)))
    ledger.tell(shipped(parcel, "p", ("1", "pot", 1), serials=("p1",)))
    with pytest.raises(Permanent, match="serials: serial 'p2' of 'pot' never left"):
        ledger.tell(returned("b", "p", back("1", "pot", 1, serials=("p2",))))
    ledger.tell(returned("b", "p", back("1", "pot", 1, serials=("p1",))))
    with pytest.raises(Permanent, match="serials: serial 'p1' of 'pot' is at 'n1' already"):
        ledger.tell(arrived("r3", ReceiptLine(sku="pot", quantity=1, serials=("p1",))))


def test_a_serial_comes_back_from_the_order_that_it_left_with(ledger: Ledger) -> None:
    ledger.tell(arrived("r", ReceiptLine(sku="pot", quantity=2, serials=("p1", "p2"))))
    for name, serial in (("p", "p1"), ("q", "p2")):
        ledger.tell(order(name, ("pot", 1)))
        ledger.tell(shipped(ledger.parcel(name), name, ("1", "pot", 1), serials=(serial,)))
    with pytest.raises(Permanent, match="serials: serial 'p2' of 'pot' left with another order"):
        ledger.tell(returned("b", "p", back("1", "pot", 1, serials=("p2",))))
    ledger.tell(returned("b", "p", back("1", "pot", 1, serials=("p1",))))


def test_what_a_count_had_missed_can_come_back(ledger: Ledger) -> None:
    ledger.tell(arrived("r", lot("cup", 2, "L1", 9)))
    ledger.tell(order("p", ("cup", 2)))
    parcel = ledger.parcel("p")
    ledger.tell(counted("c", "n1", ("cup", 0)))
    ledger.tell(shipped(parcel, "p"))
    ledger.tell(returned("b", "p", back("1", "cup", 2, lot="L1")))
    assert ledger.level("n1", "cup") == (2, 0, 0)


def test_a_cancellation_that_is_told_again_is_not_about_what_is_sent_instead(
    ledger: Ledger,
) -> None:
    ledger.stock("n1", "cup", 1)
    ledger.tell(cancelled("o"))
    ledger.tell(returned("b", "o", back("1", "tea", 4), replacements=[line("2", "cup", 1)]))
    assert ledger.tell(cancelled("o")).duplicate
    assert ledger.pieces("o")[-1] == ("2", 1, RESERVED, "n1")
    later = cancelled("o").model_copy(update={"cancelled_at": at(1)})
    ledger.tell(later)
    assert ledger.claim("o").state is ClaimState.CANCELLED
    assert ledger.tell(later).duplicate
