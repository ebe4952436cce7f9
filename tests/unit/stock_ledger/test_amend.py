"""OrderAmended: the order as it is to be, and what follows from the difference."""

import pytest
from tests.unit.stock_ledger.building import (
    HOME_ONLY,
    TWO_POOLS,
    Ledger,
    cancelled,
    order,
    time,
    withdrawn,
)
from tests.unit.stock_ledger.saying import amended, back, kit, line, returned, shipped

from restock_common.contracts.demand import DemandObserved
from restock_common.contracts.fulfilment import AllocationCancelRequested
from restock_common.contracts.ledger import LineAccepted, LineOffered, LineWithdrawn
from restock_common.errors import Permanent
from stock_ledger.domain.model import PieceState

RESERVED, BACKORDERED = PieceState.RESERVED, PieceState.BACKORDERED
CANCELLED, SHIPPED = PieceState.CANCELLED, PieceState.SHIPPED


@pytest.fixture
def ledger() -> Ledger:
    """Return a ledger with order o: 3 of 5 teas reserved at n1, 2 waiting."""
    made = Ledger()
    made.stock("n1", "tea", 3)
    made.tell(order("o", ("tea", 5)))
    return made


def test_more_is_sourced_and_observed_as_demand(ledger: Ledger) -> None:
    ledger.stock("n1", "cup", 9)
    ledger.tell(amended("o", 1, line("1", "tea", 6), line("2", "cup", 1)))
    observed = [(one.sku, one.quantity) for one in ledger.emitted(DemandObserved)]
    assert observed == [("tea", 1), ("cup", 1)]
    assert ledger.level("n1", "tea") == (3, 3, 3)
    assert ledger.level("n1", "cup") == (9, 1, 0)


def test_what_waits_is_called_off_before_what_is_reserved(ledger: Ledger) -> None:
    ledger.tell(amended("o", 1, line("1", "tea", 3)))
    assert ledger.emitted(AllocationCancelRequested) == []
    assert ledger.level("n1", "tea") == (3, 3, 0)
    ledger.tell(amended("o", 2, line("1", "tea", 1)))
    assert len(ledger.emitted(AllocationCancelRequested)) == 1
    assert ledger.level("n1", "tea") == (3, 3, 0)
    ledger.tell(withdrawn(ledger.parcel("o"), "o", "n1"))
    ledger.tell(time())
    assert ledger.level("n1", "tea") == (3, 1, 0)


def test_a_line_that_is_not_named_is_taken_out(ledger: Ledger) -> None:
    ledger.stock("n1", "cup", 9)
    ledger.tell(amended("o", 1, line("2", "cup", 1)))
    assert ledger.level("n1", "tea") == (3, 3, 0)
    assert [one.cut for one in ledger.claim("o").pieces if one.state is RESERVED] == [True, False]


def test_an_older_revision_changes_nothing(ledger: Ledger) -> None:
    ledger.tell(amended("o", 5, line("1", "tea", 4)))
    for revision in (4, 5):
        assert ledger.tell(amended("o", revision, line("1", "tea", 9))).duplicate
    assert ledger.level("n1", "tea") == (3, 3, 1)


def test_what_cannot_be_amended_is_refused(ledger: Ledger) -> None:
    with pytest.raises(Permanent, match=r"lines.0.sku: line '1' is tea: another sku"):
        ledger.tell(amended("o", 1, line("1", "cup", 5)))
    with pytest.raises(Permanent, match="order: 'x' is not an order of this shard"):
        ledger.tell(amended("x", 1))
    ledger.tell(cancelled("o"))
    with pytest.raises(Permanent, match="order: 'o' was cancelled before"):
        ledger.tell(amended("o", 1, line("1", "tea", 9)))


def test_a_line_that_was_taken_out_comes_back_as_what_it_was(ledger: Ledger) -> None:
    ledger.tell(amended("o", 1))
    for other in (line("1", "cup", 1), kit("1", 1, tea=1, cup=1)):
        with pytest.raises(Permanent, match=r"lines.0.sku: line '1' is tea: another sku, or kit"):
            ledger.tell(amended("o", 2, other))
    ledger.tell(amended("o", 2, line("1", "tea", 1)))
    assert ledger.level("n1", "tea") == (3, 3, 1)


