"""LineWithdrawn: what home no longer wants of an offer."""

import pytest
from tests.unit.stock_ledger.building import HOME_ONLY, TWO_POOLS, Ledger, order, time
from tests.unit.stock_ledger.saying import held, moved

from restock_common.contracts.fulfilment import AllocationCancelRequested
from restock_common.contracts.ledger import LineOffered, LineWithdrawn
from restock_common.errors import Permanent
from stock_ledger.domain.model import HOLD, TRANSFER, ClaimState, PieceState


@pytest.fixture
def offer() -> LineOffered:
    """Return an offer of 4 that home cannot serve."""
    home = Ledger()
    home.tell(order("o", ("tea", 4), pools=TWO_POOLS))
    (offered,) = home.emitted(LineOffered)
    return offered


@pytest.fixture
def south() -> Ledger:
    """Return a ledger with 9 at s1."""
    made = Ledger(1)
    made.stock("s1", "tea", 9, pool="south")
    return made


def withdrawal(offer: str, order: str, remaining: int) -> LineWithdrawn:
    return LineWithdrawn(offer=offer, order=order, line="1", pool="south", remaining=remaining)


def test_part_of_an_offer_is_withdrawn_before_it_is_answered(
    offer: LineOffered, south: Ledger
) -> None:
    south.tell(offer)
    south.tell(withdrawal(offer.offer, "o", 1))
    south.tell(time())
    assert south.pieces("o", offer.offer) == [("1", 1, PieceState.RESERVED, "s1")]


def test_part_of_an_offer_is_withdrawn_after_it_was_accepted(
    offer: LineOffered, south: Ledger
) -> None:
    south.tell(offer)
    south.tell(time())
    south.tell(withdrawal(offer.offer, "o", 1))
    cut = [(one.quantity, one.cut) for one in south.claim("o", offer.offer).pieces]
    assert sorted(cut) == [(1, False), (3, True)]
    assert len(south.emitted(AllocationCancelRequested)) == 1


def test_a_withdrawal_that_comes_again_changes_nothing(offer: LineOffered, south: Ledger) -> None:
    south.tell(offer)
    south.tell(time())
    south.tell(withdrawal(offer.offer, "o", 2))
    before = list(south.claim("o", offer.offer).pieces)
    south.tell(withdrawal(offer.offer, "o", 2))
    assert south.claim("o", offer.offer).pieces == before


def test_part_of_what_was_never_offered_is_refused(south: Ledger) -> None:
    with pytest.raises(Permanent, match="offer: 'x' was never offered to this shard"):
        south.tell(withdrawal("x", "o", 1))


@pytest.mark.parametrize("remaining", [0, 1])
def test_a_hold_or_a_transfer_is_no_offer(remaining: int, offer: LineOffered) -> None:
    ledger = Ledger()
    ledger.stock("n1", "tea", 9)
    ledger.tell(held("o", ("tea", 1)))
    ledger.tell(moved("o", ("tea", 2)))
    for name, state in ((HOLD, ClaimState.HELD), (TRANSFER, ClaimState.OPEN)):
        with pytest.raises(Permanent, match="is not the name of an offer"):
            ledger.tell(withdrawal(name, "o", remaining))
        assert ledger.claim("o", name).state is state
        ours = offer.model_copy(update={"offer": name, "sourcing": HOME_ONLY[0]})
        with pytest.raises(Permanent, match="is not the name of an offer"):
            ledger.tell(ours)
