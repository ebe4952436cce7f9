"""What came out: parts put together, and the reason for each shipment on no route."""

from collections.abc import Iterable, Sequence

import numpy as np

from dispatcher.domain.vrp.feasibility import clock
from dispatcher.domain.vrp.kernel.insertion import insert, remove
from dispatcher.domain.vrp.kernel.search import scratch
from dispatcher.domain.vrp.kernel.state import Task, empty_state, refresh
from dispatcher.domain.vrp.parts import Part
from dispatcher.domain.vrp.plan import Missing, Plan, Route
from dispatcher.domain.vrp.pool import Routes
from dispatcher.domain.vrp.problem import IntArray, Problem, Shipment
from dispatcher.domain.vrp.schedule import day_start, route_cost

_MICRO = 1_000_000


def merged(problem: Problem, plans: Iterable[Plan], refused: Sequence[Missing]) -> Plan:
    """Return one plan of the parts' plans and what was refused: carriers are given their share.

    Asserts that served + carrier + unserved = asked.
    """
    routes: list[Route] = []
    missing = list(refused)
    for plan in plans:
        routes += plan.routes
        missing += [*plan.carrier, *plan.unserved]
    shipments = {one.shipment: one for one in problem.shipments}
    order = {one.shipment: index for index, one in enumerate(problem.shipments)}
    missing.sort(key=lambda one: order[one.shipment])
    carrier = tuple(one for one in missing if _carried(shipments[one.shipment]))
    unserved = tuple(one for one in missing if not _carried(shipments[one.shipment]))
    rank = {one.vehicle: index for index, one in enumerate(problem.vehicles)}
    routes.sort(key=lambda route: rank[route.vehicle])
    vehicles = {one.vehicle: one for one in problem.vehicles}
    day_s = day_start(problem)
    cost = sum(
        shipments[one.shipment].left_out_cost + problem.prices.left_out_wait for one in missing
    )
    cost += sum(
        route_cost(problem.prices, vehicles[one.vehicle], one, shipments.__getitem__, day_s)
        for one in routes
    )
    answered = [stop.shipment for route in routes for stop in route.stops]
    answered += [one.shipment for one in missing]
    assert len(answered) == len(order), f"{len(order)} asked, {len(answered)} answered"
    assert set(answered) == set(order), "a shipment is answered twice, and another not at all"
    return Plan(tuple(routes), carrier, unserved, cost)


def _carried(one: Shipment) -> bool:
    """Return whether what is left out goes to a carrier: one takes it, and it is cheaper so."""
    return one.carrier_price is not None and one.carrier_price == one.left_out_cost


def left_out(part: Part, task: Task, routes: Routes) -> Plan:
    """Return the shipments on no route, each with why, and what would have let it in.

    Each is tried on the finished routes at any price: where it fits, what it would add is the
    reason; where it does not, either no vehicle that may carry it has the room left, or none has
    the time.
    """
    served = {node for route in routes for node in route}
    absent = [node for node in range(task.depots, len(task.near)) if node not in served]
    if not absent:
        return Plan(())
    state = empty_state(task)
    notes = scratch(task, 0)
    places, vehicles = len(task.near), len(task.home)
    for vehicle, route in enumerate(routes):
        left = places + vehicle
        for node in route:
            state.after[left], state.prior[node] = node, left
            left = node
        state.after[left] = places + vehicles + vehicle
        state.prior[places + vehicles + vehicle] = left
        refresh(task, state, vehicle)
    missing = []
    for node in absent:
        one = part.problem.shipments[node - task.depots]
        vehicle = insert(task, state, node, notes.dice, notes.seen, False, True)
        if vehicle < 0:
            missing.append(Missing(one.shipment, *_no_room(part, task, state.load, node)))
            continue
        before = float(state.cost[vehicle])
        refresh(task, state, vehicle)
        added = float(state.cost[vehicle]) - before
        remove(state, node)
        refresh(task, state, vehicle)
        missing.append(Missing(one.shipment, *_dear(one, added)))
    return Plan((), unserved=tuple(missing))


def _dear(one: Shipment, added: float) -> tuple[str, str]:
    money = f"{added / _MICRO:.2f}"
    else_ = f"{one.left_out_cost / _MICRO:.2f}"
    where = "the carrier takes it for" if _carried(one) else "leaving it out costs"
    return (
        f"a route would be dearer: it adds {money} or more, {where} {else_}",
        f"a penalty or a carrier's price above {money}",
    )


def _no_room(part: Part, task: Task, loads: IntArray, node: int) -> tuple[str, str]:
    one = part.problem.shipments[node - task.depots]
    may = [v for v in range(len(task.home)) if task.may[v, node]]
    room = task.capacity - loads
    fits = [v for v in may if bool(np.all(task.load[node] <= room[v]))]
    window = f"{clock(one.earliest_s)} to {clock(one.latest_s)}"
    remedy = f"one more vehicle that may carry it, free from {window}"
    if not fits:
        most = max(int(room[v, 0]) for v in may)
        need = int(task.load[node, 0])
        return f"fleet full: it needs {need}, the most room left is {most}", remedy
    return (
        f"no time: {len(fits)} vehicles have the room, none gets there in its window "
        f"({window}) between its other stops",
        f"a wider window, or {remedy}",
    )
