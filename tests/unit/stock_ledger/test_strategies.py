"""From where lines are served: strategies, and what must not be split."""

import pytest
from tests.unit.stock_ledger.building import (
    HOME_ONLY,
    TWO_POOLS,
    Ledger,
    order,
    received,
    sourcing,
    time,
)
from tests.unit.stock_ledger.saying import line

from restock_common.contracts.ledger import LineOffered, LineRefused, OrderLine, OrderPlaced
from restock_common.contracts.ledger import Sourcing as Ranking
from stock_ledger.domain.books import Books
from stock_ledger.domain.model import PieceState
from stock_ledger.domain.rules import Rules
from stock_ledger.domain.sourcing import STRATEGIES, Want, choose

RESERVED, BACKORDERED = PieceState.RESERVED, PieceState.BACKORDERED
PLACES = ["near", "middle", "far"]
STOCK = {
    ("tea", "near"): 1,
    ("tea", "middle"): 2,
    ("tea", "far"): 9,
    ("cup", "middle"): 3,
}


def available(sku: str, location: str) -> int:
    return STOCK.get((sku, location), 0)


def placed(
    *lines: OrderLine, pools: tuple[Ranking, ...] = HOME_ONLY, complete: bool = False
) -> OrderPlaced:
    """Return order o of some lines."""
    changes = {"lines": lines, "ship_complete": complete}
    return order("o", ("tea", 1), pools=pools).model_copy(update=changes)


@pytest.mark.parametrize(
    ("strategy", "ranked"),
    [
        ("nearest", ["near", "middle", "far"]),
        ("most_available", ["far", "middle", "near"]),
        ("fewest_parcels", ["middle", "near", "far"]),
        ("priority", ["far", "near", "middle"]),
    ],
)
def test_a_strategy_ranks_the_locations(strategy: str, ranked: list[str]) -> None:
    wants = [Want("tea", 2), Want("cup", 3)]
    rules = Rules(location_priority=("far", "elsewhere"))
    assert list(STRATEGIES[strategy](PLACES, wants, available, rules)) == ranked


def test_fewest_parcels_looks_for_the_smallest_set_that_has_everything() -> None:
    wants = [Want("tea", 10), Want("cup", 3)]
    ranked = STRATEGIES["fewest_parcels"](PLACES, wants, available, Rules())
    assert list(ranked) == ["middle", "far", "near"]


def test_what_cannot_be_split_comes_from_one_location_or_not_at_all() -> None:
    assert choose(3, PLACES, lambda one: available("tea", one), split=False) == [("far", 3)]
    assert choose(10, PLACES, lambda one: available("tea", one), split=False) == []
    assert choose(10, PLACES, lambda one: available("tea", one)) == [
        ("near", 1),
        ("middle", 2),
        ("far", 7),
    ]


def test_the_chosen_strategy_ranks_an_orders_locations() -> None:
    ledger = Ledger()
    ledger.books = Books(0, Rules(strategy="most_available"))
    ledger.stock("n1", "tea", 4)
    ledger.stock("n2", "tea", 5)
    ledger.tell(order("o", ("tea", 1)))
    assert ledger.pieces("o") == [("1", 1, RESERVED, "n2")]


def test_a_line_that_is_not_to_be_split_waits_for_a_location_that_has_all() -> None:
    ledger = Ledger()
    ledger.stock("n1", "tea", 2)
    ledger.stock("n2", "tea", 2)
    ledger.tell(placed(line("1", "tea", 3, split=False)))
    assert ledger.pieces("o") == [("1", 3, BACKORDERED, "n1")]
    ledger.tell(received("r", "n2", ("tea", 1)))
    assert ledger.pieces("o") == [("1", 3, RESERVED, "n2")]


@pytest.mark.parametrize("there", [2, 3])
def test_a_line_that_all_have_refused_is_not_split_at_home_either(there: int) -> None:
    ledger = Ledger()
    ledger.tell(placed(line("1", "tea", 3, split=False), pools=TWO_POOLS))
    (offer,) = ledger.emitted(LineOffered)
    ledger.stock("n1", "tea", 2)
    ledger.stock("n2", "tea", there)
    ledger.tell(LineRefused(offer=offer.offer, order="o", line="1", pool="south"))
    ledger.tell(time())
    whole = there == 3
    assert ledger.pieces("o") == [
        ("1", 3, RESERVED, "n2") if whole else ("1", 3, BACKORDERED, "n1")
    ]


def test_an_order_that_is_to_be_whole_waits_whole() -> None:
    ledger = Ledger()
    ledger.stock("n1", "tea", 5)
    ledger.tell(placed(line("1", "tea", 2), line("2", "cup", 1), pools=TWO_POOLS, complete=True))
    assert ledger.emitted(LineOffered) == []
    assert {state for _, _, state, _ in ledger.pieces("o")} == {BACKORDERED}
    ledger.tell(received("r", "n2", ("cup", 1)))
    assert ledger.pieces("o") == [("1", 2, RESERVED, "n1"), ("2", 1, RESERVED, "n2")]


def test_the_lines_of_a_whole_order_do_not_share_units() -> None:
    ledger = Ledger()
    ledger.stock("n1", "tea", 5)
    ledger.tell(placed(line("1", "tea", 3), line("2", "tea", 3), complete=True))
    assert ledger.level("n1", "tea") == (5, 0, 6)
    ledger.tell(received("r", "n1", ("tea", 1)))
    assert ledger.level("n1", "tea") == (6, 6, 0)


def test_a_line_of_a_whole_order_is_not_split_where_it_is_not_to_be() -> None:
    ledger = Ledger()
    pools = (sourcing("north", ["n1", "n2"]),)
    ledger.stock("n1", "tea", 2)
    ledger.stock("n2", "tea", 2)
    whole = placed(
        line("1", "tea", 3, split=False), line("2", "tea", 1), pools=pools, complete=True
    )
    ledger.tell(whole)
    assert ledger.level("n1", "tea") == (2, 0, 4)
    ledger.tell(received("r", "n1", ("tea", 1)))
    assert ledger.pieces("o") == [("1", 3, RESERVED, "n1"), ("2", 1, RESERVED, "n2")]
