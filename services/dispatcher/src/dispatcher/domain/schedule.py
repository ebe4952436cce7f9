"""When a van that calls in a given order is where."""

from collections.abc import Sequence
from itertools import pairwise

from dispatcher.domain.geography import road_metres
from dispatcher.domain.problem import Call, Parcel, Problem, Tour, Van


def legs_metres(problem: Problem, parcels: Sequence[Parcel]) -> list[int]:
    """Return the legs of a tour, out from the depot and back to it: (n + 1,) metres."""
    places = [problem.depot, *(parcel.destination for parcel in parcels), problem.depot]
    return [road_metres(here, there, problem.rules.road_factor) for here, there in pairwise(places)]


def schedule(problem: Problem, van: Van, parcels: Sequence[Parcel]) -> Tour | None:
    """Return the tour that is back soonest and leaves as late as that allows; None where late.

    A departure put off by d uses up the waiting before each call and then moves the call: it may
    be as much as all the waiting, and at each call the waiting so far and the window that is left.
    """
    legs = legs_metres(problem, parcels)
    drives = [van.drive_s(metres) for metres in legs]
    now, waited, allowed = van.start_s, 0, van.end_s
    for parcel, drive_s in zip(parcels, drives, strict=False):
        begin = max(now + drive_s, parcel.earliest_s)
        if begin > parcel.latest_s:
            return None
        waited += begin - (now + drive_s)
        allowed = min(allowed, waited + parcel.latest_s - begin)
        now = begin + problem.rules.service_s
    if now + drives[-1] > van.end_s:
        return None
    departs = now = van.start_s + min(waited, allowed)
    calls = []
    for parcel, drive_s, metres in zip(parcels, drives, legs, strict=False):
        begin = max(now + drive_s, parcel.earliest_s)
        calls.append(Call(parcel.allocation, begin, metres))
        now = begin + problem.rules.service_s
    return Tour(
        vehicle=van.vehicle,
        departs_s=departs,
        returns_s=now + drives[-1],
        metres=sum(legs),
        grams=sum(parcel.grams for parcel in parcels),
        calls=tuple(calls),
    )


def cost(problem: Problem, van: Van, tour: Tour) -> int:
    """Return what a tour costs, in micro-units: the van, its kilometres, its driver's time."""
    return (
        van.fixed_cost
        + van.cost_per_km * tour.metres // 1000
        + problem.rules.driver_cost_per_hour * (tour.returns_s - tour.departs_s) // 3600
    )
