"""The routes met on the way, and the best choice among them: set partitioning by CP-SAT."""

from collections import defaultdict
from typing import Any

import numpy as np
from ortools.sat.python import cp_model

from dispatcher.domain.vrp.kernel.state import INFEASIBLE, Task, empty_state, refresh

Routes = list[list[int]]
"""The shipments' nodes of each vehicle, in the vehicles' order."""

_COLUMNS_MAX = 12_000
_SCALE_BITS = 40
"""Costs are cut down so that the largest takes at most this many bits."""


class Pool:
    """Routes, each once for each kind of vehicle: the last order of its stops is kept.

    Args:
        task: The problem's arrays.
    """

    def __init__(self, task: Task) -> None:
        self._task = task
        self._groups = [int(group) for group in task.group]
        self.found: dict[tuple[int, frozenset[int]], list[int]] = {}

    def add(self, routes: Routes) -> None:
        """Take in a solution's routes; the oldest give way where they become too many."""
        for vehicle, route in enumerate(routes):
            if route:
                key = (self._groups[vehicle], frozenset(route))
                if key not in self.found:
                    self.found[key] = route
        while len(self.found) > _COLUMNS_MAX:
            self.found.pop(next(iter(self.found)))


def recombined(
    task: Task, pool: Pool, best: Routes, seconds: float, repeatable: bool
) -> Routes | None:
    """Return the cheapest choice of routes from a pool that CP-SAT finds; None without one.

    Each shipment is on one chosen route or left out at its cost, and no more routes are chosen of
    a kind of vehicle than there are. A vehicle with a plan before keeps its own routes, so a warm
    start is not recombined.

    Args:
        task: The problem's arrays.
        pool: Where to choose from.
        best: The choice to beat, and the hint to begin with.
        seconds: The time to find one.
        repeatable: Stop by work done and not by the clock.
    """
    pool.add(best)
    if not pool.found or (task.before >= 0).any():
        return None
    columns = list(pool.found.items())
    costs = _costs(task, columns)
    dearest = max(1.0, float(costs.max()), float(task.left_out.max()))
    scale = min(1.0, 2.0**_SCALE_BITS / dearest)
    model = cp_model.CpModel()
    chosen = [model.new_bool_var("") for _ in columns]
    covering: dict[int, list[Any]] = defaultdict(list)
    of_group: dict[int, list[Any]] = defaultdict(list)
    for (group, stops), _ in columns:
        variable = chosen[len(of_group[-1])]
        of_group[-1].append(variable)
        of_group[group].append(variable)
        for stop in stops:
            covering[stop].append(variable)
    del of_group[-1]
    absent = {}
    for stop in range(task.depots, len(task.near)):
        absent[stop] = model.new_bool_var("")
        model.add_exactly_one([*covering[stop], absent[stop]])
    fleet = np.bincount(task.group)
    for group, variables in of_group.items():
        if len(variables) > fleet[group]:
            model.add(sum(variables) <= int(fleet[group]))
    money = [round(float(cost) * scale) for cost in costs]
    out = [round(float(task.left_out[stop]) * scale) for stop in absent]
    model.minimize(cp_model.LinearExpr.weighted_sum([*chosen, *absent.values()], [*money, *out]))
    mine = {(int(task.group[v]), frozenset(route)) for v, route in enumerate(best) if route}
    served = {stop for route in best for stop in route}
    for variable, (key, _) in zip(chosen, columns, strict=True):
        model.add_hint(variable, key in mine)
    for stop, variable in absent.items():
        model.add_hint(variable, stop not in served)
    solver = _solver(seconds, repeatable)
    status = solver.solve(model)
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return None
    return _dealt(task, [c for c, v in zip(columns, chosen, strict=True) if solver.value(v)])


def _solver(seconds: float, repeatable: bool) -> cp_model.CpSolver:
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    if repeatable:
        solver.parameters.max_deterministic_time = 2.0
    else:
        solver.parameters.max_time_in_seconds = seconds
    return solver


def _costs(task: Task, columns: list[tuple[tuple[int, frozenset[int]], list[int]]]) -> Any:
    """Return what each route costs on a vehicle of its kind."""
    example = {int(group): vehicle for vehicle, group in enumerate(task.group)}
    state = empty_state(task)
    places, vehicles = len(task.near), len(task.home)
    costs = np.zeros(len(columns))
    for index, ((group, _), route) in enumerate(columns):
        vehicle = example[group]
        left = places + vehicle
        for node in route:
            state.after[left], state.prior[node] = node, left
            left = node
        last = places + vehicles + vehicle
        state.after[left], state.prior[last] = last, left
        refresh(task, state, vehicle)
        costs[index] = min(float(state.cost[vehicle]), INFEASIBLE)
    return costs


def _dealt(task: Task, chosen: list[tuple[tuple[int, frozenset[int]], list[int]]]) -> Routes:
    """Give each chosen route to a vehicle of its kind."""
    free: dict[int, list[int]] = defaultdict(list)
    for vehicle in reversed(range(len(task.group))):
        free[int(task.group[vehicle])].append(vehicle)
    routes: Routes = [[] for _ in task.home]
    for (group, _), route in chosen:
        routes[free[group].pop()] = route
    return routes
