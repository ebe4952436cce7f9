"""Lines offered between pools."""

from typing import Any

import pytest
from tests.unit.stock_ledger.building import (
    TWO_POOLS,
    Ledger,
    cancelled,
    order,
    sourcing,
    time,
)

from restock_common.contracts import Event
from restock_common.contracts.fulfilment import AllocationCancelRequested, OrderAllocated
from restock_common.contracts.ledger import LineAccepted, LineOffered, LineRefused, LineWithdrawn
from restock_common.contracts.stock import StockBackordered, StockReserved
from restock_common.contracts.topics import DEMAND, FULFILMENT, STOCK
from restock_common.errors import Permanent
from stock_ledger.domain.model import ClaimState, PieceState

RESERVED, BACKORDERED = PieceState.RESERVED, PieceState.BACKORDERED


@pytest.fixture
def home() -> Ledger:
    return Ledger(0)


@pytest.fixture
def south() -> Ledger:
    return Ledger(1)


def offer_to(home: Ledger, name: str = "o", units: int = 4, **how: Any) -> LineOffered:
    """Place an order that home cannot serve, and return its offer."""
    home.tell(order(name, ("tea", units), pools=TWO_POOLS, **how))
    (offered,) = home.emitted(LineOffered)
    return offered


def answers(ledger: Ledger) -> list[Event]:
    return [
        one.event
        for one in ledger.emissions
        if isinstance(one.event, LineAccepted | LineRefused) and one.partition == 0
    ]


def test_an_offer_is_answered_when_time_advances(home: Ledger, south: Ledger) -> None:
    south.stock("s2", "tea", 9, pool="south")
    offer = offer_to(home)
    assert south.tell(offer).emissions == []
    south.tell(time())
    (answer,) = answers(south)
    assert isinstance(answer, LineAccepted)
    assert (answer.pool, answer.location) == ("south", "s2")
    (reserved,) = south.emitted(StockReserved)
    assert (reserved.pool, reserved.home_pool, reserved.location) == ("south", "north", "s2")
    (parcel,) = south.emitted(OrderAllocated)
    assert (parcel.shard, parcel.order) == (1, "o")
    home.tell(answer)
    assert home.pieces("o") == [("1", 4, PieceState.ACCEPTED, "n1")]


def test_an_offer_may_be_split_over_the_pool(home: Ledger, south: Ledger) -> None:
    south.stock("s1", "tea", 1, pool="south")
    south.stock("s2", "tea", 3, pool="south")
    offer = offer_to(home)
    south.tell(offer)
    south.tell(time())
    (answer,) = answers(south)
    assert isinstance(answer, LineAccepted)
    assert answer.location == "s1"
    assert south.pieces("o", offer.offer) == [("1", 1, RESERVED, "s1"), ("1", 3, RESERVED, "s2")]


def test_the_earlier_order_is_answered_first(home: Ledger, south: Ledger) -> None:
    south.stock("s1", "tea", 5, pool="south")
    late = offer_to(home, "late", minute=9)
    early = offer_to(home, "early", minute=1)
    for offer in (late, early):
        south.tell(offer)
    south.tell(time())
    assert [(type(one), one.order) for one in answers(south)] == [  # type: ignore[attr-defined]
        (LineAccepted, "early"),
        (LineRefused, "late"),
    ]


def test_time_is_passed_on_to_every_reader_after_the_answers(home: Ledger, south: Ledger) -> None:
    south.tell(offer_to(home))
    south.tell(time())
    passed = [(one.topic, one.partition) for one in south.emissions if one.topic is not None]
    assert passed == [(t, p) for t in (STOCK, FULFILMENT, DEMAND) for p in range(t.partitions)]
    assert isinstance(south.emissions[0].event, LineRefused)


def test_a_line_that_all_refuse_ends_at_home_when_time_advances(
    home: Ledger, south: Ledger
) -> None:
    offer = offer_to(home)
    home.stock("n2", "tea", 3)
    south.tell(offer)
    south.tell(time())
    (answer,) = answers(south)
    assert home.tell(answer).emissions == []
    home.tell(time())
    assert home.pieces("o") == [("1", 1, BACKORDERED, "n1"), ("1", 3, RESERVED, "n2")]
    (waiting,) = home.emitted(StockBackordered)
    assert waiting.quantity == 1


def test_every_pool_is_asked_once_by_rank(home: Ledger) -> None:
    pools = (*TWO_POOLS, sourcing("west", ["w1"], shard=2))
    home.tell(order("o", ("tea", 4), pools=pools))
    (first,) = home.emitted(LineOffered)
    home.tell(refusal(first))
    (second,) = home.emitted(LineOffered)
    assert (first.sourcing.pool, second.sourcing.pool) == ("south", "west")
    assert first.offer != second.offer
    assert home.tell(refusal(first)).duplicate
    home.tell(refusal(second))
    assert home.emitted(LineOffered) == []


def test_two_refusals_lead_to_the_same_in_either_order() -> None:
    outcomes = []
    for turned in (False, True):
        ledger = Ledger()
        offers = [offer_to(ledger, name, 4, minute=n) for n, name in enumerate(("a", "b"))]
        ledger.stock("n1", "tea", 5)
        for offer in reversed(offers) if turned else offers:
            ledger.tell(refusal(offer))
        ledger.tell(time(), message_id="tick")
        outcomes.append((ledger.pieces("a"), ledger.pieces("b")))
    assert outcomes[0] == outcomes[1]
    assert outcomes[0][0] == [("1", 4, RESERVED, "n1")]


