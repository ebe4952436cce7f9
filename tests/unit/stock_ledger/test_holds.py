"""CartHeld and CartReleased: units that are kept for a cart for a time."""

import pytest
from tests.unit.stock_ledger.building import TWO_POOLS, Ledger, counted, order, time
from tests.unit.stock_ledger.saying import held, policy, released

from restock_common.contracts.stock import (
    HoldEnd,
    HoldEnded,
    HoldRefused,
    StockHeld,
    StockLevelChanged,
    StockReserved,
)
from restock_common.errors import Permanent
from stock_ledger.domain.model import HOLD, ClaimState, PieceState


@pytest.fixture
def ledger() -> Ledger:
    """Return a ledger with 5 at n1, of which the hold h keeps 3."""
    made = Ledger()
    made.stock("n1", "tea", 5)
    made.tell(held("h", ("tea", 3)))
    return made


def holding(ledger: Ledger) -> int:
    pieces = ledger.claim("h", HOLD).pieces
    return sum(one.quantity for one in pieces if one.state is PieceState.HELD)


def endings(ledger: Ledger) -> list[tuple[int, HoldEnd]]:
    return [(one.quantity, one.reason) for one in ledger.emitted(HoldEnded)]


def test_what_is_held_is_nobody_elses(ledger: Ledger) -> None:
    (told,) = ledger.emitted(StockHeld)
    assert (told.quantity, told.location) == (3, "n1")
    (level,) = ledger.emitted(StockLevelChanged)
    assert (level.on_hand, level.held, level.available) == (5, 3, 2)
    ledger.tell(order("o", ("tea", 3)))
    assert ledger.level("n1", "tea") == (5, 2, 1)


def test_a_line_is_held_whole_or_not_at_all(ledger: Ledger) -> None:
    ledger.stock("n1", "cup", 1)
    ledger.tell(held("h2", ("tea", 3), ("cup", 1)))
    assert [(one.sku, one.available) for one in ledger.emitted(HoldRefused)] == [("tea", 2)]
    assert [one.sku for one in ledger.emitted(StockHeld)] == ["cup"]


def test_a_line_may_be_held_at_two_locations() -> None:
    ledger = Ledger()
    ledger.stock("n1", "tea", 1)
    ledger.stock("n2", "tea", 2)
    ledger.tell(held("h", ("tea", 3)))
    assert [(one.location, one.quantity) for one in ledger.emitted(StockHeld)] == [
        ("n1", 1),
        ("n2", 2),
    ]


def test_a_hold_that_is_told_again_holds_once(ledger: Ledger) -> None:
    assert ledger.tell(held("h", ("tea", 2))).duplicate
    assert holding(ledger) == 3


def test_a_hold_ends_when_its_time_has_come(ledger: Ledger) -> None:
    ledger.tell(time(29))
    assert holding(ledger) == 3
    ledger.tell(time(30))
    assert holding(ledger) == 0
    assert endings(ledger) == [(3, HoldEnd.EXPIRED)]
    assert ledger.claim("h", HOLD).state is ClaimState.ENDED


def test_the_order_of_a_cart_has_its_units(ledger: Ledger) -> None:
    ledger.tell(order("other", ("tea", 4)))
    bought = order("o", ("tea", 3)).model_copy(update={"hold": "h"})
    ledger.tell(bought)
    assert endings(ledger) == [(3, HoldEnd.COMMITTED)]
    assert ledger.pieces("o") == [("1", 3, PieceState.RESERVED, "n1")]


def test_what_an_order_does_not_want_of_its_hold_goes_to_who_waits(ledger: Ledger) -> None:
    ledger.tell(order("other", ("tea", 4)))
    bought = order("o", ("tea", 1)).model_copy(update={"hold": "h"})
    ledger.tell(bought)
    assert endings(ledger) == [(2, HoldEnd.RELEASED), (1, HoldEnd.COMMITTED)]
    assert {one.order: one.quantity for one in ledger.emitted(StockReserved)} == {
        "o": 1,
        "other": 2,
    }


def test_no_buffer_keeps_an_order_from_what_its_cart_held(ledger: Ledger) -> None:
    ledger.tell(policy(safety_buffer=4, channel_buffers={"market": 9}))
    ledger.tell(order("other", ("tea", 1)))
    bought = order("o", ("tea", 4)).model_copy(update={"hold": "h", "channel": "market"})
    ledger.tell(bought)
    assert ledger.pieces("o") == [
        ("1", 1, PieceState.BACKORDERED, "n1"),
        ("1", 3, PieceState.RESERVED, "n1"),
    ]
    assert ledger.level("n1", "tea") == (5, 3, 2)


def test_what_a_cart_held_is_reserved_although_the_rest_is_asked_of_others(ledger: Ledger) -> None:
    ledger.tell(order("other", ("tea", 2)))
    bought = order("o", ("tea", 2), ("tea", 3), pools=TWO_POOLS)
    ledger.tell(bought.model_copy(update={"hold": "h"}))
    assert ledger.pieces("o") == [
        ("1", 2, PieceState.RESERVED, "n1"),
        ("2", 1, PieceState.RESERVED, "n1"),
        ("2", 2, PieceState.OFFERED, "n1"),
    ]


def test_part_of_a_hold_is_released(ledger: Ledger) -> None:
    ledger.tell(released("h", ("tea", 1)))
    assert endings(ledger) == [(1, HoldEnd.RELEASED)]
    assert holding(ledger) == 2
    ledger.tell(released("h"))
    assert holding(ledger) == 0
    assert ledger.tell(released("h")).duplicate


def test_a_release_counts_once_however_often_it_is_delivered(ledger: Ledger) -> None:
    ledger.tell(released("h", ("tea", 1)))
    assert ledger.tell(released("h", ("tea", 1))).duplicate
    assert holding(ledger) == 2
    ledger.tell(released("h", ("tea", 1), release="another"))
    assert holding(ledger) == 1


def test_more_than_is_held_is_not_released(ledger: Ledger) -> None:
    with pytest.raises(Permanent, match=r"lines.0.quantity: 4 units of 'tea' are more than the 3"):
        ledger.tell(released("h", ("tea", 4)))
    with pytest.raises(Permanent, match=r"lines.1.quantity: 4 units of 'tea' are more than the 3"):
        ledger.tell(released("h", ("tea", 2), ("tea", 2)))
    with pytest.raises(Permanent, match="hold: 'x' is not a hold of this shard"):
        ledger.tell(released("x"))
    assert holding(ledger) == 3


def test_a_sku_that_is_released_on_two_lines_is_released_twice(ledger: Ledger) -> None:
    ledger.tell(released("h", ("tea", 1), ("tea", 1)))
    assert holding(ledger) == 1


def test_carts_give_way_first_when_a_count_finds_less(ledger: Ledger) -> None:
    ledger.tell(order("o", ("tea", 2)))
    ledger.tell(counted("c", "n1", ("tea", 3)))
    assert endings(ledger) == [(2, HoldEnd.MISSING)]
    assert ledger.level("n1", "tea") == (3, 2, 0)


def test_a_hold_of_which_nothing_is_left_has_ended(ledger: Ledger) -> None:
    ledger.tell(counted("c", "n1", ("tea", 0)))
    assert ledger.claim("h", HOLD).state is ClaimState.ENDED
    assert ledger.tell(released("h", ("tea", 1))).duplicate


def test_a_hold_of_another_shard_is_refused() -> None:
    with pytest.raises(Permanent, match=r"sourcing.shard: is 1, read on 0"):
        Ledger().tell(held("h", ("tea", 1), source=TWO_POOLS[1]))
