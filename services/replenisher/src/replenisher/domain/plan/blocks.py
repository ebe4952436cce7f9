"""A wish cut into blocks: its smallest lot, then more packs, each with its cost and its value."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from replenisher.domain.plan.value import Stakes
from replenisher.domain.policy import IntArray
from replenisher.domain.protection import FloatArray

MAX_BLOCKS = 10
"""Of one line beyond its smallest lot; more packs than that are taken several at a time."""


@dataclass(frozen=True, slots=True)
class Wish:
    """Up to so many units of one line, in lots.

    Attributes:
        position: The inventory position, in units.
        quantity: What is wanted: whole packs, at least the smallest lot.
        smallest_lot: Units that are ordered together or not at all.
        pack_size: Units that more of it comes in.
        unit_cost: In money.
    """

    position: int
    quantity: int
    smallest_lot: int
    pack_size: int
    unit_cost: float


@dataclass(frozen=True, slots=True)
class Blocks:
    """All blocks of several lines, in the order in which each line takes its own; (k,) each.

    Expected cost is convex in the position, so that no block is worth more by the unit than the one
    before it: whoever takes the best blocks first never takes a line's second before its first.
    """

    line: IntArray
    units: IntArray
    cost: FloatArray
    value: FloatArray

    def by_density(self) -> IntArray:
        """Return the blocks from the most value for the money to the least: (k,) indexes."""
        density = self.value / np.maximum(self.cost, 1e-12)
        # The stable sort keeps a line's blocks in their order where they are worth the same.
        return np.argsort(-density, kind="stable")

    def taken(self, chosen: npt.NDArray[np.bool_], lines: int) -> IntArray:
        """Return the units of each line that some blocks come to: (lines,)."""
        units = np.zeros(lines, dtype=np.int64)
        np.add.at(units, self.line[chosen], self.units[chosen])
        return units


def cut(wishes: Sequence[Wish], stakes: Stakes, first: Sequence[int] | None = None) -> Blocks:
    """Return the blocks of n wishes.

    Args:
        wishes: n of them.
        stakes: (n,) What is at stake where each is wanted.
        first: (n,) Units that are taken already, so that only packs beyond them are left.
    """
    line: list[int] = []
    units: list[int] = []
    before: list[float] = []
    for index, wish in enumerate(wishes):
        taken = 0 if first is None else first[index]
        level = wish.position + taken
        for step in _steps(wish, taken):
            line.append(index)
            units.append(step)
            before.append(level)
            level += step
    rows = np.array(line, dtype=np.int64)
    sizes = np.array(units, dtype=np.int64)
    start = np.array(before, dtype=np.float64)
    each = stakes.take(rows)
    cost = np.array([wish.unit_cost for wish in wishes], dtype=np.float64)[rows] * sizes
    value = each.expected_cost(start) - each.expected_cost(start + sizes)
    return Blocks(rows, sizes, cost, value)


def _steps(wish: Wish, taken: int) -> list[int]:
    steps = [] if taken else [wish.smallest_lot]
    rest = (wish.quantity - max(taken, wish.smallest_lot)) // wish.pack_size
    at_once = -(-rest // MAX_BLOCKS)
    while rest > 0:
        packs = min(at_once, rest)
        steps.append(packs * wish.pack_size)
        rest -= packs
    return steps
