"""A small made-up market, taught to a learner day by day."""

import math
from random import Random

from forecaster.domain.learner import Key, Learner
from forecaster.domain.partition import DayTold, Partition
from forecaster.domain.plans import Plan

FIRST_DAY = 17_167  # 1 January 2017
DAYS = 75


def market_day(day: int, seed: int = 1) -> DayTold:
    """Return what came on one day: steady, slow, promoted and dying skus at two locations."""
    random = Random(seed * 100_000 + day)
    units: dict[Key, int] = {}
    for location in ("north", "south"):
        for number in range(6):
            mean = (0.1, 0.5, 1.0, 3.0, 8.0, 40.0)[number]
            if number == 2 and promoted(day):
                mean *= 3
            asked = poisson(random, mean)
            if asked:
                units[Key(f"sku-{number}", location)] = asked
    if day < FIRST_DAY + 20:
        units[Key("sku-dying", "north")] = 5
    away = {Key("sku-4", "south"): 0.5} if day % 10 == 3 else {}
    return DayTold(units, away, {Key("sku-3", "north"): 0.2} if day % 9 < 2 else {})


def promoted(day: int) -> bool:
    """Return whether sku-2 is on display."""
    return (day - FIRST_DAY) % 21 < 7


def poisson(random: Random, mean: float) -> int:
    """Return one draw (Knuth, 1969)."""
    bound, count, product = math.exp(-mean), 0, random.random()
    while product > bound:
        count += 1
        product *= random.random()
    return count


def new_market(learner: Learner) -> Partition:
    """Return a partition that has learned nothing, with its plans."""
    partition = Partition(learner)
    for start in range(FIRST_DAY, FIRST_DAY + 200, 21):
        plan = Plan(start, start + 6, 1.0, 0.5, 0.2)
        partition.plans.put(Key("sku-2", ""), f"week-{start}", plan)
    partition.categories = {f"sku-{number}": "tea" for number in range(3)}
    return partition


def teach(partition: Partition, days: int = DAYS, first_day: int = FIRST_DAY) -> None:
    """Close so many days."""
    for day in range(first_day, first_day + days):
        partition.close(day, market_day(day))
