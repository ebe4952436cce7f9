"""The problem as the arrays that the kernel works on."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dispatcher.domain.vrp.kernel.state import Task
from dispatcher.domain.vrp.plan import WarmStart
from dispatcher.domain.vrp.problem import IntArray, Matrices, Problem, Profile, Vehicle

NEAR = 40
"""Neighbours beside which a shipment may be inserted."""

CLOSE = 60
"""Neighbours whose routes a ruin may reach."""

_HOUR_S = 3600


@dataclass(frozen=True, slots=True)
class Tables:
    """A problem's matrices, and which profile is whose."""

    matrices: Matrices
    profile_of: tuple[int, ...]


def profile(vehicle: Vehicle) -> Profile:
    """Return what a vehicle's times are looked up by."""
    if len(set(vehicle.metres_per_hour)) == 1:
        return Profile(vehicle.metres_per_hour[:1], 0, 0)
    return Profile(vehicle.metres_per_hour, vehicle.start_s, vehicle.end_s)


def tables(problem: Problem) -> Tables:
    """Return the matrices between warehouses and shipments, in their order."""
    profiles: dict[Profile, int] = {}
    profile_of = tuple(
        profiles.setdefault(profile(vehicle), len(profiles)) for vehicle in problem.vehicles
    )
    places = [warehouse.place for warehouse in problem.warehouses]
    places += [shipment.destination for shipment in problem.shipments]
    return Tables(problem.travel.matrices(places, tuple(profiles)), profile_of)


def allowed(problem: Problem) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
    """Return which vehicle may carry which shipment: (vehicles, shipments), by skill and home."""
    may = np.ones((len(problem.vehicles), len(problem.shipments)), np.bool_)
    rules = [(shipment.skills, shipment.warehouse) for shipment in problem.shipments]
    kinds = {rule: index for index, rule in enumerate(dict.fromkeys(rules))}
    kind_of = np.array([kinds[rule] for rule in rules], np.int64)
    for row, vehicle in enumerate(problem.vehicles):
        fit = np.array(
            [
                skills <= vehicle.skills and warehouse in (None, vehicle.warehouse)
                for skills, warehouse in kinds
            ]
        )
        may[row] = fit[kind_of]
    return may


def compile_problem(problem: Problem, known: Tables, warm: WarmStart | None) -> Task:
    """Return the arrays; every figure was bounded by `bounds.checked` before."""
    depots, vehicles = len(problem.warehouses), problem.vehicles
    shipments = problem.shipments
    pad = np.zeros(depots, np.int64)
    seconds = np.stack([table.astype(np.int32) for table in known.matrices.seconds])

    def of_shipments(values: list[int]) -> IntArray:
        return np.concatenate([pad, np.array(values, np.int64)])

    earliest = of_shipments([one.earliest_s for one in shipments])
    latest = of_shipments([one.latest_s for one in shipments])
    service = of_shipments([one.service_s for one in shipments])
    load = np.zeros((depots + len(shipments), 3), np.int64)
    load[depots:] = [one.size.as_tuple() for one in shipments]
    capacity = np.array([one.capacity.as_tuple() for one in vehicles], np.int64)
    load, capacity, dimensions = _used_dimensions(load, capacity)
    homes = {one.warehouse: index for index, one in enumerate(problem.warehouses)}
    prices = problem.prices
    promised = of_shipments(
        [one.latest_s if one.promised_s is None else one.promised_s for one in shipments]
    )
    late = of_shipments([one.weight for one in shipments]) * (prices.late_per_hour / _HOUR_S)
    late[promised >= latest] = 0
    metres = known.matrices.metres.astype(np.int32)
    pause = np.array(
        [
            (one.pause.earliest_s, one.pause.latest_s, one.pause.duration_s)
            if one.pause
            else (0, 0, 0)
            for one in vehicles
        ],
        np.int64,
    )
    wait = prices.customer_hour / _HOUR_S
    frozen, before = _history(problem, warm)
    may = np.ones((len(vehicles), len(load)), np.bool_)
    may[:, depots:] = allowed(problem)
    start = np.array([one.start_s for one in vehicles], np.int64)
    return Task(
        metres=metres,
        seconds=seconds,
        earliest=earliest,
        latest=latest,
        service=service,
        load=load,
        left_out=of_shipments(
            [one.left_out_cost + prices.left_out_wait for one in shipments]
        ).astype(np.float64),
        promised=promised,
        late_rate=late.astype(np.float64),
        wait_rate=float(wait),
        day_start=int(start.min()),
        near=_neighbours(
            _distance(known.matrices.metres, known.matrices.seconds[0], earliest, latest, service),
            depots,
            NEAR,
        ),
        close=_neighbours(metres.astype(np.float64), depots, CLOSE),
        depots=depots,
        home=np.array([homes[one.warehouse] for one in vehicles], np.int64),
        profile=np.array(known.profile_of, np.int64),
        capacity=capacity,
        start=start,
        end=np.array([one.end_s for one in vehicles], np.int64),
        longest=np.array([one.longest_s for one in vehicles], np.int64),
        reach=np.array([one.route_metres_max or 2**62 for one in vehicles], np.int64),
        per_metre=np.array([one.cost_per_km / 1000 for one in vehicles]),
        per_second=np.array([one.cost_per_hour / _HOUR_S for one in vehicles]),
        fixed=np.array([one.fixed_cost for one in vehicles], np.float64),
        group=_groups(problem),
        pause=pause,
        may=may,
        frozen=frozen,
        before=before,
        stability=float(warm.stability_cost) if warm else 0.0,
        timed=bool(seconds.any() or service.any()),
        walked=bool(wait or late.any() or pause[:, 2].any()),
        dimensions=dimensions,
    )


