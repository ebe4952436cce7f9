"""What changes a day that is planned: urgent orders, lost vehicles, nobody at home, delays."""

from datetime import datetime, timedelta

import pytest
from tests.integration.dispatcher.harness import Dispatcher, Warehouse, at, of

from restock_common.contracts.dispatch import RouteCancelled, RoutePlanned, ShipmentFailed
from restock_common.contracts.ledger import DeliveryWindow

pytestmark = pytest.mark.kafka


async def test_an_urgent_order_joins_the_plan_of_the_day(running: Dispatcher) -> None:
    here = Warehouse("urgent")
    await running.know(*here.catalogue())
    await running.say(here, here.allocated("a"), here.allocated("b", latitude=40.03))
    await running.tick(here, 0)
    today = DeliveryWindow(earliest=at(11), latest=at(16))
    await running.say(here, here.allocated("now", hours=7, window=today, latitude=40.025))
    await running.tick(here, 7.2)
    first, second = of(RoutePlanned, await running.dispatch_events(here))
    assert (second.route, second.plan) == (first.route, first.plan)
    assert second.plan_version == first.plan_version + 1 == 2
    assert (second.added, second.removed, second.cause) == (("urgent-now",), (), "wave")
    assert len(second.stops) == 3

    await running.tick(here, 12)
    await running.say(here, here.allocated("next", hours=12.1, window=today))
    await running.tick(here, 12.3)
    third = (await running.dispatch_events(here))[-1]
    assert third.route != first.route, "the van goes again when it is back"
    assert third.departs_at > second.returns_at
    assert third.plan == first.plan


async def test_what_a_lost_vehicle_was_to_bring_goes_with_another_one(running: Dispatcher) -> None:
    here = Warehouse("lost")
    await running.know(*here.catalogue(vans=2))
    await running.say(here, *(here.allocated(name) for name in "abc"))
    await running.tick(here, 0)
    [first] = of(RoutePlanned, await running.dispatch_events(here))
    path = f"/v1/vehicles/{first.vehicle}/out"
    body = {"since": at(1).isoformat(), "reason": "flat battery"}
    for _ in range(2):
        assert (await running.http.post(path, json=body)).status_code == 202
    unknown = await running.http.post("/v1/vehicles/unheard/out", json=body)
    assert unknown.status_code == 404
    await running.quiet()
    _, cancelled, second = await running.dispatch_events(here)
    assert isinstance(cancelled, RouteCancelled)
    assert (cancelled.route, "flat battery" in cancelled.reason) == (first.route, True)
    assert second.vehicle != first.vehicle
    assert {stop.allocation for stop in second.stops} == {"lost-a", "lost-b", "lost-c"}
    await running.tick(here, 9)
    ledger = await running.ledger_events(here)
    assert sorted(one.allocation for one in ledger) == ["lost-a", "lost-b", "lost-c"]
    assert {one.route for one in ledger} == {second.route}

    path = f"/v1/vehicles/{second.vehicle}/out"
    body = {"since": at(9).isoformat(), "reason": "in the ditch"}
    assert (await running.http.post(path, json=body)).status_code == 202
    await running.quiet()
    failed = of(ShipmentFailed, await running.dispatch_events(here))
    assert [one.reason for one in failed] == ["vehicle"] * 3
    assert await running.status(here, "a") == "waiting"


async def test_what_could_not_be_delivered_goes_again_and_the_ledger_hears_once(
    running: Dispatcher,
) -> None:
    here = Warehouse("again")
    await running.know(*here.catalogue())
    await running.say(here, here.allocated("a"), here.allocated("b"))
    await running.tick(here, 0)
    await running.tick(here, 9)
    path = f"/v1/shipments/{here.allocation('a')}/failed"
    body = {"failed_at": at(10).isoformat(), "reason": "not_home"}
    assert (await running.http.post(path, json=body, headers={"X-API-Key": "x"})).status_code == 401
    assert (await running.http.post(path, json=body | {"reason": "bored"})).status_code == 422
    for _ in range(2):
        assert (await running.http.post(path, json=body)).status_code == 202
    refused = {"failed_at": at(10).isoformat(), "reason": "refused", "note": "too late"}
    final = await running.http.post(f"/v1/shipments/{here.allocation('b')}/failed", json=refused)
    assert final.status_code == 202
    await running.tick(here, 24)
    await running.tick(here, 40)
    events = await running.dispatch_events(here)
    told = [(one.allocation, one.attempt, one.final) for one in of(ShipmentFailed, events)]
    assert told == [("again-a", 1, False), ("again-b", 1, True)]
    again = of(RoutePlanned, events)[-1]
    assert [stop.allocation for stop in again.stops] == ["again-a"]
    assert (await running.status(here, "a"), await running.status(here, "b")) == (
        "departed",
        "returned",
    )
    ledger = await running.ledger_events(here)
    assert sorted(one.allocation for one in ledger) == ["again-a", "again-b"]


async def test_a_plan_is_shown_and_a_late_route_is_expected_later(running: Dispatcher) -> None:
    here = Warehouse("seen")
    await running.know(*here.catalogue())
    await running.say(here, here.allocated("a"), here.allocated("b", latitude=40.1))
    await running.tick(here, 0)
    await running.tick(here, 9)
    shown = (await running.http.get("/v1/plans", params={"location": "seen"})).json()["plans"]
    path = f"/v1/plans/{shown[0]['plan']}"
    plan = (await running.http.get(path)).json()
    assert (plan["day"], plan["version"], plan["stops"]) == ("2017-01-02", 2, 2)
    chart = await running.http.get(f"{path}.geojson")
    assert chart.headers["content-type"] == "application/geo+json"
    kinds = [one["geometry"]["type"] for one in chart.json()["features"]]
    assert kinds == ["LineString", "Point", "Point"]
    [route] = plan["routes"]
    paper = await running.http.get(f"/v1/routes/{route['route']}/manifest")
    assert all(here.allocation(name) in paper.text for name in "ab")
    for missing in ("/v1/plans/none", "/v1/plans/none.geojson", "/v1/routes/none/manifest"):
        assert (await running.http.get(missing)).status_code == 404

    about = f"/v1/shipments/{here.allocation('a')}"
    before = (await running.http.get(about)).json()["expected"]
    assert before["earliest"] <= before["at"] <= before["latest"]
    late = {"late_minutes": 45, "reported_at": at(9).isoformat()}
    for _ in range(2):
        answer = await running.http.post(f"/v1/routes/{route['route']}/late", json=late)
        assert answer.status_code == 202
    await running.quiet()
    told = of(RoutePlanned, await running.dispatch_events(here))[1:]
    assert [(one.cause, len(one.retimed)) for one in told] == [("delayed", 2)]
    after = (await running.http.get(about)).json()["expected"]
    arrives = datetime.fromisoformat(after["at"])
    assert arrives - datetime.fromisoformat(before["at"]) == timedelta(minutes=45)
