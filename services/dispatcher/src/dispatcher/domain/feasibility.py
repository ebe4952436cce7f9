"""Which parcels no vehicle can take, and why: asked before the solver is."""

from collections.abc import Callable, Sequence

from dispatcher.domain.geography import road_metres
from dispatcher.domain.problem import Parcel, Problem, Unserved, Van


def feasible(problem: Problem) -> tuple[tuple[Parcel, ...], tuple[Unserved, ...]]:
    """Split the parcels into those that some van could take alone, and the others with reasons."""
    possible, refused = [], []
    for parcel in problem.parcels:
        reason = refusal(problem, parcel)
        if reason is None:
            possible.append(parcel)
        else:
            refused.append(Unserved(parcel.allocation, reason))
    return tuple(possible), tuple(refused)


def can_take(problem: Problem, van: Van, parcel: Parcel) -> bool:
    """Return whether this van could drive out with this parcel alone."""
    return (
        parcel.grams <= van.capacity_grams
        and _meets_window(problem, van, parcel)
        and _in_time(problem, van, parcel)
    )


def refusal(problem: Problem, parcel: Parcel) -> str | None:
    """Return why no van can take this parcel; None where one can.

    The reasons are asked in order; each is asked of the vans that the ones before have left.
    """
    vans: Sequence[Van] = problem.vans
    if not vans:
        return problem.why_no_vans
    tests: tuple[tuple[Callable[[Van], bool], Callable[[Sequence[Van]], str]], ...] = (
        (
            lambda van: parcel.grams <= van.capacity_grams,
            lambda left: (
                f"too heavy: {parcel.grams} g, the largest vehicle takes "
                f"{max(van.capacity_grams for van in left)} g"
            ),
        ),
        (
            lambda van: _meets_window(problem, van, parcel),
            lambda _: (
                f"its window {problem.at(parcel.earliest_s):%Y-%m-%d %H:%M} to "
                f"{problem.at(parcel.latest_s):%Y-%m-%d %H:%M} is outside every shift"
            ),
        ),
        (
            lambda van: _in_time(problem, van, parcel),
            lambda _: (
                f"too far: {_metres(problem, parcel) / 1000:.1f} km by road, no vehicle "
                "gets there and back in its shift and the window"
            ),
        ),
    )
    for passes, reason in tests:
        left = [van for van in vans if passes(van)]
        if not left:
            return reason(vans)
        vans = left
    return None


def _metres(problem: Problem, parcel: Parcel) -> int:
    return road_metres(problem.depot, parcel.destination, problem.rules.road_factor)


def _meets_window(problem: Problem, van: Van, parcel: Parcel) -> bool:
    last_begin = van.end_s - problem.rules.service_s
    return parcel.earliest_s <= last_begin and van.start_s <= parcel.latest_s


def _in_time(problem: Problem, van: Van, parcel: Parcel) -> bool:
    drive_s = van.drive_s(_metres(problem, parcel))
    begins_s = max(van.start_s + drive_s, parcel.earliest_s)
    back_s = begins_s + problem.rules.service_s + drive_s
    return begins_s <= parcel.latest_s and back_s <= van.end_s
