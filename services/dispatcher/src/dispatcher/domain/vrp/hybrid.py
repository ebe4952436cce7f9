"""The optional second engine: PyVRP's iterated local search (the extra `pyvrp`)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from dispatcher.domain.vrp.arrays import compile_problem
from dispatcher.domain.vrp.bounds import checked
from dispatcher.domain.vrp.feasibility import possible
from dispatcher.domain.vrp.kernel.state import Task
from dispatcher.domain.vrp.outcome import left_out, merged
from dispatcher.domain.vrp.parts import Part, parts, restricted, with_tables
from dispatcher.domain.vrp.plan import (
    Answer,
    Budget,
    Missing,
    OnProgress,
    Plan,
    Progress,
    WarmStart,
)
from dispatcher.domain.vrp.pool import Routes
from dispatcher.domain.vrp.problem import Problem
from dispatcher.domain.vrp.recreate import Search, Tuning
from dispatcher.domain.vrp.ruin_recreate import as_plan
from dispatcher.domain.vrp.start import holds, started

_FORBIDDEN = 10**9
"""The length of a drive to what a vehicle may not carry: leaving out is cheaper."""
_RESERVE_S = 0.08


@dataclass(frozen=True, slots=True)
class PyVrp:
    """PyVRP with its own defaults, on the same problem.

    It knows no breaks, promises, waiting customers, frozen stops or stability: breaks shorten the
    shifts that it is given, and what its routes then break is put right afterwards by the default
    engine's insertion. The costs that it does not know are in the plan's cost all the same.
    """

    name: str = "pyvrp"

    def solve(
        self,
        problem: Problem,
        budget: Budget,
        seed: int = 0,
        warm_start: WarmStart | None = None,
        on_progress: OnProgress | None = None,
    ) -> Answer:
        """Return a plan; see `plan.Solver`."""
        began = budget.clock()
        usable, refused = checked(problem)
        pieces = parts(usable)
        plans = []
        todo = sum(len(piece.shipments) for piece in pieces)
        for piece in pieces:
            now = budget.clock()
            share = len(piece.shipments) / max(1, todo)
            todo -= len(piece.shipments)
            mine = replace(budget, seconds=(began + budget.seconds - now) * share)
            plans.append(_solve_part(piece, mine, now, seed, warm_start))
        plan = merged(problem, plans, refused)
        last = Progress(budget.clock() - began, plan.cost)
        if on_progress is not None:
            on_progress(last)
        return Answer(plan, (last,))


def _solve_part(
    problem: Problem, budget: Budget, began: float, seed: int, warm_start: WarmStart | None
) -> Plan:
    import pyvrp
    from pyvrp.stop import MaxIterations, MaxRuntime

    if not problem.vehicles:
        reasons = [
            Missing(one.shipment, "there is no vehicle", "a vehicle") for one in problem.shipments
        ]
        return merged(problem, [], reasons)
    whole = with_tables(problem)
    kept, refused = possible(whole)
    if not kept:
        return merged(problem, [], refused)
    part = restricted(whole, kept)
    task = compile_problem(part.problem, part.tables, warm_start)
    before = started(part, task, warm_start)
    data, types = _data(pyvrp, part, task)
    reserve_s = _RESERVE_S + 0.01 * budget.seconds
    left_s = max(0.02, budget.seconds - (budget.clock() - began) - reserve_s)
    stop = MaxRuntime(left_s) if budget.iterations is None else MaxIterations(budget.iterations)
    first = None
    if any(before):
        visits = [
            pyvrp.Route(data, [node - task.depots for node in route], types[int(task.group[v])])
            for v, route in enumerate(before)
            if route
        ]
        first = pyvrp.Solution(data, visits)
    result = pyvrp.solve(data, stop, seed=seed, collect_stats=False, initial_solution=first)
    routes = _put_right(part, task, _dealt(task, types, result.best), before)
    return merged(problem, [as_plan(part, routes), left_out(part, task, routes)], refused)


def _data(pyvrp: Any, part: Part, task: Task) -> tuple[Any, dict[int, int]]:
    """Return the problem in PyVRP's terms, and its vehicle type for each group of vehicles."""
    problem, depots = part.problem, task.depots
    places = [one.place for one in problem.warehouses]
    places += [one.destination for one in problem.shipments]
    zero = -min(0, int(task.start.min()), int(task.earliest.min()))
    clients = [
        pyvrp.Client(
            node,
            delivery=[int(x) for x in task.load[node, : task.dimensions]],
            service_duration=int(task.service[node]),
            tw_early=int(task.earliest[node]) + zero,
            tw_late=int(task.latest[node]) + zero,
            prize=int(task.left_out[node]),
            required=False,
        )
        for node in range(depots, len(task.near))
    ]
    lengths: list[Any] = []
    durations: list[Any] = []
    profiles: dict[tuple[int, bytes], int] = {}
    types: dict[int, int] = {}
    vehicle_types: list[Any] = []
    for vehicle, group in enumerate(task.group):
        if int(group) in types:
            continue
        may = task.may[vehicle]
        key = (int(task.profile[vehicle]), may.tobytes())
        if key not in profiles:
            profiles[key] = len(lengths)
            metres = part.tables.matrices.metres.astype(np.int64)
            if not may.all():
                metres = metres.copy()
                metres[:, ~may] = _FORBIDDEN
                np.fill_diagonal(metres, 0)
            lengths.append(metres)
            durations.append(part.tables.matrices.seconds[key[0]].astype(np.int64))
        types[int(group)] = len(vehicle_types)
        vehicle_types.append(
            pyvrp.VehicleType(
                int((task.group == group).sum()),
                [int(x) for x in task.capacity[vehicle, : task.dimensions]],
                int(task.home[vehicle]),
                int(task.home[vehicle]),
                fixed_cost=int(task.fixed[vehicle]),
                tw_early=int(task.start[vehicle]) + zero,
                tw_late=int(task.end[vehicle]) + zero,
                shift_duration=max(0, int(task.longest[vehicle] - task.pause[vehicle, 2])),
                max_distance=min(int(task.reach[vehicle]), 2**40),
                unit_distance_cost=round(float(task.per_metre[vehicle])),
                unit_duration_cost=round(float(task.per_second[vehicle])),
                profile=profiles[key],
            )
        )
    locations = [pyvrp.Location(one.longitude, one.latitude) for one in places]
    stations = [pyvrp.Depot(node) for node in range(depots)]
    return pyvrp.ProblemData(locations, clients, stations, vehicle_types, lengths, durations), types


