"""A shipment from its allocation to the customer, or back to the shelf."""

from dataclasses import replace

import pytest
from tests.unit.dispatcher.examples import (
    DAY,
    DEPOT,
    SOURCE,
    at,
    place,
    proposal,
    shipment,
    tour,
    wave,
)

from dispatcher.domain.change import NOTHING, Change
from dispatcher.domain.commitment import commit, new_plan
from dispatcher.domain.delivery import deliver, refusal
from dispatcher.domain.departure import advance
from dispatcher.domain.model import Shipment, Status
from dispatcher.domain.proposal import LeftOut, Proposal
from dispatcher.domain.route import Route, RouteState
from dispatcher.domain.rules import Rules
from dispatcher.domain.withdrawal import withdraw
from restock_common.contracts.dispatch import (
    RouteCancelled,
    RoutePlanned,
    ShipmentUnserved,
    WithdrawalRefused,
)
from restock_common.contracts.fulfilment import AllocationCancelRequested
from restock_common.contracts.ledger import AllocationWithdrawn, ShipmentDispatched

PLAN = new_plan("L", DAY)
COMMITTED = {PLAN.plan: PLAN.changed()}


def request(name: str) -> AllocationCancelRequested:
    return AllocationCancelRequested(
        location="L", allocation=name, order=f"shop:{name}", shard=2, requested_at=at(3)
    )


def planned(
    *served: str, unserved: tuple[str, ...] = (), mark_hours: float = 0
) -> tuple[Change, Route | None]:
    """Commit a plan that serves and leaves out these shipments."""
    asked = {
        name: replace(shipment(name), destination=place(n + 1))
        for n, name in enumerate((*served, *unserved))
    }
    tours = (tour(*served),) if served else ()
    change = commit(
        wave(closed=True),
        PLAN,
        asked,
        proposal(*tours, unserved=unserved),
        [],
        [],
        waves={},
        mark=at(mark_hours),
        rules=Rules(),
    )
    return change, change.routes[0] if change.routes else None


def on_route(change: Change) -> dict[str, Shipment]:
    return {one.allocation: one for one in change.shipments}


def test_a_committed_plan_puts_each_shipment_on_its_route_or_into_the_next_wave() -> None:
    change, route = planned("a", "b", unserved=("c",))
    assert route is not None
    held = on_route(change)
    assert {name: one.status for name, one in held.items()} == {
        "a": Status.PLANNED,
        "b": Status.PLANNED,
        "c": Status.WAITING,
    }
    assert (held["a"].route, held["c"].route) == (route.route, None)
    assert (held["c"].missed, held["c"].reason) == (1, "no room")
    this, following = change.waves
    assert this.planned
    assert (following.cut_off, following.version, following.closed_at) == (at(24), 1, None)
    assert held["c"].wave == following.wave
    assert [type(one.event) for one in change.told] == [RoutePlanned, ShipmentUnserved]
    assert [one.traceparent for one in change.told] == ["trace-of-a", "trace-of-c"]


def test_time_that_passed_the_next_cut_off_meanwhile_has_closed_the_next_wave() -> None:
    change, _ = planned(unserved=("c",), mark_hours=30)
    assert (change.waves[1].cut_off, change.waves[1].closed_at) == (at(24), at(24))


def test_a_plan_for_other_shipments_than_wait_is_a_bug() -> None:
    with pytest.raises(AssertionError, match=r"asked \['b'\], answered \['a'\]"):
        commit(
            wave(closed=True),
            PLAN,
            {"b": shipment("b")},
            Proposal(DEPOT, (), (LeftOut("a", "no room"),)),
            [],
            [],
            waves={},
            mark=None,
            rules=Rules(),
        )


@pytest.mark.parametrize(
    ("source", "hours", "closed", "left"),
    [
        (SOURCE, -0.1, False, False),
        (SOURCE, 0, True, False),
        (SOURCE, 7.9, True, False),
        (SOURCE, 8, True, True),
        ("/another/shard", 99, False, False),
    ],
)
def test_only_a_warehouses_own_writer_closes_its_waves_and_lets_its_routes_go(
    source: str, hours: float, closed: bool, left: bool
) -> None:
    change, route = planned("a")
    assert route is not None
    assert route.departs_at == at(8)
    passed = advance(source, at(hours), [wave()], [route], on_route(change), COMMITTED)
    assert [one.closed_at for one in passed.waves] == ([at(hours)] if closed else [])
    assert [one.state for one in passed.routes] == ([RouteState.DEPARTED] if left else [])
    events = [one.event for one in passed.told]
    assert [type(event) for event in events] == ([ShipmentDispatched] if left else [])
    assert [(one.shard, one.traceparent) for one in passed.told] == (
        [(2, "trace-of-a")] if left else []
    )


