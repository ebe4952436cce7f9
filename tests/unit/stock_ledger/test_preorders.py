"""Preorders: what is not there is promised from what purchase orders will bring."""

from typing import Any

import pytest
from tests.unit.stock_ledger.building import (
    TWO_POOLS,
    Ledger,
    cancelled,
    order,
    received,
    time,
    withdrawn,
)
from tests.unit.stock_ledger.saying import DAMAGED, arrived, expected, found, line

from restock_common.contracts.ledger import CountLine, LineOffered, OrderPlaced, ReceiptLine
from restock_common.contracts.stock import StockBackordered
from restock_common.errors import Permanent
from stock_ledger.domain.model import PieceState

RESERVED, BACKORDERED = PieceState.RESERVED, PieceState.BACKORDERED


def preorder(name: str, units: int, **how: Any) -> OrderPlaced:
    lines = (line("1", "tea", units, preorder=True, **how),)
    return order(name, ("tea", 1), pools=TWO_POOLS).model_copy(update={"lines": lines})


@pytest.fixture
def ledger() -> Ledger:
    """Return a ledger that expects 4 tomorrow and 9 the day after."""
    made = Ledger()
    made.tell(expected("later", "tea", 9, days=2))
    made.tell(expected("sooner", "tea", 4, days=1))
    return made


def promises(ledger: Ledger, name: str) -> list[tuple[str | None, int]]:
    """Return (receipt, units) of what waits, sorted."""
    waiting = [one for one in ledger.claim(name).pieces if one.state is BACKORDERED]
    return sorted((one.expected or "", one.quantity) for one in waiting)


def test_a_preorder_is_promised_from_what_comes_soonest(ledger: Ledger) -> None:
    ledger.tell(preorder("o", 5))
    assert ledger.emitted(LineOffered) == []
    told = [(one.expected, one.quantity) for one in ledger.emitted(StockBackordered)]
    assert told == [("sooner", 4), ("later", 1)]
    assert all(one.expected_at is not None for one in ledger.emitted(StockBackordered))


def test_what_no_receipt_will_bring_waits_for_any(ledger: Ledger) -> None:
    ledger.tell(preorder("o", 15))
    assert promises(ledger, "o") == [("", 2), ("later", 9), ("sooner", 4)]


def test_what_is_there_is_reserved_and_only_the_rest_is_promised(ledger: Ledger) -> None:
    ledger.stock("n1", "tea", 2)
    ledger.tell(preorder("o", 5))
    assert ledger.level("n1", "tea") == (2, 2, 3)
    assert promises(ledger, "o") == [("sooner", 3)]


def test_a_preorder_that_is_not_to_be_split_waits_whole(ledger: Ledger) -> None:
    ledger.stock("n1", "tea", 2)
    ledger.tell(preorder("o", 4, split=False))
    assert ledger.level("n1", "tea") == (2, 0, 4)
    ledger.tell(received("r", "n1", ("tea", 2)))
    assert ledger.level("n1", "tea") == (4, 4, 0)


def test_a_receipt_serves_first_who_was_promised_from_it(ledger: Ledger) -> None:
    ledger.tell(preorder("pre", 4))
    ledger.tell(order("o", ("tea", 9)))
    ledger.tell(arrived("r", ReceiptLine(sku="tea", quantity=4, order_line="sooner")))
    assert ledger.pieces("pre") == [("1", 4, RESERVED, "n1")]
    assert ledger.pieces("o") == [("1", 9, BACKORDERED, "n1")]


def test_another_receipt_serves_last_who_has_one_of_his_own(ledger: Ledger) -> None:
    ledger.tell(preorder("pre", 4))
    ledger.tell(order("o", ("tea", 3)))
    ledger.tell(received("r", "n1", ("tea", 4)))
    assert ledger.pieces("o") == [("1", 3, RESERVED, "n1")]
    assert ledger.pieces("pre") == [("1", 1, RESERVED, "n1"), ("1", 3, BACKORDERED, "n1")]


def test_when_less_is_expected_the_last_promised_wait_for_any(ledger: Ledger) -> None:
    ledger.tell(preorder("first", 3))
    ledger.tell(preorder("second", 1))
    ledger.tell(expected("sooner", "tea", 3))
    assert promises(ledger, "first") == [("sooner", 3)]
    assert promises(ledger, "second") == [("", 1)]
    ledger.tell(expected("sooner", "tea", 0))
    assert promises(ledger, "first") == [("", 3)]


def test_a_receipt_that_brings_damaged_units_lets_go_who_waited_for_them(ledger: Ledger) -> None:
    ledger.tell(preorder("o", 4))
    damaged = ReceiptLine(sku="tea", quantity=3, order_line="sooner", condition=DAMAGED)
    ledger.tell(arrived("r", damaged))
    assert promises(ledger, "o") == [("", 3), ("sooner", 1)]


def test_a_receipt_that_is_shared_is_promised_once(ledger: Ledger) -> None:
    ledger.tell(preorder("first", 3))
    ledger.tell(preorder("second", 3))
    assert promises(ledger, "second") == [("later", 2), ("sooner", 1)]
    ledger.tell(cancelled("first"))
    ledger.tell(preorder("third", 3))
    assert promises(ledger, "third") == [("sooner", 3)]


def test_what_is_expected_keeps_its_sku_and_location(ledger: Ledger) -> None:
    assert ledger.tell(expected("sooner", "tea", 4, days=1)).duplicate
    with pytest.raises(Permanent, match="expected: 'sooner' is 'tea' at 'n1'"):
        ledger.tell(expected("sooner", "cup", 4))


def test_a_preorder_that_was_served_waits_for_its_receipt_no_more(ledger: Ledger) -> None:
    ledger.tell(preorder("o", 4))
    ledger.tell(arrived("r", ReceiptLine(sku="tea", quantity=4, order_line="sooner")))
    parcel = ledger.parcel("o")
    ledger.tell(found("c", CountLine(sku="tea", quantity=0)))
    ledger.tell(withdrawn(parcel, "o", "n1"))
    ledger.tell(time())
    assert promises(ledger, "o") == [("", 4)]
