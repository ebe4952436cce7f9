"""Where a search begins: the plan before, as far as it still holds."""

from dispatcher.domain.vrp.kernel.state import Task
from dispatcher.domain.vrp.parts import Part
from dispatcher.domain.vrp.plan import WarmStart
from dispatcher.domain.vrp.pool import Routes
from dispatcher.domain.vrp.schedule import schedule


def started(part: Part, task: Task, warm: WarmStart | None) -> Routes:
    """Return the plan before as nodes of this problem; a stop too late now is taken off.

    What is frozen stays where it is, whatever it costs. Of the others those that a vehicle can
    no longer call on (it is late, or carries less) come off its list, last ones first, and are
    inserted anew with the new orders.
    """
    depots = len(part.problem.warehouses)
    routes: Routes = [[] for _ in part.problem.vehicles]
    if warm is None:
        return routes
    nodes = {one.shipment: depots + i for i, one in enumerate(part.problem.shipments)}
    vehicles = {one.vehicle: i for i, one in enumerate(part.problem.vehicles)}
    for one in warm.routes:
        if one.vehicle not in vehicles:
            continue
        vehicle = vehicles[one.vehicle]
        order = [nodes[name] for name in one.shipments if name in nodes]
        order = [node for node in order if task.may[vehicle, node]]
        while order and not task.frozen[order[-1]] and not holds(part, task, vehicle, order):
            order.pop()
        if order and not holds(part, task, vehicle, order):
            continue  # even what is frozen is too late: nothing of this route is a promise
        routes[vehicle] = order
    return routes


def holds(part: Part, task: Task, vehicle: int, order: list[int]) -> bool:
    """Return whether a vehicle can carry and make these stops in this order."""
    if (task.load[order].sum(axis=0) > task.capacity[vehicle]).any():
        return False
    depots = len(part.problem.warehouses)
    route = schedule(part.problem, part.tables, vehicle, [node - depots for node in order])
    return route is not None and route.metres <= int(task.reach[vehicle])
