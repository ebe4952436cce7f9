"""Routing problems from files: VRPLIB (.vrp), Solomon (.txt) and Restock's own JSON."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import vrplib
from pydantic import BaseModel, ConfigDict, ValidationError

from dispatcher.domain.vrp.problem import (
    UNBOUNDED,
    Point,
    Prices,
    Problem,
    Shipment,
    Size,
    Vehicle,
    Warehouse,
)
from dispatcher.domain.vrp.travel import Given, RoadFactor

_NEVER = 10**7
"""A horizon for problems without time."""
_PENALTY = 10**9
"""Leaving a stop of a benchmark out costs more than any route: its cost is length alone."""
_ROAD_FACTOR_MAX = 5
_DEGREES = 1e-4
"""A benchmark's unit of length on the map: coordinates need to be somewhere."""


class Unreadable(ValueError):
    """A file that holds no routing problem: the message says why."""


class ProblemFile(BaseModel):
    """Restock's own JSON: the domain's fields by name, travel by road factor."""

    model_config = ConfigDict(extra="forbid")

    warehouses: tuple[Warehouse, ...]
    vehicles: tuple[Vehicle, ...]
    shipments: tuple[Shipment, ...]
    prices: Prices = Prices()
    road_factor: float = 1.3


@dataclass(frozen=True, slots=True)
class Loaded:
    """A problem, and what is known of its best solution.

    Attributes:
        name: The file's name without its ending.
        problem: In domain terms.
        best_known: In the problem's costs; None where no solution lies beside it.
        benchmark: Whether costs are a benchmark's lengths, and not micro-units of money.
    """

    name: str
    problem: Problem
    best_known: int | None = None
    benchmark: bool = True


def load(path: Path) -> Loaded:
    """Read a problem. Raises Unreadable."""
    try:
        if path.suffix == ".json":
            return _own(path)
        kind = "vrplib" if path.suffix == ".vrp" else "solomon"
        instance = vrplib.read_instance(str(path), instance_format=kind)
        problem, metres = _benchmark(instance, path)
        return Loaded(path.stem, problem, _best_known(path, metres))
    except (OSError, KeyError, IndexError, TypeError, ValueError, RuntimeError) as error:
        raise Unreadable(f"{path}: {error}") from error


def _own(path: Path) -> Loaded:
    try:
        file = ProblemFile.model_validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise Unreadable(f"{path}: {where}: {first['msg']}") from error
    if not 1 <= file.road_factor <= _ROAD_FACTOR_MAX:
        raise Unreadable(f"{path}: a road factor of {file.road_factor}: from 1 to 5")
    travel = RoadFactor(file.road_factor)
    problem = Problem(file.warehouses, file.vehicles, file.shipments, travel, file.prices)
    return Loaded(path.stem, problem, benchmark=False)


def _benchmark(instance: dict[str, Any], path: Path) -> tuple[Problem, np.ndarray[Any, Any]]:
    """Return the problem, lengths as its kind of benchmark rounds them.

    With windows lengths and times are cut to one decimal and counted in tenths (DIMACS);
    otherwise they are rounded to the nearest integer (CVRPLIB).
    """
    at = np.asarray(instance["node_coord"], float)
    if not np.isfinite(at).all():
        raise Unreadable(f"{path}: a coordinate is no number")
    if len(at) == 1:
        raise Unreadable(f"{path}: no customers")
    apart = np.sqrt(((at[:, None] - at[None]) ** 2).sum(-1))
    timed = "time_window" in instance
    if timed:
        metres = np.floor(10 * apart + 1e-9).astype(np.int64)
        windows = np.rint(10 * np.asarray(instance["time_window"], float)).astype(np.int64)
        service = np.rint(10 * np.asarray(instance["service_time"], float)).astype(np.int64)
    else:
        metres = np.floor(apart + 0.5).astype(np.int64)
        windows = np.tile(np.array([0, _NEVER], np.int64), (len(at), 1))
        service = np.zeros(len(at), np.int64)
    demand = np.asarray(instance["demand"], np.int64)
    capacity = int(instance["capacity"])
    middle = at.mean(axis=0)
    places = tuple(Point(*((xy - middle)[::-1] * _DEGREES)) for xy in at)
    fleet = _fleet(instance, demand, capacity)
    vehicles = tuple(
        Vehicle(
            f"vehicle-{number}",
            "depot",
            Size(capacity, UNBOUNDED, UNBOUNDED),
            int(windows[0, 0]),
            int(windows[0, 1]),
            (3600,),
            cost_per_km=1000,
            cost_per_hour=0,
            fixed_cost=0,
        )
        for number in range(1, fleet + 1)
    )
    shipments = tuple(
        Shipment(
            str(node),
            places[node],
            Size(int(demand[node])),
            int(windows[node, 0]),
            int(windows[node, 1]),
            int(service[node]),
            _PENALTY,
        )
        for node in range(1, len(at))
    )
    travel = Given(metres, metres if timed else None, places)
    return Problem((Warehouse("depot", places[0]),), vehicles, shipments, travel), metres


def _fleet(instance: dict[str, Any], demand: np.ndarray[Any, Any], capacity: int) -> int:
    """Return how many vehicles there are: as many as are useful where the file names none."""
    if "vehicles" in instance:
        return int(instance["vehicles"])
    least = -(-int(demand.sum()) // capacity)
    return least + max(5, least // 5)


def _best_known(path: Path, metres: np.ndarray[Any, Any]) -> int | None:
    """Return the length of the solution that lies beside, reckoned anew with our lengths."""
    beside = path.with_suffix(".sol")
    if not beside.exists():
        return None
    solution = vrplib.read_solution(str(beside))
    total = 0
    for route in solution["routes"]:
        nodes = [0, *route, 0]
        total += int(metres[nodes[:-1], nodes[1:]].sum())
    return total
