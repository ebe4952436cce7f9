"""Which shipments no vehicle can serve, and why: asked before an engine is."""

from dataclasses import dataclass

from dispatcher.domain.vrp.parts import Part
from dispatcher.domain.vrp.plan import Missing
from dispatcher.domain.vrp.problem import Shipment, Vehicle
from dispatcher.domain.vrp.schedule import schedule

_UNITS = ("g", "cm3", "parcels")


@dataclass(frozen=True, slots=True)
class Kind:
    """Vehicles that are alike in all that decides whether they can serve a shipment alone."""

    index: int
    vehicle: Vehicle


def possible(part: Part) -> tuple[list[int], list[Missing]]:
    """Split shipments: the indices of those some vehicle can serve alone, the others' reasons."""
    kinds = _kinds(part)
    kept, refused = [], []
    for index, one in enumerate(part.problem.shipments):
        missing = refusal(part, kinds, index)
        if missing is None:
            kept.append(index)
        else:
            refused.append(Missing(one.shipment, *missing))
    return kept, refused


def _kinds(part: Part) -> list[Kind]:
    kinds: dict[tuple[object, ...], Kind] = {}
    for index, one in enumerate(part.problem.vehicles):
        key = (
            one.warehouse, one.capacity, one.start_s, one.end_s, one.route_s_max,
            one.route_metres_max, one.pause, one.skills, part.tables.profile_of[index],
        )  # fmt: skip
        kinds.setdefault(key, Kind(index, one))
    return list(kinds.values())


def refusal(part: Part, kinds: list[Kind], index: int) -> tuple[str, str] | None:
    """Return why no vehicle can serve a shipment and what would change that; None where one can.

    Each question is asked of the vehicles that the ones before have left.
    """
    one = part.problem.shipments[index]
    if not kinds:
        return "there is no vehicle", "a vehicle"
    left = [kind for kind in kinds if one.warehouse in (None, kind.vehicle.warehouse)]
    if not left:
        return f"no vehicle is based at {one.warehouse}", f"a vehicle at {one.warehouse}"
    skilled = [kind for kind in left if one.skills <= kind.vehicle.skills]
    if not skilled:
        needs = ", ".join(sorted(one.skills))
        return f"no vehicle has all the skills that it needs: {needs}", f"a vehicle with {needs}"
    roomy = [kind for kind in skilled if _has_room(kind.vehicle, one)]
    if not roomy:
        return _too_large(one, skilled)
    open_ = [kind for kind in roomy if _on_shift(kind.vehicle, one)]
    if not open_:
        latest = max(kind.vehicle.end_s for kind in roomy)
        first = min(kind.vehicle.start_s for kind in roomy)
        return (
            f"its window {clock(one.earliest_s)} to {clock(one.latest_s)} is outside every shift "
            f"({clock(first)} to {clock(latest)})",
            f"a window that meets {clock(first)} to {clock(latest)}",
        )
    if any(_reaches(part, kind, index) for kind in open_):
        return None
    return _too_far(part, open_, index)


def clock(seconds: int) -> str:
    """Return an instant as hours and minutes of the problem's day."""
    return f"{seconds // 3600:02d}:{seconds % 3600 // 60:02d}"


def _has_room(vehicle: Vehicle, one: Shipment) -> bool:
    sizes = zip(one.size.as_tuple(), vehicle.capacity.as_tuple(), strict=True)
    return all(need <= room for need, room in sizes)


def _too_large(one: Shipment, kinds: list[Kind]) -> tuple[str, str]:
    needs = one.size.as_tuple()
    rooms = [max(kind.vehicle.capacity.as_tuple()[d] for kind in kinds) for d in range(3)]
    words = ("heavy", "bulky", "many parcels")
    for need, room, word, unit in zip(needs, rooms, words, _UNITS, strict=True):
        if need > room:
            return (
                f"too {word}: {need} {unit}, the largest vehicle takes {room} {unit}",
                f"a vehicle for {need} {unit}",
            )
    size = ", ".join(f"{need} {unit}" for need, unit in zip(needs, _UNITS, strict=True))
    return f"no one vehicle takes all of {size}", f"a vehicle for {size}"


def _on_shift(vehicle: Vehicle, one: Shipment) -> bool:
    return one.earliest_s <= vehicle.end_s - one.service_s and vehicle.start_s <= one.latest_s


def _reaches(part: Part, kind: Kind, index: int) -> bool:
    route = schedule(part.problem, part.tables, kind.index, [index])
    if route is None:
        return False
    return kind.vehicle.route_metres_max is None or route.metres <= kind.vehicle.route_metres_max


def _too_far(part: Part, kinds: list[Kind], index: int) -> tuple[str, str]:
    one = part.problem.shipments[index]
    depots = part.problem.warehouses
    homes = {w.warehouse: i for i, w in enumerate(depots)}
    node = len(depots) + index
    legs = [
        (
            int(part.tables.matrices.seconds[part.tables.profile_of[kind.index]][here, node]),
            int(part.tables.matrices.metres[here, node]),
            kind.vehicle,
        )
        for kind in kinds
        for here in (homes[kind.vehicle.warehouse],)
    ]
    drive_s, metres, vehicle = min(legs, key=lambda leg: leg[0])
    if vehicle.start_s + drive_s > one.latest_s:
        there = vehicle.start_s + drive_s
        return (
            f"its window ends at {clock(one.latest_s)}, before the first vehicle can be there "
            f"at {clock(there)}",
            f"a window until {clock(there)} or an earlier shift",
        )
    return (
        f"too far: {metres / 1000:.1f} km by road, no vehicle gets there and back in its shift, "
        "its longest route and the window",
        f"a vehicle that may be out for {clock(2 * drive_s + one.service_s)}",
    )
