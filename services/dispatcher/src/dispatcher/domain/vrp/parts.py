"""A problem cut into parts that share no shipment and no vehicle, with their tables."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from dispatcher.domain.vrp.arrays import Tables, tables
from dispatcher.domain.vrp.problem import Matrices, Problem, Shipment, Warehouse

WHOLE_MAX = 1_500
"""A problem of more shipments is cut by warehouse even where goods lie at several."""


@dataclass(frozen=True, slots=True)
class Part:
    """A problem and its tables, in the same order."""

    problem: Problem
    tables: Tables


def parts(problem: Problem) -> list[Problem]:
    """Return one problem per warehouse where that loses nothing, or the whole is too large.

    Goods that lie at several warehouses go to the nearest one in that case.
    """
    tied = all(one.warehouse is not None for one in problem.shipments)
    if len(problem.warehouses) == 1 or (not tied and len(problem.shipments) <= WHOLE_MAX):
        return [problem]
    mine: dict[str, list[Shipment]] = {one.warehouse: [] for one in problem.warehouses}
    staffed = {one.warehouse for one in problem.vehicles}
    manned = [one for one in problem.warehouses if one.warehouse in staffed]
    for one in problem.shipments:
        where = one.warehouse or _nearest(manned or problem.warehouses, one)
        mine[where].append(one)
    return [
        replace(
            problem,
            warehouses=(here,),
            vehicles=tuple(one for one in problem.vehicles if one.warehouse == here.warehouse),
            shipments=tuple(mine[here.warehouse]),
        )
        for here in problem.warehouses
        if mine[here.warehouse]
    ]


def _nearest(warehouses: Sequence[Warehouse], one: Shipment) -> str:
    squeeze = float(np.cos(np.radians(one.destination.latitude)))

    def apart(here: Warehouse) -> float:
        east = (here.place.longitude - one.destination.longitude) * squeeze
        return float(np.hypot(here.place.latitude - one.destination.latitude, east))

    return min(warehouses, key=apart).warehouse


def with_tables(problem: Problem) -> Part:
    """Look up a problem's tables."""
    return Part(problem, tables(problem))


def restricted(part: Part, kept: Sequence[int]) -> Part:
    """Return a part with some of its shipments only, by index, in that order."""
    if len(kept) == len(part.problem.shipments):
        return part
    depots = len(part.problem.warehouses)
    nodes = [*range(depots), *(depots + index for index in kept)]
    cut = np.ix_(nodes, nodes)
    old = part.tables.matrices
    matrices = Matrices(old.metres[cut], tuple(table[cut] for table in old.seconds))
    shipments = tuple(part.problem.shipments[index] for index in kept)
    return Part(
        replace(part.problem, shipments=shipments), Tables(matrices, part.tables.profile_of)
    )
