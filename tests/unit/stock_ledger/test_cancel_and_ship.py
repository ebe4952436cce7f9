"""How orders and parcels end."""

import pytest
from tests.unit.stock_ledger.building import (
    Ledger,
    cancelled,
    counted,
    dispatched,
    order,
    received,
    time,
    withdrawn,
)

from restock_common.contracts.fulfilment import AllocationCancelRequested, OrderAllocated
from restock_common.contracts.stock import (
    StockBackordered,
    StockLevelChanged,
    StockReleased,
    StockReserved,
    StockShipped,
)
from restock_common.errors import Permanent
from stock_ledger.domain.model import Account, ClaimState, PieceState

RESERVED, BACKORDERED = PieceState.RESERVED, PieceState.BACKORDERED
CANCELLED, SHIPPED = PieceState.CANCELLED, PieceState.SHIPPED


@pytest.fixture
def ledger() -> Ledger:
    """Return a ledger with order o: 3 of 5 units reserved at n1, 2 waiting."""
    made = Ledger()
    made.stock("n1", "tea", 3)
    made.tell(order("o", ("tea", 5)))
    return made


def test_cancelling_ends_what_waits_and_asks_for_what_is_reserved(ledger: Ledger) -> None:
    ledger.tell(cancelled("o"))
    assert ledger.pieces("o") == [("1", 2, CANCELLED, "n1"), ("1", 3, RESERVED, "n1")]
    assert ledger.level("n1", "tea") == (3, 3, 0)
    (asked,) = ledger.emitted(AllocationCancelRequested)
    assert (asked.allocation, asked.location) == (ledger.parcel("o"), "n1")
    assert ledger.emitted(StockReleased) == []


def test_a_cancelled_parcel_is_released_once_time_advances(ledger: Ledger) -> None:
    ledger.tell(cancelled("o"))
    ledger.tell(withdrawn(ledger.parcel("o"), "o", "n1"))
    assert ledger.level("n1", "tea") == (3, 3, 0)
    ledger.tell(time())
    assert ledger.level("n1", "tea") == (3, 0, 0)
    (released,) = ledger.emitted(StockReleased)
    assert released.quantity == 3
    assert {state for _, _, state, _ in ledger.pieces("o")} == {CANCELLED}
    ledger.tell(time())
    assert ledger.emitted(StockReleased) == []


def test_what_a_cancelled_order_frees_goes_to_who_waits(ledger: Ledger) -> None:
    ledger.tell(order("next", ("tea", 2), minute=1))
    ledger.tell(cancelled("o"))
    ledger.tell(withdrawn(ledger.parcel("o"), "o", "n1"))
    ledger.tell(time())
    assert ledger.pieces("next") == [("1", 2, RESERVED, "n1")]
    (reserved,) = ledger.emitted(StockReserved)
    assert (reserved.order, reserved.quantity) == ("next", 2)


def test_cancelling_twice_asks_once(ledger: Ledger) -> None:
    ledger.tell(cancelled("o"))
    assert ledger.tell(cancelled("o")).duplicate
    assert ledger.emissions == []


def test_a_shipment_that_came_first_wins_and_becomes_a_return(ledger: Ledger) -> None:
    ledger.tell(cancelled("o"))
    ledger.tell(dispatched(ledger.parcel("o"), "o", "n1"))
    assert ledger.level("n1", "tea") == (0, 0, 0)
    assert ledger.claim("o").return_expected
    assert ledger.claim("o").state is ClaimState.CANCELLED


def test_cancelling_after_the_shipment_expects_a_return(ledger: Ledger) -> None:
    ledger.tell(dispatched(ledger.parcel("o"), "o", "n1"))
    assert not ledger.claim("o").return_expected
    ledger.tell(cancelled("o"))
    assert ledger.claim("o").return_expected
    assert ledger.pieces("o") == [("1", 2, CANCELLED, "n1"), ("1", 3, SHIPPED, "n1")]


def test_shipping_takes_exactly_the_parcel(ledger: Ledger) -> None:
    ledger.stock("n1", "cup", 8)
    ledger.tell(order("other", ("cup", 2)))
    ledger.tell(dispatched(ledger.parcel("o"), "o", "n1"))
    (shipped,) = ledger.emitted(StockShipped)
    assert (shipped.sku, shipped.quantity) == ("tea", 3)
    assert ledger.level("n1", "tea") == (0, 0, 2)
    assert ledger.level("n1", "cup") == (8, 2, 0)


