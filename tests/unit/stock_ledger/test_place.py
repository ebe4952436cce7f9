"""OrderPlaced: where the units come from."""

import pytest
from tests.unit.stock_ledger.building import (
    HOME_ONLY,
    TWO_POOLS,
    Ledger,
    cancelled,
    order,
    sourcing,
)

from restock_common.contracts.demand import DemandObserved
from restock_common.contracts.fulfilment import OrderAllocated
from restock_common.contracts.ledger import LineOffered
from restock_common.contracts.stock import StockBackordered, StockLevelChanged, StockReserved
from restock_common.errors import Permanent
from stock_ledger.domain.model import ClaimState, PieceState

RESERVED, BACKORDERED = PieceState.RESERVED, PieceState.BACKORDERED


def test_the_nearest_location_that_has_all_serves_the_line() -> None:
    ledger = Ledger()
    ledger.stock("n1", "tea", 2)
    ledger.stock("n2", "tea", 5)
    ledger.tell(order("o", ("tea", 3)))
    assert ledger.pieces("o") == [("1", 3, RESERVED, "n2")]
    assert ledger.level("n2", "tea") == (5, 3, 0)


def test_a_location_that_serves_another_line_is_preferred() -> None:
    ledger = Ledger()
    ledger.stock("n2", "cup", 1)
    ledger.stock("n1", "tea", 5)
    ledger.stock("n2", "tea", 5)
    ledger.tell(order("o", ("cup", 1), ("tea", 1)))
    assert {piece.location for piece in ledger.claim("o").pieces} == {"n2"}
    (parcel,) = ledger.emitted(OrderAllocated)
    assert [(line.sku, line.quantity) for line in parcel.lines] == [("cup", 1), ("tea", 1)]


def test_a_line_is_split_near_to_far_when_no_location_has_all() -> None:
    ledger = Ledger()
    ledger.stock("n1", "tea", 2)
    ledger.stock("n2", "tea", 5)
    ledger.tell(order("o", ("tea", 6)))
    assert ledger.pieces("o") == [("1", 2, RESERVED, "n1"), ("1", 4, RESERVED, "n2")]
    assert [parcel.location for parcel in ledger.emitted(OrderAllocated)] == ["n1", "n2"]


def test_two_lines_of_one_sku_share_what_is_there() -> None:
    ledger = Ledger()
    ledger.stock("n1", "tea", 3)
    ledger.tell(order("o", ("tea", 2), ("tea", 2)))
    assert ledger.pieces("o") == [
        ("1", 2, RESERVED, "n1"),
        ("2", 1, BACKORDERED, "n1"),
        ("2", 1, RESERVED, "n1"),
    ]
    assert ledger.level("n1", "tea") == (3, 3, 1)
    (level,) = ledger.emitted(StockLevelChanged)
    assert (level.on_hand, level.reserved, level.backordered) == (3, 3, 1)


def test_without_another_pool_the_rest_waits_at_the_nearest_location() -> None:
    ledger = Ledger()
    ledger.tell(order("o", ("tea", 4)))
    assert ledger.pieces("o") == [("1", 4, BACKORDERED, "n1")]
    (waiting,) = ledger.emitted(StockBackordered)
    assert (waiting.quantity, waiting.location, waiting.pool) == (4, "n1", "north")


def test_a_line_that_home_cannot_serve_whole_is_offered_whole() -> None:
    ledger = Ledger()
    ledger.stock("n1", "tea", 3)
    ledger.tell(order("o", ("tea", 4), pools=TWO_POOLS))
    assert ledger.pieces("o") == [("1", 4, PieceState.OFFERED, "n1")]
    assert ledger.level("n1", "tea") == (3, 0, 0)
    (emission,) = [one for one in ledger.emissions if isinstance(one.event, LineOffered)]
    assert emission.partition == 1
    assert isinstance(emission.event, LineOffered)
    assert emission.event.sourcing.pool == "south"
    assert (emission.event.home_pool, emission.event.home_shard) == ("north", 0)


def test_demand_is_what_was_asked_for_once_a_line() -> None:
    ledger = Ledger()
    placed = order("o", ("tea", 4), ("cup", 1), minute=7)
    ledger.tell(placed)
    observed = ledger.emitted(DemandObserved)
    assert [(one.sku, one.quantity, one.location) for one in observed] == [
        ("tea", 4, "n1"),
        ("cup", 1, "n1"),
    ]
    assert {one.occurred_at for one in observed} == {placed.placed_at}


def test_an_order_that_is_known_changes_nothing() -> None:
    ledger = Ledger()
    ledger.stock("n1", "tea", 9)
    ledger.tell(order("o", ("tea", 4)))
    again = ledger.tell(order("o", ("tea", 4)), message_id="another delivery")
    assert again.duplicate
    assert again.emissions == []
    assert ledger.level("n1", "tea") == (9, 4, 0)


def test_an_order_that_was_cancelled_before_is_not_booked() -> None:
    ledger = Ledger()
    ledger.stock("n1", "tea", 9)
    ledger.tell(cancelled("o"))
    ledger.tell(order("o", ("tea", 4)))
    assert ledger.emissions == []
    assert ledger.level("n1", "tea") == (9, 0, 0)
    assert ledger.claim("o").state is ClaimState.CANCELLED


def test_an_order_of_another_shard_is_refused() -> None:
    with pytest.raises(Permanent, match=r"sourcing.0.shard: is 1, read on 0"):
        Ledger().tell(order("o", ("tea", 1), pools=TWO_POOLS[1:]))


def test_a_location_of_another_pool_gives_nothing() -> None:
    ledger = Ledger()
    ledger.stock("n1", "tea", 9, pool="elsewhere")
    with pytest.raises(Permanent, match="belongs to pool 'elsewhere'"):
        ledger.tell(order("o", ("tea", 1)))
    assert "o" not in ledger.books.orders
    assert ledger.level("n1", "tea") == (9, 0, 0)


def test_a_location_that_is_named_twice_counts_once() -> None:
    ledger = Ledger()
    ledger.stock("n1", "tea", 2)
    ledger.tell(order("o", ("tea", 4), pools=(sourcing("north", ["n1", "n1"]),)))
    assert ledger.level("n1", "tea") == (2, 2, 2)


def test_reservations_name_their_parcel_and_pools() -> None:
    ledger = Ledger()
    ledger.stock("n1", "tea", 2)
    ledger.tell(order("o", ("tea", 2), pools=HOME_ONLY))
    (reserved,) = ledger.emitted(StockReserved)
    (parcel,) = ledger.emitted(OrderAllocated)
    assert reserved.allocation == parcel.allocation == ledger.parcel("o")
    assert (reserved.pool, reserved.home_pool, parcel.shard) == ("north", "north", 0)
