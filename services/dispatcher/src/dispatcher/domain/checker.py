"""Checks a plan against its problem, apart from all that made it: nothing of the solver is used."""

from collections import Counter

from dispatcher.domain.geography import road_metres
from dispatcher.domain.problem import Parcel, Plan, Problem, Tour, Van


def faults(problem: Problem, plan: Plan) -> list[str]:
    """Return what is wrong with a plan, in words; empty where it may be committed.

    Checked: each parcel is on one tour or unserved with a reason, once; each van drives once, in
    its shift, within its capacity; each call begins in its window, and the way there fits.
    """
    found = _membership(problem, plan)
    parcels = {parcel.allocation: parcel for parcel in problem.parcels}
    vans = {van.vehicle: van for van in problem.vans}
    for vehicle, count in Counter(tour.vehicle for tour in plan.tours).items():
        if count > 1:
            found.append(f"vehicle {vehicle} drives {count} tours at once")
    for tour in plan.tours:
        van = vans.get(tour.vehicle)
        if van is None:
            found.append(f"vehicle {tour.vehicle} is not of this warehouse")
            continue
        known = [parcels[call.allocation] for call in tour.calls if call.allocation in parcels]
        if len(known) < len(tour.calls):
            continue  # told by the membership check
        found += _load(van, tour, known) + _times(problem, van, tour, known)
    return found


def _membership(problem: Problem, plan: Plan) -> list[str]:
    asked = Counter(parcel.allocation for parcel in problem.parcels)
    answered = Counter(call.allocation for tour in plan.tours for call in tour.calls)
    answered.update(one.allocation for one in plan.unserved)
    wrong = [
        f"parcel {name} was asked {asked[name]} times and answered {answered[name]} times"
        for name in sorted(asked | answered)
        if asked[name] != 1 or answered[name] != 1
    ]
    wrong += [f"parcel {one.allocation} has no reason" for one in plan.unserved if not one.reason]
    wrong += [f"vehicle {tour.vehicle} makes no call" for tour in plan.tours if not tour.calls]
    return wrong


def _load(van: Van, tour: Tour, parcels: list[Parcel]) -> list[str]:
    wrong = []
    grams = sum(parcel.grams for parcel in parcels)
    if grams != tour.grams:
        wrong.append(f"vehicle {van.vehicle} carries {grams} g, the plan says {tour.grams} g")
    if grams > van.capacity_grams:
        wrong.append(f"vehicle {van.vehicle} carries {grams} g of {van.capacity_grams} g")
    return wrong


def _times(problem: Problem, van: Van, tour: Tour, parcels: list[Parcel]) -> list[str]:
    wrong = []
    if tour.departs_s < van.start_s:
        wrong.append(f"vehicle {van.vehicle} leaves before its shift")
    if tour.returns_s > van.end_s:
        wrong.append(f"vehicle {van.vehicle} returns after its shift")
    here, free_s, driven = problem.depot, tour.departs_s, 0
    for parcel, call in zip(parcels, tour.calls, strict=True):
        metres = road_metres(here, parcel.destination, problem.rules.road_factor)
        if call.metres != metres:
            wrong.append(f"the way to {parcel.allocation} is {metres} m, not {call.metres} m")
        if call.begins_s * van.metres_per_hour < free_s * van.metres_per_hour + metres * 3600:
            wrong.append(f"vehicle {van.vehicle} cannot be at {parcel.allocation} in time")
        if not parcel.earliest_s <= call.begins_s <= parcel.latest_s:
            wrong.append(f"{parcel.allocation} is called on outside its window")
        here, free_s = parcel.destination, call.begins_s + problem.rules.service_s
        driven += metres
    home = road_metres(here, problem.depot, problem.rules.road_factor)
    if tour.returns_s * van.metres_per_hour < free_s * van.metres_per_hour + home * 3600:
        wrong.append(f"vehicle {van.vehicle} cannot be back in time")
    if driven + home != tour.metres:
        wrong.append(f"vehicle {van.vehicle} drives {driven + home} m, not {tour.metres} m")
    return wrong
