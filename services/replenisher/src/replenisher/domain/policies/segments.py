"""Which policy a segment uses, as data: patterns of segments and the policies they name.

A segment is written like `A/X/regular`: by share of the turnover (A the first 80 %, B the next 15,
C the rest), by how much a week's demand varies (X up to a coefficient of 0.5, Y up to 1, Z above),
and by kind: `perishable`, `new` or `regular`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

import numpy as np

from replenisher.domain.policies.economic_order import EconomicLots
from replenisher.domain.policies.long_run import FillRate, LeastCost
from replenisher.domain.policies.newsvendor import Newsvendor
from replenisher.domain.policies.protocol import Levels, Policy, Situation
from replenisher.domain.policies.service_level import BaseStock, CycleService, MinMax
from replenisher.domain.policy import IntArray
from replenisher.domain.protection import FloatArray

POLICIES: Mapping[str, Policy] = {
    policy.name: policy
    for policy in (
        CycleService(),
        LeastCost(),
        FillRate(),
        EconomicLots(),
        BaseStock(),
        Newsvendor(),
        MinMax(),
    )
}
_TURNOVER_SHARES = (0.80, 0.95)
_VARIATIONS = (0.5, 1.0)
_WEEK_DAYS = 7.0


def classify(
    situation: Situation, perishable: Sequence[bool], new: Sequence[bool]
) -> tuple[str, ...]:
    """Return the segment of each sku: (n,).

    Args:
        situation: Whose unit costs weigh the turnover; a cost of 0 counts as 1.
        perishable: (n,) Whether it does not keep.
        new: (n,) Whether too little is known of it.
    """
    week = situation.horizons.demand_over(np.full(len(situation), _WEEK_DAYS))
    cost = situation.costs.unit
    turnover = week.mean * np.where(cost > 0, cost, 1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        variation = np.where(week.mean > 0, week.sd / week.mean, np.inf)
    by_turnover = _by_turnover(turnover)
    by_variation = np.searchsorted(_VARIATIONS, variation)
    kinds = [
        "perishable" if p else "new" if n else "regular"
        for p, n in zip(perishable, new, strict=True)
    ]
    return tuple(
        f"{'ABC'[a]}/{'XYZ'[x]}/{kind}"
        for a, x, kind in zip(by_turnover.tolist(), by_variation.tolist(), kinds, strict=True)
    )


def _by_turnover(turnover: FloatArray) -> IntArray:
    """Return 0 for A, 1 for B, 2 for C: the share that stands above each sku decides."""
    order = np.argsort(-turnover, kind="stable")
    total = max(float(turnover.sum()), 1e-300)
    above = (turnover[order].cumsum() - turnover[order]) / total
    found = np.empty(len(turnover), dtype=np.int64)
    found[order] = np.searchsorted(_TURNOVER_SHARES, above, side="right")
    return found


@dataclass(frozen=True, slots=True)
class PolicyBook:
    """Patterns of segments, in order, and the policy that each names; the first that fits counts.

    Attributes:
        rules: (pattern, policy); patterns as of a shell: `A/*`, `*/*/perishable`, `*`.
    """

    rules: tuple[tuple[str, str], ...] = (("*", CycleService.name),)

    def __post_init__(self) -> None:
        """Refuse policies that do not exist, and rules that leave a segment without one."""
        for pattern, name in self.rules:
            if name not in POLICIES:
                known = ", ".join(sorted(POLICIES))
                raise ValueError(f"{pattern!r} names policy {name!r}; known: {known}")
        if not self.rules or self.rules[-1][0] != "*":
            raise ValueError("the last rule must be for '*': every segment needs a policy")

    def policy_of(self, segment: str) -> Policy:
        """Return the policy of a segment."""
        name = next(name for pattern, name in self.rules if fnmatchcase(segment, pattern))
        return POLICIES[name]

    def levels(self, situation: Situation, segments: Sequence[str]) -> Levels:
        """Return the levels of n skus, each by the policy of its segment.

        Args:
            situation: Of all.
            segments: (n,); may be empty where one rule is for all.
        """
        if len(self.rules) == 1 or not len(situation):
            return POLICIES[self.rules[-1][1]].levels(situation)
        chosen = {segment: self.policy_of(segment) for segment in set(segments)}
        names = sorted({policy.name for policy in chosen.values()})
        if len(names) == 1:
            return POLICIES[names[0]].levels(situation)
        which = np.array([names.index(chosen[segment].name) for segment in segments], np.int64)
        rows = [np.flatnonzero(which == place) for place in range(len(names))]
        parts = [
            POLICIES[name].levels(situation.some(some))
            for name, some in zip(names, rows, strict=True)
        ]
        return _together(parts, rows, which)


def _together(parts: Sequence[Levels], rows: Sequence[IntArray], which: IntArray) -> Levels:
    count = len(which)
    numbers = {name: np.full(count, np.nan) for part in parts for name in part.numbers}
    levels = np.zeros((3, count), dtype=np.int64)
    for part, some in zip(parts, rows, strict=True):
        levels[:, some] = part.reorder_point, part.order_up_to_level, part.lot
        for name, values in part.numbers.items():
            numbers[name][some] = values
    lower, upper, lot = levels
    return Levels(
        reorder_point=lower,
        order_up_to_level=upper,
        lot=lot,
        policies=tuple(part.policies[0] for part in parts),
        formulas=tuple(part.formulas[0] for part in parts),
        formula=which,
        numbers=numbers,
    )
