"""Transfers: from one location to another, of the same pool or not."""

import pytest
from tests.unit.stock_ledger.building import Ledger, counted, order
from tests.unit.stock_ledger.saying import (
    N1,
    N2,
    S1,
    arrived,
    called_off,
    lot,
    moved,
    on_its_way,
    policy,
    sent,
    unloaded,
)

from restock_common.contracts.ledger import TransferDeparted
from restock_common.contracts.stock import StockTransferred, TransferStage
from restock_common.errors import Permanent
from stock_ledger.domain.model import TRANSFER, Account, Balance, PieceState

SHIPPED, RESERVED, CANCELLED = PieceState.SHIPPED, PieceState.RESERVED, PieceState.CANCELLED


@pytest.fixture
def source() -> Ledger:
    """Return a ledger with 5 at n1 and a transfer t of 4 to the south."""
    made = Ledger(0)
    made.stock("n1", "tea", 5)
    made.tell(moved("t", ("tea", 4), target=S1))
    return made


@pytest.fixture
def target() -> Ledger:
    return Ledger(1)


def stages(ledger: Ledger) -> list[tuple[TransferStage, int]]:
    return [(one.stage, one.quantity) for one in ledger.emitted(StockTransferred)]


def departure(ledger: Ledger) -> TransferDeparted:
    (told,) = [one for one in ledger.emissions if isinstance(one.event, TransferDeparted)]
    assert isinstance(told.event, TransferDeparted)
    assert told.partition == told.event.target.shard
    return told.event


def at(ledger: Ledger, location: str, sku: str = "tea", name: str = "") -> Balance:
    keys = [key for key in ledger.books.lots[sku, location] if key.lot == name]
    return ledger.books.balances[keys[0]]


def on_the_road(*ledgers: Ledger) -> int:
    """Return what stands on the account transit, over all shards."""
    return sum(
        one.units * ((one.target is Account.TRANSIT) - (one.source is Account.TRANSIT))
        for ledger in ledgers
        for _, _, one in ledger.books.journal
    )


def lost(ledger: Ledger) -> int:
    """Return what stands on the account adjustment."""
    return sum(
        one.units * ((one.target is Account.ADJUSTMENT) - (one.source is Account.ADJUSTMENT))
        for _, _, one in ledger.books.journal
    )


def test_what_is_ordered_is_reserved_as_far_as_it_is_there() -> None:
    ledger = Ledger()
    ledger.stock("n1", "tea", 5)
    ledger.tell(policy(safety_buffer=2))
    ledger.tell(moved("t", ("tea", 4)))
    assert stages(ledger) == [(TransferStage.RESERVED, 3), (TransferStage.SHORT, 1)]
    assert ledger.level("n1", "tea") == (5, 3, 0)
    assert ledger.tell(moved("t", ("tea", 4))).duplicate


def test_what_leaves_is_on_its_way_until_it_is_received(source: Ledger, target: Ledger) -> None:
    source.tell(sent("t", ("tea", 3)))
    assert stages(source) == [(TransferStage.SHIPPED, 3)]
    assert source.level("n1", "tea") == (2, 1, 0)
    assert on_the_road(source, target) == 3
    target.tell(departure(source))
    assert (at(target, "s1").in_transit, on_the_road(source, target)) == (3, 0)
    target.tell(unloaded("t", ("tea", 3), end=S1))
    assert stages(target) == [(TransferStage.RECEIVED, 3)]
    assert (at(target, "s1").free, at(target, "s1").in_transit) == (3, 0)


def test_all_that_is_reserved_leaves_where_no_line_is_named(source: Ledger) -> None:
    source.tell(sent("t"))
    assert [line.quantity for line in departure(source).lines] == [4]
    assert source.pieces("t", TRANSFER) == [("1", 4, SHIPPED, "n1")]
    with pytest.raises(Permanent, match="transfer: nothing of 't' is reserved"):
        source.tell(sent("t", shipment="d2"))


def test_more_than_is_reserved_does_not_leave(source: Ledger) -> None:
    with pytest.raises(Permanent, match=r"lines.0.quantity: 5 units of 'tea', 4 are reserved"):
        source.tell(sent("t", ("tea", 5)))
    assert source.level("n1", "tea") == (5, 4, 0)


def test_a_cancelled_transfer_frees_what_has_not_left_for_who_waits(source: Ledger) -> None:
    source.tell(order("o", ("tea", 3)))
    source.tell(sent("t", ("tea", 2)))
    source.tell(called_off("t"))
    assert stages(source) == [(TransferStage.CANCELLED, 2)]
    assert source.pieces("o") == [("1", 1, RESERVED, "n1"), ("1", 2, RESERVED, "n1")]
    assert source.tell(called_off("t")).duplicate


def test_lots_and_their_last_days_travel_with_the_units() -> None:
    ledger = Ledger()
    ledger.tell(arrived("r", lot("tea", 2, "L1", 3), lot("tea", 2, "L2", 9)))
    ledger.tell(moved("t", ("tea", 3)))
    ledger.tell(sent("t"))
    ledger.tell(departure(ledger))
    ledger.tell(unloaded("t", ("tea", 3)))
    for name, units in (("L1", 2), ("L2", 1)):
        there, here = at(ledger, "n1", name=name), at(ledger, "n2", name=name)
        assert (here.free, here.expires_on) == (units, there.expires_on)