def _dealt(task: Task, types: dict[int, int], best: Any) -> Routes:
    """Give PyVRP's routes to vehicles of their types; it may have left rules broken."""
    free: dict[int, list[int]] = {}
    for vehicle in reversed(range(len(task.group))):
        free.setdefault(types[int(task.group[vehicle])], []).append(vehicle)
    routes: Routes = [[] for _ in task.home]
    for route in best.routes():
        visits = [int(stop.idx) + task.depots for stop in route if stop.is_client()]
        if visits and free.get(route.vehicle_type()):
            routes[free[route.vehicle_type()].pop()] = visits
    return routes


def _put_right(part: Part, task: Task, routes: Routes, before: Routes) -> Routes:
    """Keep what is frozen where it was, take off what breaks a rule, and insert it elsewhere."""
    if task.frozen.any():
        held = [any(task.frozen[node] for node in route) for route in before]
        theirs = {node for v, route in enumerate(before) if held[v] for node in route}
        routes = [
            before[v] if held[v] else [node for node in route if node not in theirs]
            for v, route in enumerate(routes)
        ]
    routes = [_cut(part, task, vehicle, route) for vehicle, route in enumerate(routes)]
    search = Search(task, 0, Tuning())
    search.begin_from(routes, eager=False)
    return search.best_routes()


def _cut(part: Part, task: Task, vehicle: int, route: Sequence[int]) -> list[int]:
    """Take last stops off a route until it keeps every rule."""
    order = [node for node in route if task.may[vehicle, node]]
    while order and not holds(part, task, vehicle, order):
        order.pop()
    return order
