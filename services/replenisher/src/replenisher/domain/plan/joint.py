"""Which blocks of a supplier's wishes fit into its budget and into the locations' room.

One budget alone is planned by marginal value: all lines take blocks from the most value for the
money down, until the money is spent, which is the Lagrangian's answer, and its bound. Where that
leaves a gap, or where room binds as well, CP-SAT chooses the blocks.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from ortools.sat.python import cp_model

from replenisher.domain.plan.blocks import Blocks

BoolArray = npt.NDArray[np.bool_]

_GOOD_ENOUGH = 1e-3
"""Gap of the marginal plan below which nothing better is looked for."""
_MOST_BLOCKS = 5_000
"""Of one supplier that CP-SAT is asked about; beyond it one block hardly matters."""
_SCALE = 10_000
"""Steps that money and value are counted in, of the largest there is."""
_DETERMINISTIC_TIME = 0.5
"""CP-SAT's own measure of work, so that the same wishes always have the same plan."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Which blocks are taken.

    Attributes:
        chosen: (k,) Whether a block is.
        value: What they are worth, in money.
        bound: What no choice can be worth more than.
        price: What one more unit of money would save; 0 where the budget does not bind.
    """

    chosen: BoolArray
    value: float
    bound: float
    price: float


def choose(
    blocks: Blocks, budget: float | None, location: Sequence[str], room: Mapping[str, int]
) -> Choice:
    """Return the blocks to take.

    Args:
        blocks: Of n lines.
        budget: Money that may be spent; None sets no limit.
        location: (n,) Where each line's units go.
        room: Units that locations have left, where that is limited.
    """
    crowded = _crowded(blocks, location, room)
    every = np.ones(len(blocks.line), dtype=np.bool_)
    total = float(blocks.value.sum())
    over_budget = budget is not None and float(blocks.cost.sum()) > budget
    if not over_budget and not crowded:
        return Choice(every, total, total, 0.0)
    choice = _marginal(blocks, budget, location, {name: room[name] for name in crowded})
    if choice.bound - choice.value <= _GOOD_ENOUGH * abs(choice.bound):
        return choice
    if len(blocks.line) > _MOST_BLOCKS:
        return choice
    return _solved(blocks, budget, location, {name: room[name] for name in crowded}, choice)


def _crowded(blocks: Blocks, location: Sequence[str], room: Mapping[str, int]) -> list[str]:
    where = np.array([location[line] for line in blocks.line])
    return [
        name
        for name in sorted(set(location) & set(room))
        if int(blocks.units[where == name].sum()) > room[name]
    ]


def _marginal(
    blocks: Blocks, budget: float | None, location: Sequence[str], room: Mapping[str, int]
) -> Choice:
    """Take blocks from the most value for the money down; a line ends where one does not fit."""
    left = np.inf if budget is None else budget
    space = dict(room)
    chosen = np.zeros(len(blocks.line), dtype=np.bool_)
    ended: set[int] = set()
    bound, rest, price = 0.0, left, 0.0
    for index in blocks.by_density().tolist():
        line, value, cost = int(blocks.line[index]), blocks.value[index], blocks.cost[index]
        if value <= 0:
            break
        # The bound is the relaxation in which a part of a block may be taken, and room is free.
        if rest > 0:
            share = 1.0 if cost <= rest else rest / cost
            bound += float(value * share)
            rest -= float(cost * share)
            if share < 1.0:
                price = float(value / cost)
        if line in ended:
            continue
        where, units = location[line], int(blocks.units[index])
        if cost > left or units > space.get(where, units):
            ended.add(line)
            continue
        chosen[index] = True
        left -= float(cost)
        if where in space:
            space[where] -= units
    return Choice(chosen, float(blocks.value[chosen].sum()), bound, price)


def _solved(
    blocks: Blocks,
    budget: float | None,
    location: Sequence[str],
    room: Mapping[str, int],
    hint: Choice,
) -> Choice:
    """Return the best choice that CP-SAT finds, no worse than the hint."""
    model = cp_model.CpModel()
    takes = [model.new_bool_var(f"b{index}") for index in range(len(blocks.line))]
    for index in range(1, len(takes)):
        if blocks.line[index] == blocks.line[index - 1]:
            model.add_implication(takes[index], takes[index - 1])
    if budget is not None:
        # Rounded up, so that what fits in whole steps fits in money.
        step = max(budget, 1e-9) / (_SCALE * 100)
        costs = np.ceil(blocks.cost / step).astype(np.int64).tolist()
        model.add(sum(c * take for c, take in zip(costs, takes, strict=True)) <= _SCALE * 100)
    for name, space in room.items():
        inside = [index for index, line in enumerate(blocks.line) if location[line] == name]
        model.add(sum(int(blocks.units[index]) * takes[index] for index in inside) <= space)
    unit = max(float(np.abs(blocks.value).max()), 1e-9) / _SCALE
    worth = np.rint(blocks.value / unit).astype(np.int64).tolist()
    model.maximize(sum(w * take for w, take in zip(worth, takes, strict=True)))
    for take, chosen in zip(takes, hint.chosen.tolist(), strict=True):
        model.add_hint(take, chosen)
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = 1
    solver.parameters.relative_gap_limit = _GOOD_ENOUGH
    solver.parameters.max_deterministic_time = _DETERMINISTIC_TIME
    status = solver.solve(model)
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return hint
    chosen = np.array([solver.boolean_value(take) for take in takes], dtype=np.bool_)
    value = float(blocks.value[chosen].sum())
    # The solver counts in steps, so its bound is not quite the money's: the Lagrangian's is.
    if value <= hint.value:
        return hint
    return Choice(chosen, value, hint.bound, hint.price)
