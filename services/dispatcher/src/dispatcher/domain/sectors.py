"""Cuts a wave that is too large for one search into sectors around the warehouse."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain
from math import atan2, cos, radians

from dispatcher.domain.feasibility import can_take
from dispatcher.domain.problem import Parcel, Problem, Unserved, Van

FULL = "no room or time left on the {vans} vehicles of this wave"


def within_reach(problem: Problem) -> tuple[Problem, tuple[Unserved, ...]]:
    """Leave to the solver no more parcels than the vans could call on if they never drove.

    Those that stay are the ones that cost most to leave out, then the first by order; a wave of
    thousands for three vans would otherwise be searched in vain.
    """
    service_s = max(1, problem.rules.service_s)
    room = sum((van.end_s - van.start_s) // service_s for van in problem.vans)
    if len(problem.parcels) <= room:
        return problem, ()
    ranked = sorted(range(len(problem.parcels)), key=lambda i: (-problem.parcels[i].penalty, i))
    kept = set(ranked[:room])
    reason = FULL.format(vans=len(problem.vans))
    left_out = tuple(
        Unserved(parcel.allocation, reason)
        for index, parcel in enumerate(problem.parcels)
        if index not in kept
    )
    parcels = tuple(problem.parcels[index] for index in sorted(kept))
    return replace(problem, parcels=parcels), left_out


def sectors(problem: Problem) -> Iterator[Problem]:
    """Yield parts of the problem that share no parcel and no van, each small enough to search.

    Parcels are cut by their bearing from the warehouse into parts of equal size, and the vans,
    largest first, are dealt out in turn. Decomposition pays from some hundred stops on. A parcel
    that none of its own sector's vans can take goes to the next sector that has one who can.
    """
    parts = min(-(-len(problem.parcels) // problem.rules.sector_stops), len(problem.vans))
    if parts <= 1:
        yield problem
        return
    order = {parcel.allocation: index for index, parcel in enumerate(problem.parcels)}
    around = sorted(problem.parcels, key=lambda p: (_bearing(problem, p), p.allocation))
    vans = sorted(problem.vans, key=_size)
    teams = [tuple(vans[part::parts]) for part in range(parts)]
    dealt: list[list[Parcel]] = [[] for _ in teams]
    for part in range(parts):
        first = len(around) * part // parts
        last = len(around) * (part + 1) // parts
        for parcel in around[first:last]:
            dealt[_able(problem, parcel, teams, part)].append(parcel)
    for parcels, team in zip(dealt, teams, strict=True):
        mine = sorted(parcels, key=lambda parcel: order[parcel.allocation])
        yield replace(problem, parcels=tuple(mine), vans=team)


def _able(problem: Problem, parcel: Parcel, teams: Sequence[Sequence[Van]], part: int) -> int:
    """Return the part, or the first one after it, with a van that could take it."""
    for other in chain(range(part, len(teams)), range(part)):
        if any(can_take(problem, van, parcel) for van in teams[other]):
            return other
    return part


def _bearing(problem: Problem, parcel: Parcel) -> float:
    north = parcel.destination.latitude - problem.depot.latitude
    east = parcel.destination.longitude - problem.depot.longitude
    return atan2(north, east * cos(radians(problem.depot.latitude)))


def _size(van: Van) -> tuple[int, str]:
    return (-van.capacity_grams, van.vehicle)