def _used_dimensions(load: IntArray, capacity: IntArray) -> tuple[IntArray, IntArray, int]:
    """Put first the dimensions that a vehicle could run out of; count them."""
    scarce = [d for d in range(3) if (load[:, d].sum() > capacity[:, d]).any()]
    order = [*scarce, *(d for d in range(3) if d not in scarce)]
    return load[:, order].copy(), capacity[:, order].copy(), max(1, len(scarce))


def _groups(problem: Problem) -> IntArray:
    """Number vehicles so that those alike in all but their id share one number."""
    kinds: dict[tuple[object, ...], int] = {}
    numbers = []
    for one in problem.vehicles:
        kind = (
            one.warehouse, one.capacity, one.start_s, one.end_s, one.metres_per_hour,
            one.cost_per_km, one.cost_per_hour, one.fixed_cost, one.route_s_max,
            one.route_metres_max, one.pause, one.skills,
        )  # fmt: skip
        numbers.append(kinds.setdefault(kind, len(kinds)))
    return np.array(numbers, np.int64)


def _history(
    problem: Problem, warm: WarmStart | None
) -> tuple[np.ndarray[tuple[int], np.dtype[np.bool_]], IntArray]:
    """Return which shipments are frozen, and the vehicle of each in the plan before (or -1)."""
    depots = len(problem.warehouses)
    frozen = np.zeros(depots + len(problem.shipments), np.bool_)
    before = np.full(len(frozen), -1, np.int64)
    if warm is not None:
        nodes = {one.shipment: depots + i for i, one in enumerate(problem.shipments)}
        vehicles = {one.vehicle: i for i, one in enumerate(problem.vehicles)}
        for started in warm.routes:
            if started.vehicle not in vehicles:
                continue
            for rank, shipment in enumerate(started.shipments):
                if shipment in nodes:
                    before[nodes[shipment]] = vehicles[started.vehicle]
                    frozen[nodes[shipment]] = rank < started.frozen
    return frozen, before


def _distance(
    metres: IntArray, seconds: IntArray, earliest: IntArray, latest: IntArray, service: IntArray
) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """Return how ill two stops go together, in whichever order is better.

    It is the length, and the wait or delay of one after the other (Vidal et al. 2013, 4.5).
    """
    gap = metres.astype(np.float64)
    if not seconds.any() or not (latest - earliest).any():
        return gap
    per_second = metres.sum() / max(1, int(seconds.sum()))
    drive = service[:, None] + seconds
    wait = np.maximum(0, earliest[None, :] - drive - latest[:, None])
    delay = np.maximum(0, earliest[:, None] + drive - latest[None, :])
    gap = gap + per_second * (0.2 * wait + 1.0 * delay)
    either: NDArray[np.float64] = np.minimum(gap, gap.T)
    return either


def _neighbours(
    gap: np.ndarray[tuple[int, int], np.dtype[np.float64]], depots: int, count: int
) -> IntArray:
    """Return the nearest shipments of each: (nodes, count), nearest first, -1 where none is."""
    gap = gap.copy()
    np.fill_diagonal(gap, np.inf)
    gap[:, :depots] = np.inf
    kept = min(count, max(1, len(gap) - depots - 1))
    part = np.argpartition(gap, kept - 1, axis=1)[:, :kept]
    rows = np.arange(len(gap))[:, None]
    order = np.argsort(gap[rows, part], axis=1, kind="stable")
    nearest = part[rows, order].astype(np.int64)
    nearest[~np.isfinite(gap[rows, nearest])] = -1
    return nearest
