"""From an allocation to the route, the departure and the delivery."""

import os
import signal
from typing import Any

import pytest
from tests.integration.dispatcher.harness import (
    TRACE,
    Dispatcher,
    Warehouse,
    at,
    of,
)
from tests.support import publish, read_records, until

from dispatcher.domain.vrp.plan import Plan, WarmStart
from dispatcher.domain.vrp.problem import Problem
from restock_common.contracts.dispatch import (
    RouteCancelled,
    RoutePlanned,
    ShipmentDelivered,
    ShipmentUnserved,
    WithdrawalRefused,
)
from restock_common.contracts.envelope import Message
from restock_common.contracts.ledger import (
    AllocationWithdrawn,
    DeliveryWindow,
    ShipmentDispatched,
    TimeAdvanced,
)
from restock_common.contracts.topics import DISPATCH, FULFILMENT, LEDGER

pytestmark = pytest.mark.kafka


async def test_an_allocation_becomes_a_route_and_leaves_in_the_orders_own_trace(
    running: Dispatcher,
) -> None:
    here = Warehouse("straight")
    await running.know(*here.catalogue())
    await running.say(here, here.allocated("a"), here.allocated("b"), here.allocated("a"))
    assert await running.dispatch_events(here) == []

    await running.tick(here, 0)
    [route] = await running.dispatch_events(here)
    assert isinstance(route, RoutePlanned)
    assert sorted(stop.allocation for stop in route.stops) == ["straight-a", "straight-b"]
    assert route.departs_at >= at(8)
    assert route.load_grams == 2000
    assert await running.ledger_events(here) == []

    await running.tick(here, 7.9)
    assert await running.ledger_events(here) == []
    await running.tick(here, 9)
    gone = await running.published(here, LEDGER)
    assert sorted(one.event.allocation for one in gone) == ["straight-a", "straight-b"]
    assert all(isinstance(one.event, ShipmentDispatched) for one in gone)
    assert {one.event.dispatched_at for one in gone} == {route.departs_at}
    assert {one.traceparent for one in gone} == {TRACE}
    [planned] = await running.published(here, DISPATCH)
    assert planned.traceparent == TRACE
    shards = {
        record.partition
        for record in await read_records(running.kafka, LEDGER)
        if b"straight-" in (record.value or b"")
    }
    assert shards == {here.shard}


async def test_a_carrier_confirms_and_repeats_change_nothing(running: Dispatcher) -> None:
    here = Warehouse("carried")
    await running.know(*here.catalogue())
    path = f"/v1/shipments/{here.allocation('a')}/delivered"
    body = {"delivered_at": at(10).isoformat()}
    assert (await running.http.post(path, json=body)).status_code == 404
    await running.say(here, here.allocated("a"), here.allocated("b"))
    await running.tick(here, 0)
    early = await running.http.post(path, json=body)
    assert early.status_code == 409
    assert early.headers["content-type"] == "application/problem+json"
    await running.tick(here, 9)

    before = await running.http.post(path, json={"delivered_at": at(1).isoformat()})
    assert (before.status_code, "before it left" in before.text) == (422, True)
    future = await running.http.post(path, json={"delivered_at": "2099-01-01T00:00:00Z"})
    assert (future.status_code, "future" in future.text) == (422, True)
    for _ in range(3):
        assert (await running.http.post(path, json=body)).status_code == 202
    items = [
        {"allocation": here.allocation(name), "delivered_at": at(11).isoformat()}
        for name in ("a", "b", "b", "unheard")
    ]
    batch = await running.http.post("/v1/shipments:delivered", json={"items": items})
    assert batch.status_code == 207
    assert [one["status"] for one in batch.json()["items"]] == [202, 202, 202, 404]
    await running.quiet()
    events = of(ShipmentDelivered, await running.dispatch_events(here))
    assert [(one.allocation, one.delivered_at) for one in events] == [
        (here.allocation("a"), at(10)),
        (here.allocation("b"), at(11)),
    ]
    assert await running.status(here, "a") == "delivered"


