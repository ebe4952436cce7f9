"""TimeAdvanced: what only time brings about."""

from tests.unit.stock_ledger.building import Ledger, cancelled, order, time, withdrawn
from tests.unit.stock_ledger.saying import at

from stock_ledger.domain.model import PieceState


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
