"""PyVRP as it comes: its own defaults on a problem of one warehouse and one kind of vehicle."""

import time
from typing import Any

import numpy as np

from dispatcher.domain.vrp.arrays import compile_problem, tables
from dispatcher.domain.vrp.kernel.state import Task
from dispatcher.domain.vrp.problem import Problem


def plain_cost(problem: Problem, seconds: float, seed: int) -> int | None:
    """Return the length that PyVRP finds; None where its best breaks a rule.

    Stops are required, as in PyVRP's own readers, and the clock starts before its data is built.
    """
    import pyvrp
    from pyvrp.stop import MaxRuntime

    task = compile_problem(problem, tables(problem), None)
    metres = task.metres.astype(np.int64)
    began = time.monotonic()
    durations = task.seconds[0].astype(np.int64)
    stops = range(1, len(metres))
    window: dict[str, Any] = {}
    if task.timed:
        window = {"tw_early": int(task.start[0]), "tw_late": int(task.end[0])}
    clients = [
        pyvrp.Client(
            node,
            delivery=[int(task.load[node, 0])],
            **_times(task, node),
        )
        for node in stops
    ]
    kind = pyvrp.VehicleType(len(task.home), [int(task.capacity[0, 0])], **window)
    places = [problem.warehouses[0].place, *(one.destination for one in problem.shipments)]
    data = pyvrp.ProblemData(
        [pyvrp.Location(one.longitude, one.latitude) for one in places],
        clients,
        [pyvrp.Depot(0, **window)],
        [kind],
        [metres],
        [durations],
    )
    stop = MaxRuntime(seconds - (time.monotonic() - began))
    result = pyvrp.solve(data, stop, seed=seed, collect_stats=False)
    return int(result.best.distance()) if result.best.is_feasible() else None


def _times(task: Task, node: int) -> dict[str, Any]:
    """Return a stop's service and window, where the problem has any."""
    if not task.timed:
        return {}
    return {
        "service_duration": int(task.service[node]),
        "tw_early": int(task.earliest[node]),
        "tw_late": int(task.latest[node]),
    }