def test_what_has_left_and_is_called_off_is_a_return_to_expect(ledger: Ledger) -> None:
    ledger.tell(shipped(ledger.parcel("o"), "o"))
    ledger.tell(amended("o", 1, line("1", "tea", 3)))
    assert not ledger.claim("o").return_expected
    ledger.tell(amended("o", 2, line("1", "tea", 2)))
    assert ledger.claim("o").return_expected
    ledger.tell(amended("o", 3, line("1", "tea", 3)))
    assert ledger.level("n1", "tea") == (0, 0, 0)


def test_what_came_back_is_not_sent_again_because_another_line_changes() -> None:
    ledger = Ledger()
    ledger.stock("n1", "tea", 9)
    ledger.tell(order("o", ("tea", 5)))
    ledger.tell(shipped(ledger.parcel("o"), "o"))
    ledger.tell(returned("b", "o", back("1", "tea", 2)))
    assert ledger.level("n1", "tea") == (6, 0, 0)
    ledger.tell(amended("o", 1, line("1", "tea", 5), line("2", "cup", 1)))
    assert ledger.level("n1", "tea") == (6, 0, 0)
    ledger.tell(amended("o", 2, line("1", "tea", 3)))
    assert ledger.level("n1", "tea") == (6, 0, 0)
    assert not ledger.claim("o").return_expected
    ledger.tell(amended("o", 3, line("1", "tea", 5)))
    assert ledger.level("n1", "tea") == (6, 2, 0)


def test_another_pool_is_told_what_is_still_wanted_of_its_offer() -> None:
    ledger = Ledger()
    ledger.tell(order("o", ("tea", 5), pools=TWO_POOLS))
    (offer,) = ledger.emitted(LineOffered)
    for revision, units in ((1, 4), (2, 3)):
        ledger.tell(amended("o", revision, line("1", "tea", units)))
        (told,) = ledger.emitted(LineWithdrawn)
        assert (told.offer, told.remaining) == (offer.offer, units)
    accepted = LineAccepted(offer=offer.offer, order="o", line="1", pool="south", location="s1")
    ledger.tell(accepted)
    ledger.tell(amended("o", 3, line("1", "tea", 1)))
    (told,) = ledger.emitted(LineWithdrawn)
    assert (told.offer, told.remaining) == (offer.offer, 1)
    ledger.tell(amended("o", 4))
    (told,) = ledger.emitted(LineWithdrawn)
    assert (told.offer, told.remaining) == (offer.offer, 0)


def test_less_of_a_line_that_is_not_to_be_split_may_be_there_already() -> None:
    ledger = Ledger()
    ledger.stock("n1", "tea", 3)
    whole = line("1", "tea", 5, split=False)
    ledger.tell(order("o", ("tea", 5)).model_copy(update={"lines": (whole,)}))
    ledger.tell(amended("o", 1, line("1", "tea", 3, split=False)))
    assert ledger.level("n1", "tea") == (3, 3, 0)


def test_a_line_that_may_be_split_from_now_on_takes_what_is_there() -> None:
    ledger = Ledger()
    ledger.stock("n1", "tea", 3)
    whole = line("1", "tea", 5, split=False)
    ledger.tell(order("o", ("tea", 5)).model_copy(update={"lines": (whole,)}))
    ledger.tell(amended("o", 1, line("1", "tea", 5)))
    assert ledger.level("n1", "tea") == (3, 3, 2)


def test_a_whole_order_that_grows_stays_whole() -> None:
    ledger = Ledger()
    ledger.stock("n1", "cup", 9)
    whole = order("o", ("tea", 1), pools=HOME_ONLY).model_copy(update={"ship_complete": True})
    ledger.tell(whole)
    ledger.tell(amended("o", 1, line("1", "tea", 1), line("2", "cup", 2)))
    assert ledger.level("n1", "cup") == (9, 0, 2)
    ledger.tell(amended("o", 2, line("2", "cup", 3)))
    assert ledger.level("n1", "cup") == (9, 3, 0)


def test_an_order_of_which_nothing_was_left_is_taken_up_again() -> None:
    """Shops call unpaid orders off, and take them up again when the money comes after all."""
    ledger = Ledger()
    ledger.stock("n1", "tea", 5)
    ledger.tell(order("o", ("tea", 2)))
    ledger.tell(amended("o", 1))
    ledger.tell(withdrawn(ledger.parcel("o"), "o", "n1"))
    ledger.tell(time())
    assert ledger.level("n1", "tea") == (5, 0, 0)
    ledger.tell(amended("o", 2, line("1", "tea", 2)))
    assert ledger.level("n1", "tea") == (5, 2, 0)
