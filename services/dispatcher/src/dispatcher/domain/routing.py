"""Plans a wave with OR-Tools: the same problem gives the same plan, on any machine.

The search is guided local search, which repeats itself only when it is stopped by the number of
solutions; the time limit is a safety net. It holds the GIL all the time, so it belongs in a
process of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from ortools.constraint_solver import pywrapcp, routing_enums_pb2

from dispatcher.domain.feasibility import can_take, feasible
from dispatcher.domain.geography import road_matrix
from dispatcher.domain.problem import Parcel, Plan, Problem, Tour, Unserved
from dispatcher.domain.schedule import schedule
from dispatcher.domain.sectors import FULL, sectors, within_reach

_FAILURES_PER_SOLUTION = 50
"""Ten times what a search that goes on finding solutions needs."""

_SPARE_AT_LEAST = 5


@dataclass(frozen=True, slots=True)
class Effort:
    """How long a search may go on.

    Attributes:
        solutions: The stop rule: accepted solutions of a search, and one more for two parcels.
            At 30 a wave of 90 stops takes 0.2 s of one core; four times the effort gains 8 %.
        seconds_max: A safety net for one sector; a search that it ends may not repeat itself.
    """

    solutions: int = 30
    seconds_max: int = 30


def plan(problem: Problem, effort: Effort) -> Plan:
    """Return tours for a wave: every parcel on one of them, or unserved with its reason."""
    possible, refused = feasible(problem)
    reachable, left_out = within_reach(replace(problem, parcels=possible))
    tours: list[Tour] = []
    unserved = [*refused, *left_out]
    for sector in sectors(reachable):
        thinned = _thinned(sector, effort)
        found = _solve(thinned, effort.solutions + len(thinned.parcels) // 2, effort)
        tours += found
        served = {call.allocation for tour in found for call in tour.calls}
        reason = FULL.format(vans=len(problem.vans))
        unserved += [
            Unserved(parcel.allocation, reason)
            for parcel in sector.parcels
            if parcel.allocation not in served
        ]
    order = {parcel.allocation: index for index, parcel in enumerate(problem.parcels)}
    return Plan(
        tours=tuple(sorted(tours, key=lambda tour: tour.vehicle)),
        unserved=tuple(sorted(unserved, key=lambda one: order[one.allocation])),
    )


def _thinned(problem: Problem, effort: Effort) -> Problem:
    """Leave to the search what the first solution serves, and some more to choose from.

    With twice the parcels that the vans can take, nine tenths of the search go into swapping
    those left out (135 parcels, one van: 3.6 s instead of 0.3 s, for 1 parcel in 60).
    """
    tours = _solve(problem, 1, effort)
    served = {call.allocation for tour in tours for call in tour.calls}
    spare = max(_SPARE_AT_LEAST, len(served) // 10)
    left_out = [one for one in problem.parcels if one.allocation not in served]
    if not served or len(left_out) <= spare:
        return problem
    first = sorted(left_out, key=lambda one: -one.penalty)[:spare]  # stable: then by order
    kept = served | {one.allocation for one in first}
    parcels = tuple(one for one in problem.parcels if one.allocation in kept)
    return replace(problem, parcels=parcels)


def _solve(problem: Problem, solutions: int, effort: Effort) -> list[Tour]:
    if not problem.parcels:
        return []
    manager = pywrapcp.RoutingIndexManager(len(problem.parcels) + 1, len(problem.vans), 0)
    model = pywrapcp.RoutingModel(manager)
    _add_costs_and_time(model, manager, problem)
    _add_load(model, problem)
    _allow_leaving_out(model, manager, problem)
    # one stop and one van have no second solution to count: the search would spin for ever
    model.AddSearchMonitor(model.solver().FailuresLimit(solutions * _FAILURES_PER_SOLUTION))
    solution = model.SolveWithParameters(_search(solutions, effort))
    if solution is None:
        return []
    tours = []
    for index, van in enumerate(problem.vans):
        calls = _order(model, manager, solution, index, problem.parcels)
        if calls:
            tour = schedule(problem, van, calls)
            assert tour is not None, f"the solver gave {van.vehicle} a tour that is late"
            tours.append(tour)
    return tours


def _add_costs_and_time(model: Any, manager: Any, problem: Problem) -> None:
    """Give each kind of van its arc costs and transit times, and each parcel its window.

    Travel and service time are priced on the arcs and waiting as slack: measured better than a
    price on the span. Vans of one speed share their matrices.
    """
    rules = problem.rules
    places = [problem.depot, *(parcel.destination for parcel in problem.parcels)]
    metres = road_matrix(places, rules.road_factor)
    service_s = np.array([0] + [rules.service_s] * len(problem.parcels), dtype=np.int64)
    registered: dict[tuple[int, int], tuple[int, int]] = {}
    transits = []
    for index, van in enumerate(problem.vans):
        kind = (van.metres_per_hour, van.cost_per_km)
        if kind not in registered:
            # a metre more than `schedule` reckons, whose rounding may differ by one
            seconds = -(-(metres + 1) * 3600 // van.metres_per_hour) + service_s[:, None]
            costs = metres * van.cost_per_km // 1000 + seconds * rules.driver_cost_per_hour // 3600
            np.fill_diagonal(seconds, 0)
            np.fill_diagonal(costs, 0)
            registered[kind] = (
                model.RegisterTransitMatrix(costs.tolist()),
                model.RegisterTransitMatrix(seconds.tolist()),
            )
        cost, transit = registered[kind]
        model.SetArcCostEvaluatorOfVehicle(cost, index)
        model.SetFixedCostOfVehicle(van.fixed_cost, index)
        transits.append(transit)
    horizon_s = max(van.end_s for van in problem.vans)
    model.AddDimensionWithVehicleTransits(transits, horizon_s, horizon_s, False, "time")
    time = model.GetDimensionOrDie("time")
    for node, parcel in enumerate(problem.parcels, 1):
        index = manager.NodeToIndex(node)
        latest_s = min(parcel.latest_s, horizon_s)
        time.CumulVar(index).SetRange(max(0, parcel.earliest_s), latest_s)
    for index, van in enumerate(problem.vans):
        for end in (model.Start(index), model.End(index)):
            time.CumulVar(end).SetRange(van.start_s, van.end_s)
        time.SetSlackCostCoefficientForVehicle(rules.driver_cost_per_hour // 3600, index)
        model.AddVariableMinimizedByFinalizer(time.CumulVar(model.End(index)))


def _add_load(model: Any, problem: Problem) -> None:
    grams = model.RegisterUnaryTransitVector([0, *(parcel.grams for parcel in problem.parcels)])
    capacities = [van.capacity_grams for van in problem.vans]
    model.AddDimensionWithVehicleCapacity(grams, 0, capacities, True, "load")


def _allow_leaving_out(model: Any, manager: Any, problem: Problem) -> None:
    """Price leaving a parcel out, and keep it off the vans that could not take it alone."""
    everyone = range(len(problem.vans))
    for node, parcel in enumerate(problem.parcels, 1):
        index = manager.NodeToIndex(node)
        model.AddDisjunction([index], parcel.penalty)
        for i in everyone:
            if not can_take(problem, problem.vans[i], parcel):
                # SetAllowedVehiclesForIndex takes no Python list in OR-Tools 9.15.
                model.VehicleVar(index).RemoveValue(i)


def _search(solutions: int, effort: Effort) -> Any:
    parameters = pywrapcp.DefaultRoutingSearchParameters()
    strategies = routing_enums_pb2.FirstSolutionStrategy
    parameters.first_solution_strategy = strategies.PARALLEL_CHEAPEST_INSERTION
    metaheuristics = routing_enums_pb2.LocalSearchMetaheuristic
    parameters.local_search_metaheuristic = metaheuristics.GUIDED_LOCAL_SEARCH
    parameters.guided_local_search_lambda_coefficient = 0.2  # measured against 0.03 and 0.1
    parameters.solution_limit = solutions
    parameters.time_limit.FromSeconds(effort.seconds_max)
    parameters.lns_time_limit.FromSeconds(effort.seconds_max)  # its 0.1 s would be a clock
    return parameters


def _order(
    model: Any, manager: Any, solution: Any, vehicle: int, parcels: Sequence[Parcel]
) -> list[Parcel]:
    calls = []
    index = solution.Value(model.NextVar(model.Start(vehicle)))
    while not model.IsEnd(index):
        calls.append(parcels[manager.IndexToNode(index) - 1])
        index = solution.Value(model.NextVar(index))
    return calls