def test_what_an_advance_to_the_same_time_led_to_waits_for_the_next(
    home: Ledger, south: Ledger
) -> None:
    south.stock("s1", "tea", 4, pool="south")
    south.tell(offer_to(home), minute=60)
    south.tell(time(60))
    assert answers(south) == []
    south.tell(time(61))
    assert len(answers(south)) == 1
    home.tell(refusal(offer_to(home, "p")), minute=60)
    home.tell(time(60))
    assert home.pieces("p") == [("1", 4, PieceState.REFUSED, "n1")]
    home.tell(time(61))
    assert home.pieces("p") == [("1", 4, BACKORDERED, "n1")]


def test_a_pool_on_the_same_shard_is_asked_in_the_same_way() -> None:
    ledger = Ledger()
    ledger.stock("s1", "tea", 4, pool="south")
    pools = (TWO_POOLS[0], sourcing("south", ["s1"], shard=0))
    ledger.tell(order("o", ("tea", 4), pools=pools))
    (offer,) = ledger.emitted(LineOffered)
    ledger.tell(offer)
    ledger.tell(time())
    (answer,) = answers(ledger)
    ledger.tell(answer)
    assert ledger.pieces("o") == [("1", 4, PieceState.ACCEPTED, "n1")]
    assert ledger.pieces("o", offer.offer) == [("1", 4, RESERVED, "s1")]


def test_cancelling_withdraws_the_offer_and_a_late_answer_is_ignored(
    home: Ledger, south: Ledger
) -> None:
    south.stock("s1", "tea", 4, pool="south")
    offer = offer_to(home)
    home.tell(cancelled("o"))
    (withdrawal,) = home.emitted(LineWithdrawn)
    south.tell(offer)
    south.tell(time())
    (answer,) = answers(south)
    assert home.tell(answer).duplicate
    assert home.pieces("o") == [("1", 4, PieceState.CANCELLED, "n1")]
    south.tell(withdrawal)
    (asked,) = south.emitted(AllocationCancelRequested)
    assert asked.allocation == south.parcel("o", offer.offer)


def test_cancelling_an_accepted_line_withdraws_it(home: Ledger, south: Ledger) -> None:
    south.stock("s1", "tea", 4, pool="south")
    offer = offer_to(home)
    south.tell(offer)
    south.tell(time())
    home.tell(answers(south)[0])
    home.tell(cancelled("o"))
    (withdrawal,) = home.emitted(LineWithdrawn)
    assert withdrawal.offer == offer.offer


def test_a_withdrawn_offer_is_dropped_before_and_after_it_comes(
    home: Ledger, south: Ledger
) -> None:
    south.stock("s1", "tea", 9, pool="south")
    offer = offer_to(home)
    home.tell(cancelled("o"))
    (withdrawal,) = home.emitted(LineWithdrawn)
    for first, second in ((offer, withdrawal), (withdrawal, offer)):
        ledger = Ledger(1)
        ledger.stock("s1", "tea", 9, pool="south")
        ledger.tell(first)
        ledger.tell(second)
        ledger.tell(time())
        assert answers(ledger) == []
        assert ledger.claim("o", offer.offer).state is ClaimState.CANCELLED


def test_two_lines_of_one_order_leave_in_one_parcel(home: Ledger, south: Ledger) -> None:
    south.stock("s1", "tea", 4, pool="south")
    south.stock("s1", "cup", 4, pool="south")
    home.tell(order("o", ("tea", 1), ("cup", 1), pools=TWO_POOLS))
    for offer in home.emitted(LineOffered):
        south.tell(offer)
    south.tell(time())
    (parcel,) = south.emitted(OrderAllocated)
    assert sorted(line.line for line in parcel.lines) == ["1", "2"]


def test_what_is_reserved_for_an_offer_keeps_the_trace_of_the_offer(
    home: Ledger, south: Ledger
) -> None:
    south.stock("s1", "tea", 4, pool="south")
    south.tell(offer_to(home))
    south.tell(time())
    traces = {type(one.event): one.traceparent for one in south.emissions if one.topic is None}
    assert traces[OrderAllocated] == "trace of restock.LineOffered.v1"


@pytest.mark.parametrize("kind", ["accepted", "refused"])
def test_an_answer_for_an_unknown_order_is_refused(home: Ledger, kind: str) -> None:
    offer = offer_to(Ledger())
    answer = refusal(offer)
    event: Event = answer
    if kind == "accepted":
        event = LineAccepted(offer=offer.offer, order="o", line="1", pool="south", location="s1")
    with pytest.raises(Permanent, match="'o' is not an order of this shard"):
        home.tell(event)


def test_an_offer_for_another_shard_is_refused(home: Ledger) -> None:
    with pytest.raises(Permanent, match=r"sourcing\.shard: is 1, read on 0"):
        home.tell(offer_to(Ledger()))


def refusal(offer: LineOffered) -> LineRefused:
    return LineRefused(
        offer=offer.offer, order=offer.order, line=offer.line.line, pool=offer.sourcing.pool
    )
