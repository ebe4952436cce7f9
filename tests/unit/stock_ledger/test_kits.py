"""Kits: what they are made of is reserved together, at one location, or waits together."""

import pytest
from tests.unit.stock_ledger.building import (
    HOME_ONLY,
    TWO_POOLS,
    Ledger,
    counted,
    order,
    received,
    time,
    withdrawn,
)
from tests.unit.stock_ledger.saying import amended, kit, line

from restock_common.contracts.demand import DemandObserved
from restock_common.contracts.ledger import LineOffered, OrderLine, OrderPlaced, Sourcing
from stock_ledger.domain.model import PieceState

RESERVED, BACKORDERED = PieceState.RESERVED, PieceState.BACKORDERED


def kits(
    *lines: OrderLine, pools: tuple[Sourcing, ...] = HOME_ONLY, complete: bool = False
) -> OrderPlaced:
    """Return order o of some lines."""
    changes = {"lines": lines, "ship_complete": complete}
    return order("o", ("tea", 1), pools=pools).model_copy(update=changes)


@pytest.fixture
def ledger() -> Ledger:
    """Return a ledger with 3 teas at n1, and 3 teas and 4 cups at n2."""
    made = Ledger()
    made.stock("n1", "tea", 3)
    made.stock("n2", "tea", 3)
    made.stock("n2", "cup", 4)
    return made


def fates(ledger: Ledger) -> list[tuple[str, int, PieceState, str]]:
    """Return (sku, units, state, location) of each piece, sorted."""
    pieces = ledger.claim("o").pieces
    return sorted((one.sku, one.quantity, one.state, one.location) for one in pieces)


def test_a_kit_is_taken_from_the_one_location_that_has_all_of_it(ledger: Ledger) -> None:
    ledger.tell(kits(kit("1", 2, tea=1, cup=2)))
    assert fates(ledger) == [("cup", 4, RESERVED, "n2"), ("tea", 2, RESERVED, "n2")]


def test_demand_is_of_what_a_kit_is_made_of(ledger: Ledger) -> None:
    ledger.tell(kits(kit("1", 2, tea=1, cup=2)))
    observed = [(one.sku, one.quantity) for one in ledger.emitted(DemandObserved)]
    assert observed == [("tea", 2), ("cup", 4)]


def test_a_kit_waits_whole_at_home_and_is_not_offered(ledger: Ledger) -> None:
    ledger.tell(kits(kit("1", 3, tea=1, cup=2), pools=TWO_POOLS))
    assert ledger.emitted(LineOffered) == []
    assert fates(ledger) == [("cup", 6, BACKORDERED, "n1"), ("tea", 3, BACKORDERED, "n1")]
    ledger.tell(received("r1", "n1", ("cup", 5)))
    assert {state for _, _, state, _ in fates(ledger)} == {BACKORDERED}
    ledger.tell(received("r2", "n1", ("cup", 1)))
    assert fates(ledger) == [("cup", 6, RESERVED, "n1"), ("tea", 3, RESERVED, "n1")]


def test_a_kit_of_which_a_part_is_missing_waits_as_a_whole_again(ledger: Ledger) -> None:
    ledger.tell(kits(kit("1", 2, tea=1, cup=2)))
    parcel = ledger.parcel("o")
    ledger.tell(counted("c", "n2", ("cup", 3)))
    assert fates(ledger) == [("cup", 4, PieceState.RECALLED, "n2"), ("tea", 2, RESERVED, "n2")]
    ledger.tell(withdrawn(parcel, "o", "n2"))
    ledger.tell(time())
    assert {state for _, _, state, _ in fates(ledger)} == {BACKORDERED}


def test_the_kits_of_a_whole_order_come_from_one_location_each(ledger: Ledger) -> None:
    ledger.tell(kits(kit("1", 2, tea=1, cup=2), line("2", "tea", 3), complete=True))
    assert fates(ledger) == [
        ("cup", 4, RESERVED, "n2"),
        ("tea", 2, RESERVED, "n2"),
        ("tea", 3, RESERVED, "n1"),
    ]


def test_a_whole_order_waits_for_a_kit_that_no_location_has_by_itself(ledger: Ledger) -> None:
    ledger.stock("n1", "cup", 4)
    ledger.tell(kits(kit("1", 4, tea=1, cup=2), complete=True))
    assert {state for _, _, state, _ in fates(ledger)} == {BACKORDERED}
    ledger.tell(received("r", "n1", ("tea", 1), ("cup", 4)))
    assert fates(ledger) == [("cup", 8, RESERVED, "n1"), ("tea", 4, RESERVED, "n1")]


def test_more_kits_join_those_that_wait(ledger: Ledger) -> None:
    ledger.tell(kits(kit("1", 3, tea=1, cup=2)))
    ledger.tell(amended("o", 1, kit("1", 4, tea=1, cup=2)))
    assert {state for _, _, state, _ in fates(ledger)} == {BACKORDERED}
    ledger.tell(received("r", "n2", ("tea", 1), ("cup", 4)))
    assert {(state, where) for _, _, state, where in fates(ledger)} == {(RESERVED, "n2")}


def test_fewer_kits_may_be_there_already(ledger: Ledger) -> None:
    ledger.tell(kits(kit("1", 3, tea=1, cup=2)))
    ledger.tell(amended("o", 1, kit("1", 2, tea=1, cup=2)))
    waits = [one for one in fates(ledger) if one[2] is not PieceState.CANCELLED]
    assert waits == [("cup", 4, RESERVED, "n2"), ("tea", 2, RESERVED, "n2")]
