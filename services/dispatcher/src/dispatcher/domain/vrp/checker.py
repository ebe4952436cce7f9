"""Checks a plan against its problem, apart from all that made it: nothing of an engine is used."""

from collections import Counter

from dispatcher.domain.vrp.arrays import profile
from dispatcher.domain.vrp.plan import Plan, Route
from dispatcher.domain.vrp.problem import Problem, Shipment, Vehicle
from dispatcher.domain.vrp.schedule import day_start, route_cost


def faults(problem: Problem, plan: Plan) -> list[str]:
    """Return what is wrong with a plan, in words; empty where it may be committed.

    Checked: served + carrier + unserved = asked; each vehicle drives once, with the skills and
    the room, in its shift, with its break, no longer than it may; each stop begins in its window
    and the way there fits; the cost is the sum of its parts.
    """
    found = _membership(problem, plan)
    shipments = {one.shipment: one for one in problem.shipments}
    vehicles = {one.vehicle: one for one in problem.vehicles}
    cost = sum(
        shipments[one.shipment].left_out_cost + problem.prices.left_out_wait
        for one in (*plan.carrier, *plan.unserved)
        if one.shipment in shipments
    )
    for name, count in Counter(route.vehicle for route in plan.routes).items():
        if count > 1:
            found.append(f"vehicle {name} drives {count} routes at once")
    for route in plan.routes:
        vehicle = vehicles.get(route.vehicle)
        if vehicle is None:
            found.append(f"vehicle {route.vehicle} is not in the fleet")
            continue
        if any(stop.shipment not in shipments for stop in route.stops):
            continue  # told by the membership check
        carried = [shipments[stop.shipment] for stop in route.stops]
        found += _may_carry(vehicle, carried) + _times(problem, vehicle, route, carried)
        cost += route_cost(
            problem.prices, vehicle, route, shipments.__getitem__, day_start(problem)
        )
    if not found and cost != plan.cost:
        found.append(f"the plan costs {cost}, it says {plan.cost}")
    return found


def _membership(problem: Problem, plan: Plan) -> list[str]:
    asked = Counter(one.shipment for one in problem.shipments)
    answered = Counter(stop.shipment for route in plan.routes for stop in route.stops)
    answered.update(one.shipment for one in plan.carrier)
    answered.update(one.shipment for one in plan.unserved)
    wrong = [
        f"shipment {name} was asked {asked[name]} times and answered {answered[name]} times"
        for name in sorted(asked | answered)
        if asked[name] != 1 or answered[name] != 1
    ]
    missing = (*plan.carrier, *plan.unserved)
    wrong += [f"shipment {one.shipment} has no reason" for one in missing if not one.reason]
    wrong += [f"vehicle {route.vehicle} makes no stop" for route in plan.routes if not route.stops]
    return wrong


def _may_carry(vehicle: Vehicle, carried: list[Shipment]) -> list[str]:
    wrong = []
    room = vehicle.capacity.as_tuple()
    for part, unit in enumerate(("g", "cm3", "parcels")):
        load = sum(one.size.as_tuple()[part] for one in carried)
        if load > room[part]:
            wrong.append(f"vehicle {vehicle.vehicle} carries {load} {unit} of {room[part]} {unit}")
    for one in carried:
        if not one.skills <= vehicle.skills:
            wrong.append(f"vehicle {vehicle.vehicle} lacks a skill that {one.shipment} needs")
        if one.warehouse not in (None, vehicle.warehouse):
            wrong.append(f"shipment {one.shipment} is not at {vehicle.warehouse}")
    return wrong


def _times(problem: Problem, vehicle: Vehicle, route: Route, carried: list[Shipment]) -> list[str]:
    who = f"vehicle {vehicle.vehicle}"
    wrong = []
    home = next(w.place for w in problem.warehouses if w.warehouse == vehicle.warehouse)
    places = [home, *(one.destination for one in carried)]
    matrices = problem.travel.matrices(places, [profile(vehicle)])
    seconds, metres = matrices.seconds[0], matrices.metres
    free_s, driven = route.departs_s, 0
    for rank, stop in enumerate((*route.stops, None)):
        node = 0 if stop is None else rank + 1
        if route.break_s is not None and route.break_before == rank:
            wrong += [f"{who} rests before it is free"] if route.break_s < free_s else []
            free_s = max(free_s, route.break_s) + (vehicle.pause.duration_s if vehicle.pause else 0)
        arrives_s = free_s + int(seconds[rank, node])
        driven += int(metres[rank, node])
        if stop is None:
            if route.returns_s != arrives_s:
                wrong.append(f"{who} is back at {arrives_s}, the plan says {route.returns_s}")
            break
        one = carried[rank]
        if stop.metres != int(metres[rank, node]) or stop.arrives_s != arrives_s:
            wrong.append(f"the way to {one.shipment} is not as the plan says")
        if not max(arrives_s, one.earliest_s) <= stop.begins_s <= one.latest_s:
            wrong.append(f"{one.shipment} begins at {stop.begins_s}: too early or too late")
        free_s = stop.begins_s + one.service_s
    if driven != route.metres:
        wrong.append(f"{who} drives {driven} m, the plan says {route.metres} m")
    return wrong + _rest(vehicle, route) + _limits(vehicle, route)


def _limits(vehicle: Vehicle, route: Route) -> list[str]:
    who = f"vehicle {vehicle.vehicle}"
    wrong = []
    if route.departs_s < vehicle.start_s or route.returns_s > vehicle.end_s:
        wrong.append(f"{who} is out beyond its shift")
    if route.returns_s - route.departs_s > vehicle.longest_s:
        wrong.append(f"{who} is out for longer than it may be")
    if vehicle.route_metres_max is not None and route.metres > vehicle.route_metres_max:
        wrong.append(f"{who} drives {route.metres} m of {vehicle.route_metres_max} m")
    return wrong


def _rest(vehicle: Vehicle, route: Route) -> list[str]:
    pause = vehicle.pause
    if pause is None:
        return []
    if route.break_s is None:
        if route.returns_s > pause.latest_s:
            return [f"vehicle {vehicle.vehicle} has no break"]
        return []
    if not pause.earliest_s <= route.break_s <= pause.latest_s:
        return [f"vehicle {vehicle.vehicle} has its break at {route.break_s}: too early or late"]
    return []