def test_a_shipment_told_twice_counts_once(ledger: Ledger) -> None:
    parcel = ledger.parcel("o")
    ledger.tell(dispatched(parcel, "o", "n1"))
    assert ledger.tell(dispatched(parcel, "o", "n1")).duplicate
    assert ledger.level("n1", "tea") == (0, 0, 2)


@pytest.mark.parametrize("released", [False, True])
def test_shipping_what_was_withdrawn_is_refused(ledger: Ledger, released: bool) -> None:
    parcel = ledger.parcel("o")
    ledger.tell(withdrawn(parcel, "o", "n1"))
    if released:
        ledger.tell(time())
    with pytest.raises(Permanent, match="was withdrawn before"):
        ledger.tell(dispatched(parcel, "o", "n1"))


def test_withdrawing_what_was_shipped_is_refused(ledger: Ledger) -> None:
    parcel = ledger.parcel("o")
    ledger.tell(dispatched(parcel, "o", "n1"))
    with pytest.raises(Permanent, match="was shipped before"):
        ledger.tell(withdrawn(parcel, "o", "n1"))


def test_an_unknown_or_misnamed_parcel_is_refused(ledger: Ledger) -> None:
    with pytest.raises(Permanent, match="'x' is no parcel of order 'o'"):
        ledger.tell(dispatched("x", "o", "n1"))
    with pytest.raises(Permanent, match="is no parcel of order 'other'"):
        ledger.tell(dispatched(ledger.parcel("o"), "other", "n1"))
    with pytest.raises(Permanent, match="location: is 'n2', not 'n1'"):
        ledger.tell(withdrawn(ledger.parcel("o"), "o", "n2"))
    assert ledger.level("n1", "tea") == (3, 3, 2)


def test_a_parcel_given_back_unasked_is_served_again(ledger: Ledger) -> None:
    first = ledger.parcel("o")
    assert not ledger.tell(withdrawn(first, "o", "n1")).duplicate
    assert ledger.tell(withdrawn(first, "o", "n1")).duplicate
    ledger.tell(time())
    (parcel,) = ledger.emitted(OrderAllocated)
    assert parcel.allocation != first
    assert [line.quantity for line in parcel.lines] == [3]
    assert ledger.level("n1", "tea") == (3, 3, 2)


def test_a_receipt_serves_backorders_the_earlier_order_first() -> None:
    ledger = Ledger()
    ledger.tell(order("late", ("tea", 2), minute=9))
    ledger.tell(order("early", ("tea", 2), ("tea", 1), minute=1))
    ledger.tell(received("r", "n2", ("tea", 4)))
    assert ledger.pieces("early") == [("1", 2, RESERVED, "n2"), ("2", 1, RESERVED, "n2")]
    assert ledger.pieces("late") == [("1", 1, BACKORDERED, "n1"), ("1", 1, RESERVED, "n2")]
    assert ledger.level("n2", "tea") == (4, 4, 0)
    assert ledger.level("n1", "tea") == (0, 0, 1)


def test_a_backorder_served_twice_keeps_its_units() -> None:
    ledger = Ledger()
    ledger.tell(order("o", ("tea", 5)))
    ledger.tell(received("r1", "n1", ("tea", 2)))
    ledger.tell(received("r2", "n1", ("tea", 2)))
    assert ledger.pieces("o") == [
        ("1", 1, BACKORDERED, "n1"),
        ("1", 2, RESERVED, "n1"),
        ("1", 2, RESERVED, "n1"),
    ]


def test_a_receipt_counts_once() -> None:
    ledger = Ledger()
    ledger.tell(received("r", "n1", ("tea", 4)))
    assert ledger.tell(received("r", "n1", ("tea", 4)), message_id="again").duplicate
    assert ledger.level("n1", "tea") == (4, 0, 0)


