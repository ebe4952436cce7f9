from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from restock_common.contracts.dead_letters import DeadLetter
from restock_common.contracts.demand import DemandObserved
from restock_common.contracts.dispatch import ShipmentDelivered
from restock_common.contracts.envelope import Message, Record, encode
from restock_common.contracts.event import Event
from restock_common.contracts.ledger import (
    CandidateLocation,
    OrderLine,
    OrderPlaced,
    Place,
    Sourcing,
    TimeAdvanced,
)
from restock_local.demo.figures import MUST_BE_NONE, Figures, LedgerTotals, Run, figures
from restock_local.demo.plan import Plan, Submission
from restock_local.demo.readback import Tally
from restock_local.demo.screen import verdict
from restock_local.demo.world import Carriers, Suppliers

NOW = datetime(2017, 1, 1, 9, tzinfo=UTC)
RUN = Run(days=1, seed=1, shop="demo", platform={"broker": "b"}, wall_s=5.0, replay_s=2.0)
LEDGER = LedgerTotals(
    orders=2,
    orders_applied_twice=0,
    lines_reserved=2,
    lines_backordered=1,
    lines_served_by_another_pool=1,
    units_oversold=0,
    balances_differing=0,
    receipts=3,
)
PLAN = Plan(
    submissions=tuple(Submission(NOW, order, b"{}") for order in ("1", "2")),
    cancellations=(),
    orders=frozenset({"1", "2"}),
)


def _record(event: Event, identity: str) -> Record:
    headers, body = encode(Message(id=identity, source="/test", time=NOW, event=event))
    return Record(event.topic.name, 0, 0, 0, None, body, headers)


def _placed(order: str) -> Event:
    near = CandidateLocation(location="l", distance_km=1)
    return OrderPlaced(
        order=order,
        customer="c",
        placed_at=NOW,
        destination=Place(latitude=39, longitude=-84),
        lines=(OrderLine(line="1", sku="s", quantity=1),),
        sourcing=(Sourcing(pool="p", shard=0, locations=(near,)),),
    )


def _demand(order: str, line: str = "1") -> Event:
    return DemandObserved(
        sku="s", location="l", pool="p", order=order, line=line, quantity=1, occurred_at=NOW
    )


def _tally(*records: Record) -> Tally:
    tally = Tally(Suppliers({}, seed=1), Carriers(seed=1))
    for record in records:
        tally.take(record)
    return tally


BOTH = (_record(_placed("demo:1"), "a"), _record(_placed("demo:2"), "b"))


def test_a_repeated_order_is_sent_twice_but_neither_lost_nor_applied_twice() -> None:
    found = figures(RUN, PLAN, LEDGER, _tally(*BOTH, BOTH[1]))
    assert (found.orders_sent, found.orders_ledgered, found.orders_lost) == (2, 2, 0)
    assert (found.duplicates_sent, found.duplicates_applied) == (1, 0)
    assert found.orders_per_s == 1.0
    assert found.sound


def test_an_order_that_never_reached_the_topic_is_lost() -> None:
    found = figures(RUN, PLAN, LEDGER, _tally(BOTH[0], _record(_placed("demo:other"), "x")))
    assert (found.orders_ledgered, found.orders_lost) == (1, 1)
    assert not found.sound


def test_an_order_on_the_topic_but_not_in_the_tables_is_lost() -> None:
    found = figures(RUN, PLAN, replace(LEDGER, orders=1), _tally(*BOTH))
    assert (found.orders_ledgered, found.orders_lost) == (1, 1)


def test_demand_delivered_again_is_no_duplicate_but_observed_again_it_is() -> None:
    first = _record(_demand("demo:1"), "d1")
    redelivered = figures(RUN, PLAN, LEDGER, _tally(*BOTH, first, first))
    assert (redelivered.demand_events, redelivered.duplicates_applied) == (1, 0)
    again = _record(_demand("demo:1"), "d2")
    other_line = _record(_demand("demo:1", "2"), "d3")
    twice = figures(RUN, PLAN, LEDGER, _tally(*BOTH, first, again, other_line))
    assert (twice.demand_events, twice.duplicates_applied) == (3, 1)


def test_things_are_counted_once_however_often_they_are_on_the_topic() -> None:
    delivered = ShipmentDelivered(
        location="l", allocation="a", order="demo:1", route="r", delivered_at=NOW
    )
    letter = DeadLetter(
        consumer="x",
        source_topic="t",
        source_partition=0,
        source_offset=5,
        reason="bad",
        body_bytes=0,
    )
    tally = _tally(
        *BOTH,
        *(_record(delivered, name) for name in ("e", "f")),
        *(_record(letter, name) for name in ("g", "h")),
        _record(TimeAdvanced(until=NOW), "t"),
    )
    found = figures(RUN, PLAN, LEDGER, tally)
    assert (found.shipments_delivered, found.dead_letters) == (1, 1)


def test_business_figures_leave_out_time_platform_and_redeliveries() -> None:
    found = figures(RUN, PLAN, LEDGER, _tally(*BOTH))
    slower = replace(RUN, wall_s=50.0, replay_s=20.0, platform={"broker": "other"})
    other = figures(slower, PLAN, LEDGER, _tally(*BOTH, BOTH[0]))
    assert found != other
    assert found.business() == other.business()
    assert found.business() != replace(found, routes=1).business()


@pytest.mark.parametrize("fault", MUST_BE_NONE)
def test_the_verdict_names_what_is_not_sound(fault: str) -> None:
    found = figures(RUN, PLAN, LEDGER, _tally(*BOTH))
    assert verdict(found).startswith("Sound")
    changed: dict[str, Any] = {fault: 3}
    faulty: Figures = replace(found, **changed)
    assert not faulty.sound
    assert verdict(faulty) == f"Not sound: 3 {fault.replace('_', ' ')}."


def test_the_ledger_s_answer_must_name_every_total() -> None:
    answer = {"orders": 1, "something_else": 2}
    with pytest.raises(KeyError, match="orders_applied_twice"):
        LedgerTotals.read(answer)
