"""Lots: what expires first goes first, and nothing is promised that has expired."""

from datetime import timedelta

import pytest
from tests.unit.stock_ledger.building import Ledger, order, time
from tests.unit.stock_ledger.saying import arrived, found, lot, shipped

from restock_common.contracts.ledger import CountLine, GoodsReceived, ReceiptLine
from restock_common.contracts.stock import StockReserved, StockShipped
from restock_common.errors import Permanent
from stock_ledger.domain.model import Balance, PieceState

DAY = 24 * 60


@pytest.fixture
def ledger() -> Ledger:
    """Return a ledger with 2 of L9, 2 of L3, and 2 of no lot at n1."""
    made = Ledger()
    lines = (lot("tea", 2, "L9", 9), lot("tea", 2, "L3", 3), ReceiptLine(sku="tea", quantity=2))
    made.tell(arrived("r", *lines))
    return made


def of(ledger: Ledger, name: str) -> Balance:
    keys = [key for key in ledger.books.lots["tea", "n1"] if key.lot == name]
    return ledger.books.balances[keys[0]]


def test_what_expires_first_is_reserved_first(ledger: Ledger) -> None:
    ledger.tell(order("o", ("tea", 5)))
    told = [(one.lot, one.quantity) for one in ledger.emitted(StockReserved)]
    assert told == [("L3", 2), ("L9", 2), (None, 1)]
    ledger.tell(shipped(ledger.parcel("o"), "o"))
    left = {one.lot: one.quantity for one in ledger.emitted(StockShipped)}
    assert left == {"L3": 2, "L9": 2, None: 1}
    assert (of(ledger, "L3").on_hand, of(ledger, "").on_hand) == (0, 1)


def test_a_lot_can_be_sold_on_its_last_day_and_not_after_it(ledger: Ledger) -> None:
    ledger.tell(order("o", ("tea", 1)), minute=3 * DAY)
    assert [one.lot for one in ledger.emitted(StockReserved)] == ["L3"]
    ledger.tell(order("p", ("tea", 1)), minute=4 * DAY)
    assert [one.lot for one in ledger.emitted(StockReserved)] == ["L9"]


def test_an_order_that_was_sent_before_the_last_day_has_no_lot_of_yesterday(
    ledger: Ledger,
) -> None:
    ledger.tell(time(4 * DAY))
    again = arrived("r2", lot("tea", 2, "L3", 3))
    ledger.tell(again, minute=3 * DAY)
    ledger.tell(order("o", ("tea", 1)), minute=3 * DAY)
    assert [one.lot for one in ledger.emitted(StockReserved)] == ["L9"]


def test_the_last_day_of_a_lot_may_be_told_later() -> None:
    ledger = Ledger()
    ledger.tell(found("c", CountLine(sku="tea", quantity=1, lot="L3")))
    ledger.tell(arrived("r1", lot("tea", 1, "L9", 9)))
    assert of(ledger, "L3").expires_on is None
    ledger.tell(arrived("r2", lot("tea", 1, "L3", 3)))
    assert of(ledger, "L3").expires_on == of(ledger, "L9").expires_on - timedelta(days=6)  # type: ignore[operator]
    ledger.tell(order("o", ("tea", 2)))
    assert [one.lot for one in ledger.emitted(StockReserved)] == ["L3"]


def test_a_lot_has_one_last_day(ledger: Ledger) -> None:
    with pytest.raises(Permanent, match=r"lines.1.expires_on: .* lot 'L3' had before"):
        ledger.tell(arrived("r2", lot("tea", 1, "L9", 9), lot("tea", 1, "L3", 4)))
    ledger.tell(arrived("r2", lot("tea", 1, "L3", None)))
    assert of(ledger, "L3").on_hand == 3


def test_a_count_of_one_lot_recalls_what_is_promised_of_that_lot_alone(ledger: Ledger) -> None:
    ledger.tell(order("first", ("tea", 2)))
    ledger.tell(order("second", ("tea", 2)))
    ledger.tell(found("c", CountLine(sku="tea", quantity=1, lot="L3")))
    assert ledger.pieces("first") == [("1", 2, PieceState.RECALLED, "n1")]
    assert ledger.pieces("second") == [("1", 2, PieceState.RESERVED, "n1")]


def test_one_message_may_bring_a_lot_and_tell_when_it_expires() -> None:
    ledger = Ledger()
    ledger.tell(order("o", ("tea", 3)))
    lines = (lot("tea", 2, "L3", None), lot("tea", 2, "L1", 1), lot("tea", 1, "L3", 3))
    event: GoodsReceived = arrived("r", *lines)
    ledger.tell(event)
    told = [(one.lot, one.quantity) for one in ledger.emitted(StockReserved)]
    assert told == [("L1", 2), ("L3", 1)]