@pytest.mark.parametrize(
    "body",
    [{}, {"delivered_at": "noon"}, {"delivered_at": at(1).isoformat(), "more": 1}, [1]],
)
async def test_a_malformed_confirmation_is_a_problem_that_names_the_field(
    running: Dispatcher, body: object
) -> None:
    answer = await running.http.post("/v1/shipments/x/delivered", json=body)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["errors"][0]["field"].startswith("body")


async def test_what_waits_is_given_back_and_what_is_planned_leaves_its_route(
    running: Dispatcher,
) -> None:
    here = Warehouse("asked")
    await running.know(*here.catalogue())
    await running.say(here, *(here.allocated(name) for name in ("a", "b", "c")))
    await running.say(here, here.cancel("a", -1), here.cancel("a", -1))
    assert of(AllocationWithdrawn, await running.ledger_events(here)) == [
        AllocationWithdrawn(
            allocation="asked-a",
            order="shop:a",
            location="asked",
            withdrawn_at=at(-1),
        )
    ]
    await running.tick(here, 0)
    await running.say(here, here.cancel("b", 2))
    first, second = of(RoutePlanned, await running.dispatch_events(here))
    assert (first.route, first.plan_version + 1) == (second.route, second.plan_version)
    assert [stop.allocation for stop in second.stops] == ["asked-c"]
    times = {stop.allocation: stop.arrives_at for stop in first.stops}
    assert second.stops[0].arrives_at == times["asked-c"]
    assert second.departs_at == first.departs_at

    await running.tick(here, 9)
    await running.say(here, here.cancel("c", 9), here.cancel("unheard", 9))
    ledger = await running.ledger_events(here)
    assert [one.allocation for one in of(ShipmentDispatched, ledger)] == ["asked-c"]
    assert [one.allocation for one in of(AllocationWithdrawn, ledger)] == ["asked-a", "asked-b"]
    refused = of(WithdrawalRefused, await running.dispatch_events(here))
    assert [one.allocation for one in refused] == ["asked-c", "asked-unheard"]
    assert "left on route" in refused[0].reason
    assert "not known" in refused[1].reason


async def test_a_route_that_loses_its_last_stop_never_leaves(running: Dispatcher) -> None:
    here = Warehouse("emptied")
    await running.know(*here.catalogue())
    await running.say(here, here.allocated("a"))
    await running.tick(here, 0)
    await running.say(here, here.cancel("a", 1))
    await running.tick(here, 20)
    assert [type(one) for one in await running.dispatch_events(here)] == [
        RoutePlanned,
        RouteCancelled,
    ]
    assert [type(one) for one in await running.ledger_events(here)] == [AllocationWithdrawn]


async def test_a_parcel_that_no_van_takes_is_told_with_its_reason_and_tried_again(
    running: Dispatcher,
) -> None:
    here = Warehouse("unserved")
    later = DeliveryWindow(earliest=at(24 + 9), latest=at(24 + 12))
    await running.know(*here.catalogue())
    await running.say(
        here,
        here.allocated("heavy", units=101),
        here.allocated("far", latitude=45.0),
        here.allocated("later", window=later),
        here.allocated("fine"),
    )
    await running.tick(here, 0)
    events = await running.dispatch_events(here)
    reasons = {one.allocation: one.reason for one in of(ShipmentUnserved, events)}
    assert reasons["unserved-heavy"].startswith("too heavy: 101000 g")
    assert reasons["unserved-far"].startswith("too far: ")
    assert "outside every shift" in reasons["unserved-later"]
    [route] = of(RoutePlanned, events)
    assert [stop.allocation for stop in route.stops] == ["unserved-fine"]
    assert await running.status(here, "later") == "waiting"

    await running.tick(here, 24)
    events = (await running.dispatch_events(here))[len(events) :]
    assert {one.allocation for one in of(ShipmentUnserved, events)} == {
        "unserved-heavy",
        "unserved-far",
    }
    [route] = of(RoutePlanned, events)
    assert [stop.allocation for stop in route.stops] == ["unserved-later"]
    assert later.earliest <= route.stops[0].arrives_at <= later.latest