def test_routes_leave_in_the_order_of_their_times() -> None:
    change, route = planned("a")
    assert route is not None
    later = replace(route, route="0-later", departs_at=at(9))
    shipments = {"a": on_route(change)["a"]}
    with_both = {**shipments, "b": replace(shipments["a"], allocation="b", route="0-later")}
    later = replace(later, stops=(replace(route.stops[0], allocation="b"),))
    passed = advance(SOURCE, at(10), [], [later, route], with_both, COMMITTED)
    assert [one.route for one in passed.routes] == [route.route, "0-later"]


def test_a_waiting_shipment_is_given_back_and_its_wave_has_another_version() -> None:
    change = withdraw(
        request("a"), shipment("a"), replace(wave(version=4), size=1), None, None, 1.3
    )
    assert change.waves[0].version == 5
    assert change.shipments[0].status is Status.WITHDRAWN
    [told] = change.told
    assert isinstance(told.event, AllocationWithdrawn)
    assert (told.shard, told.event.withdrawn_at) == (2, at(3))
    assert withdraw(request("a"), change.shipments[0], change.waves[0], None, None, 1.3) is NOTHING


def test_a_planned_shipment_leaves_its_route_and_the_others_keep_their_times() -> None:
    change, route = planned("a", "b", "c")
    assert route is not None
    back = withdraw(request("b"), on_route(change)["b"], None, route, COMMITTED[PLAN.plan], 1.3)
    [kept] = back.routes
    assert [stop.allocation for stop in kept.stops] == ["a", "c"]
    assert [stop.arrives_at for stop in kept.stops] == [
        route.stops[0].arrives_at,
        route.stops[2].arrives_at,
    ]
    assert kept.stops[1].metres == pytest.approx(2600, abs=30), "straight on, by the road"
    assert kept.metres == pytest.approx(2 * 3 * 1300, abs=60)
    assert (kept.plan_version, kept.state) == (2, RouteState.PLANNED)
    assert [type(one.event) for one in back.told] == [AllocationWithdrawn, RoutePlanned]


def test_a_route_that_loses_its_last_stop_is_cancelled() -> None:
    change, route = planned("a")
    assert route is not None
    back = withdraw(request("a"), on_route(change)["a"], None, route, COMMITTED[PLAN.plan], 1.3)
    assert [one.state for one in back.routes] == [RouteState.CANCELLED]
    assert [type(one.event) for one in back.told] == [AllocationWithdrawn, RouteCancelled]
    assert advance(SOURCE, at(20), [], back.routes, {}, {}) == Change()


@pytest.mark.parametrize("status", [Status.DEPARTED, Status.DELIVERED])
def test_what_has_left_is_refused(status: Status) -> None:
    change, route = planned("a")
    gone = replace(on_route(change)["a"], status=status)
    back = withdraw(request("a"), gone, None, route, COMMITTED[PLAN.plan], 1.3)
    assert (back.shipments, back.routes) == ((), ())
    [told] = back.told
    assert isinstance(told.event, WithdrawalRefused)
    assert "left on route" in told.event.reason


def test_what_was_never_heard_of_is_refused() -> None:
    [told] = withdraw(request("x"), None, None, None, None, 1.3).told
    assert isinstance(told.event, WithdrawalRefused)
    assert "x is not known here" in told.event.reason


@pytest.mark.parametrize(
    ("status", "hours", "mark_hours", "expected"),
    [
        (Status.DEPARTED, 10, 10, None),
        (Status.DELIVERED, 10, 10, None),
        (Status.WAITING, 10, 10, 409),
        (Status.PLANNED, 10, 10, 409),
        (Status.WITHDRAWN, 10, 10, 409),
        (Status.DEPARTED, 7.9, 10, 422),
        (Status.DEPARTED, 35, 10, 422),
        (Status.DEPARTED, 33, 10, None),
    ],
)
def test_a_confirmation_must_be_possible(
    status: Status, hours: float, mark_hours: float, expected: int | None
) -> None:
    change, route = planned("a")
    known = replace(on_route(change)["a"], status=status)
    found = refusal("a", known, route, at(hours), at(mark_hours))
    assert (found.status if found else None) == expected


def test_an_unknown_shipment_cannot_be_confirmed() -> None:
    found = refusal("a", None, None, at(10), None)
    assert found is not None
    assert found.status == 404


def test_the_first_confirmation_stands() -> None:
    change, _ = planned("a")
    first = deliver(replace(on_route(change)["a"], status=Status.DEPARTED), at(10))
    assert first.shipments[0].delivered_at == at(10)
    assert deliver(first.shipments[0], at(11)) is NOTHING