def test_a_short_count_recalls_the_latest_orders(ledger: Ledger) -> None:
    ledger.stock("n1", "tea", 10)
    ledger.tell(order("late", ("tea", 4), minute=9))
    assert ledger.level("n1", "tea") == (10, 9, 0)
    ledger.tell(counted("short", "n1", ("tea", 6)))
    assert ledger.pieces("late") == [("1", 4, PieceState.RECALLED, "n1")]
    assert ledger.level("n1", "tea") == (6, 5, 4)
    (asked,) = ledger.emitted(AllocationCancelRequested)
    assert (asked.order, asked.allocation) == ("late", ledger.parcel("late"))
    assert [one.quantity for one in ledger.emitted(StockReleased)] == [4]
    assert [one.quantity for one in ledger.emitted(StockBackordered)] == [4]
    (level,) = ledger.emitted(StockLevelChanged)
    assert (level.on_hand, level.reserved, level.backordered) == (6, 5, 4)


def test_a_recalled_piece_is_served_again_only_after_its_parcel_has_answered() -> None:
    ledger = Ledger()
    ledger.stock("n1", "tea", 4)
    ledger.tell(order("o", ("tea", 4)))
    parcel = ledger.parcel("o")
    ledger.tell(counted("short", "n1", ("tea", 1)))
    ledger.tell(received("r", "n1", ("tea", 9)))
    assert ledger.pieces("o") == [("1", 4, PieceState.RECALLED, "n1")]
    ledger.tell(withdrawn(parcel, "o", "n1"))
    ledger.tell(time())
    assert ledger.pieces("o") == [("1", 4, RESERVED, "n1")]
    assert ledger.level("n1", "tea") == (10, 4, 0)


def test_a_recalled_parcel_that_left_all_the_same_had_been_there() -> None:
    ledger = Ledger()
    ledger.stock("n1", "tea", 4)
    ledger.tell(order("o", ("tea", 4)))
    parcel = ledger.parcel("o")
    ledger.tell(counted("short", "n1", ("tea", 1)))
    decision = ledger.tell(dispatched(parcel, "o", "n1"))
    assert ledger.pieces("o") == [("1", 4, SHIPPED, "n1")]
    assert ledger.level("n1", "tea") == (1, 0, 0)
    found = [one.units for one in decision.movements if one.source is Account.ADJUSTMENT]
    assert found == [4]


def test_a_recalled_piece_of_a_cancelled_order_ends_with_its_parcel() -> None:
    ledger = Ledger()
    ledger.stock("n1", "tea", 4)
    ledger.tell(order("o", ("tea", 4)))
    parcel = ledger.parcel("o")
    ledger.tell(counted("short", "n1", ("tea", 1)))
    ledger.tell(cancelled("o"))
    ledger.tell(withdrawn(parcel, "o", "n1"))
    ledger.tell(time())
    assert ledger.pieces("o") == [("1", 4, CANCELLED, "n1")]
    assert ledger.level("n1", "tea") == (1, 0, 0)


def test_a_count_that_finds_more_serves_backorders(ledger: Ledger) -> None:
    ledger.tell(counted("more", "n1", ("tea", 5)))
    assert ledger.level("n1", "tea") == (5, 5, 0)


def test_a_count_of_nothing_new_posts_nothing(ledger: Ledger) -> None:
    decision = ledger.tell(counted("same", "n1", ("tea", 3)))
    assert decision.movements == []
    assert decision.emissions == []
    assert ledger.tell(counted("same", "n1", ("tea", 99))).duplicate


def test_a_count_that_names_a_sku_twice_is_refused(ledger: Ledger) -> None:
    with pytest.raises(Permanent, match=r"lines.1.sku: 'tea' is counted twice"):
        ledger.tell(counted("c", "n1", ("tea", 1), ("tea", 2)))
    assert ledger.level("n1", "tea") == (3, 3, 2)


def test_more_units_than_an_event_can_tell_are_refused() -> None:
    ledger = Ledger()
    ledger.stock("n1", "tea", 1_000_000_000)
    with pytest.raises(Permanent, match="more than 1000000000 units"):
        ledger.tell(received("r", "n1", ("tea", 1)))
    assert ledger.level("n1", "tea") == (1_000_000_000, 0, 0)


def test_a_receipt_at_another_pools_location_is_refused(ledger: Ledger) -> None:
    with pytest.raises(Permanent, match="belongs to pool 'north', not 'south'"):
        ledger.tell(received("r", "n1", ("tea", 1), pool="south"))