async def test_a_warehouse_without_vans_or_unknown_says_so(running: Dispatcher) -> None:
    known, unknown = Warehouse("vanless"), Warehouse("nowhere")
    await running.know(*known.catalogue(vans=0))
    for here, reason in ((known, "no vehicle"), (unknown, "not in the catalogue")):
        await running.say(here, here.allocated("a"))
        await running.tick(here, 0)
        [event] = await running.dispatch_events(here)
        assert reason in event.reason


async def test_waves_and_routes_are_shown(running: Dispatcher) -> None:
    here = Warehouse("shown")
    await running.know(*here.catalogue())
    await running.say(here, here.allocated("a"), here.allocated("b", hours=3))
    await running.tick(here, 4)
    waves = (await running.http.get("/v1/waves", params={"location": "shown"})).json()["waves"]
    assert [(one["planned"], one["waiting"], one["routes"]) for one in waves] == [
        (False, 1, 0),
        (True, 0, 1),
    ]
    routes = (await running.http.get("/v1/routes", params={"location": "shown"})).json()
    assert [one["state"] for one in routes["routes"]] == ["planned"]
    assert (await running.http.get("/v1/routes")).status_code == 422
    assert (await running.http.get("/v1/shipments/none")).status_code == 404


async def test_a_withdrawal_while_the_solver_runs_makes_its_plan_stale(
    running: Dispatcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = Warehouse("stale")
    await running.know(*here.catalogue())
    solve = running.solver.solve
    asked: list[int] = []

    async def while_solving(problem: Problem, before: WarmStart | None) -> Plan:
        plan = await solve(problem, before)
        asked.append(len(problem.shipments))
        if len(asked) == 1:
            await _told(running, here, here.cancel("a", 1))
        return plan

    monkeypatch.setattr(running.solver, "solve", while_solving)
    await running.say(here, here.allocated("a"), here.allocated("b"))
    await running.tick(here, 0)
    assert asked == [2, 1]
    [route] = of(RoutePlanned, await running.dispatch_events(here))
    assert ([stop.allocation for stop in route.stops], route.plan_version) == (["stale-b"], 1)
    assert [one.allocation for one in await running.ledger_events(here)] == ["stale-a"]


async def test_a_killed_solver_is_replaced_and_the_wave_is_planned_all_the_same(
    running: Dispatcher,
) -> None:
    here = Warehouse("killed")
    await running.know(*here.catalogue(vans=4))
    first = running.solver.pid
    assert first is not None
    await running.say(
        here,
        *(
            here.allocated(f"{n}", latitude=40 + (n % 9) / 90, longitude=-83 - n / 900)
            for n in range(100)
        ),
    )
    tick = [here.tell(_time(0), at(0))]
    await publish(running.kafka, tick, partition=here.partition, topic=FULFILMENT)

    async def due() -> bool:
        return (await running.planner.progress()).pending == 1

    await until(due, what="the wave is due", every_s=0.005)
    os.kill(first, signal.SIGKILL)
    await running.quiet()
    assert running.solver.pid != first
    events = await running.dispatch_events(here)
    served = [stop.allocation for one in of(RoutePlanned, events) for stop in one.stops]
    left_out = [one.allocation for one in of(ShipmentUnserved, events)]
    assert sorted(served + left_out) == sorted(f"killed-{n}" for n in range(100))


async def test_time_that_jumps_over_the_departure_plans_and_leaves_at_once(
    running: Dispatcher,
) -> None:
    here = Warehouse("jumped")
    await running.know(*here.catalogue())
    await running.say(here, here.allocated("a"))
    await running.tick(here, 100)
    [gone] = await running.ledger_events(here)
    assert isinstance(gone, ShipmentDispatched)
    assert await running.status(here, "a") == "departed"


async def _told(running: Dispatcher, here: Warehouse, record: Message[Any]) -> None:
    """Publish a record and wait until it has been taken, not for what it makes due."""
    before = (await running.stream.progress()).offsets[FULFILMENT.name][here.partition]
    await publish(running.kafka, [record], partition=here.partition, topic=FULFILMENT)

    async def taken() -> bool:
        now = (await running.stream.progress()).offsets[FULFILMENT.name][here.partition]
        return now > before

    await until(taken, what="the record is taken")


def _time(hours: float) -> TimeAdvanced:
    return TimeAdvanced(until=at(hours))