def test_what_arrives_before_it_is_told_of_is_not_on_its_way_later(
    source: Ledger, target: Ledger
) -> None:
    source.tell(sent("t"))
    target.tell(unloaded("t", ("tea", 3), end=S1))
    assert on_the_road(source, target) == 1
    target.tell(departure(source))
    assert (at(target, "s1").free, at(target, "s1").in_transit) == (3, 1)
    assert on_the_road(source, target) == 0


def test_what_is_missing_at_the_end_is_lost(source: Ledger, target: Ledger) -> None:
    source.tell(sent("t"))
    target.tell(departure(source))
    target.tell(unloaded("t", ("tea", 3), end=S1, complete=True))
    assert stages(target) == [(TransferStage.RECEIVED, 3), (TransferStage.LOST, 1)]
    assert (at(target, "s1").free, at(target, "s1").in_transit) == (3, 0)
    assert lost(target) == 1


def test_what_was_lost_and_turns_up_is_found(source: Ledger, target: Ledger) -> None:
    source.tell(sent("t"))
    target.tell(departure(source))
    target.tell(unloaded("t", ("tea", 3), end=S1, complete=True))
    target.tell(unloaded("t", ("tea", 1), end=S1, receipt="tr2"))
    assert at(target, "s1").free == 4
    assert (lost(target), on_the_road(source, target)) == (0, 0)


@pytest.mark.parametrize("at_once", [True, False])
def test_what_was_missing_before_it_was_told_of_is_lost_when_it_is(
    source: Ledger, target: Ledger, at_once: bool
) -> None:
    source.tell(sent("t"))
    target.tell(unloaded("t", ("tea", 3), end=S1, complete=at_once))
    if not at_once:
        target.tell(unloaded("t", end=S1, receipt="tr2", complete=True))
    target.tell(departure(source))
    assert stages(target) == [(TransferStage.LOST, 1)]
    assert (at(target, "s1").free, at(target, "s1").in_transit) == (3, 0)
    assert (lost(target), on_the_road(source, target)) == (1, 0)


def test_a_receipt_elsewhere_is_refused_once_it_is_known_where_to(source: Ledger) -> None:
    ledger = Ledger()
    ledger.stock("n1", "tea", 5)
    ledger.tell(moved("t", ("tea", 4)))
    ledger.tell(sent("t"))
    told = departure(ledger)
    ledger.tell(unloaded("t", ("tea", 1), end=N1))
    ledger.tell(told)
    assert (at(ledger, "n1").free, at(ledger, "n2").in_transit) == (2, 3)
    for lines in ([("tea", 3)], []):
        with pytest.raises(Permanent, match="location: is 'n1', not 'n2'"):
            ledger.tell(unloaded("t", *lines, end=N1, receipt="tr2", complete=True))
    ledger.tell(unloaded("t", ("tea", 3), end=N2, receipt="tr2", complete=True))
    assert (at(ledger, "n2").free, at(ledger, "n2").in_transit) == (3, 0)


def test_another_sku_than_was_sent_is_refused(source: Ledger, target: Ledger) -> None:
    source.tell(sent("t"))
    target.tell(departure(source))
    with pytest.raises(Permanent, match=r"lines.0.sku: is 'cup', not 'tea'"):
        target.tell(unloaded("t", ("cup", 4), end=S1))
    assert at(target, "s1").in_transit == 4


def test_another_sku_that_came_before_it_was_told_of_stays_another(
    source: Ledger, target: Ledger
) -> None:
    source.tell(sent("t"))
    target.tell(unloaded("t", ("cup", 4), end=S1))
    target.tell(departure(source))
    assert at(target, "s1", "cup").free == 4
    assert at(target, "s1").in_transit == 4


def test_departures_and_receipts_count_once(source: Ledger, target: Ledger) -> None:
    source.tell(sent("t"))
    told = departure(source)
    assert source.tell(sent("t")).duplicate
    target.tell(told)
    assert target.tell(told).duplicate
    target.tell(unloaded("t", ("tea", 2), end=S1))
    assert target.tell(unloaded("t", ("tea", 2), end=S1)).duplicate
    assert (at(target, "s1").free, at(target, "s1").in_transit) == (2, 2)


def test_a_transfer_gives_way_before_orders_when_a_count_finds_less(source: Ledger) -> None:
    source.tell(order("o", ("tea", 1)))
    source.tell(counted("c", "n1", ("tea", 3)))
    assert stages(source) == [(TransferStage.SHORT, 2)]
    assert source.level("n1", "tea") == (3, 3, 0)


def test_what_another_shard_should_hear_is_refused(source: Ledger) -> None:
    with pytest.raises(Permanent, match=r"source.shard: is 1, read on 0"):
        source.tell(moved("t2", ("tea", 1), source=S1, target=N1))
    source.tell(sent("t"))
    with pytest.raises(Permanent, match=r"target.shard: is 1, read on 0"):
        source.tell(departure(source))
    with pytest.raises(Permanent, match="transfer: 'x' is not a transfer from this shard"):
        source.tell(called_off("x"))


def test_a_departure_to_another_pools_location_is_refused(source: Ledger, target: Ledger) -> None:
    source.tell(sent("t"))
    told = departure(source)
    target.stock("s1", "tea", 1, pool="south")
    wrong = told.target.model_copy(update={"pool": "west"})
    with pytest.raises(Permanent, match="pool: location 's1' belongs to pool 'south'"):
        target.tell(on_its_way(told, target=wrong))
