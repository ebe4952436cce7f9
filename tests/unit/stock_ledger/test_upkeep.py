"""TimeAdvanced: what only time brings about."""

from itertools import pairwise

from tests.unit.stock_ledger.building import (
    Ledger,
    cancelled,
    dispatched,
    order,
    received,
    time,
    withdrawn,
)
from tests.unit.stock_ledger.saying import arrived, at, held, lot

from restock_common.contracts.stock import (
    AlertKind,
    StockAlertCleared,
    StockAlertRaised,
    StockLevelChanged,
)
from stock_ledger.domain.model import PieceState
from stock_ledger.domain.upkeep import is_due

DAY = 24 * 60


def test_time_does_not_go_back() -> None:
    ledger = Ledger()
    ledger.stock("n1", "tea", 3)
    ledger.tell(order("o", ("tea", 3)))
    ledger.tell(time(60))
    ledger.tell(cancelled("o"))
    ledger.tell(withdrawn(ledger.parcel("o"), "o", "n1"))
    for minutes in (59, 60):
        assert ledger.tell(time(minutes)).duplicate
        assert ledger.books.clock.until == at(60)
    assert ledger.pieces("o") == [("1", 3, PieceState.RESERVED, "n1")]
    ledger.tell(time(61))
    assert ledger.pieces("o") == [("1", 3, PieceState.CANCELLED, "n1")]


def test_what_has_expired_is_set_aside_with_what_becomes_free_of_it() -> None:
    ledger = Ledger()
    ledger.tell(arrived("r", lot("tea", 9, "L1", 1)))
    ledger.tell(held("h", ("tea", 2), until=3 * DAY))
    ledger.tell(order("o", ("tea", 3)))
    ledger.tell(order("kept", ("tea", 1)))
    ledger.tell(withdrawn(ledger.parcel("o"), "o", "n1"), minute=3 * DAY)
    ledger.tell(time(3 * DAY))
    (level,) = ledger.emitted(StockLevelChanged)
    assert (level.quality_hold, level.reserved, level.available) == (8, 1, 0)
    assert ledger.pieces("o") == [("1", 3, PieceState.BACKORDERED, "n1")]


def test_a_lot_is_told_of_before_it_expires_and_when_it_is_gone() -> None:
    ledger = Ledger()
    ledger.tell(arrived("r", lot("tea", 2, "L1", 20)))
    ledger.tell(time(5 * DAY))
    assert ledger.emitted(StockAlertRaised) == []
    ledger.tell(time(6 * DAY))
    (raised,) = ledger.emitted(StockAlertRaised)
    assert (raised.kind, raised.lot) == (AlertKind.EXPIRING, "L1")
    ledger.tell(time(7 * DAY))
    assert ledger.emitted(StockAlertRaised) == []
    ledger.tell(order("o", ("tea", 2)), minute=7 * DAY)
    ledger.tell(dispatched(ledger.parcel("o"), "o", "n1"), minute=7 * DAY)
    kinds = {one.kind: one.lot for one in ledger.emitted(StockAlertCleared)}
    assert kinds[AlertKind.EXPIRING] == "L1"


def test_what_has_not_left_for_long_is_told_of_once_until_some_leaves() -> None:
    ledger = Ledger()
    ledger.tell(received("r", "n1", ("tea", 5)))
    long = ledger.books.rules.slow_moving_days * DAY
    ledger.tell(time(long - 1))
    assert ledger.emitted(StockAlertRaised) == []
    ledger.tell(time(long + DAY))
    assert [one.kind for one in ledger.emitted(StockAlertRaised)] == [AlertKind.SLOW_MOVING]
    ledger.tell(time(long + 2 * DAY))
    assert ledger.emitted(StockAlertRaised) == []
    ledger.tell(order("o", ("tea", 1)), minute=long + 2 * DAY)
    gone = dispatched(ledger.parcel("o"), "o", "n1")
    later = at(long + 2 * DAY)
    ledger.tell(gone.model_copy(update={"dispatched_at": later}), minute=long + 2 * DAY)
    assert [one.kind for one in ledger.emitted(StockAlertCleared)] == [AlertKind.SLOW_MOVING]


def test_each_sku_is_looked_over_once_a_day_however_time_advances() -> None:
    edges = [0, 1, 7, 700, 1439, 1440, 1441, 2880, 2881]
    for start in (0, 899, 1000):
        moments = [at(start + edge) for edge in edges]
        steps = list(pairwise(moments))
        for sku in ("tea", "cup", "pot"):
            assert sum(is_due(sku, since, until) for since, until in steps) in {2, 3}
            first_day = [step for step in steps if step[1] <= at(start + 1440)]
            assert sum(is_due(sku, since, until) for since, until in first_day) == 1
