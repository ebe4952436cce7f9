"""The learner alone: a made-up partition whose days are closed in this process, without Kafka.

Skus by Zipf's law, each at two locations, a tenth of them promoted in any week. Measured is the
processor time of the last days, when all keys are known.
"""

import time
from itertools import pairwise
from random import Random

from threadpoolctl import threadpool_limits

from _report import said
from forecaster.domain.learner import Key
from forecaster.domain.learners import new_learner
from forecaster.domain.partition import DayTold, Partition
from forecaster.domain.plans import Plan

_FIRST_DAY = 17_167
_LOCATIONS = ("north", "south")
_WEEK = 7
_ORDERS_PER_KEY_A_DAY = 0.5
_VERSIONS = 2


def partition(learner: str, skus: int) -> Partition:
    """Return a partition that has learned nothing, with its plans."""
    made = Partition(new_learner(learner))
    made.categories = {f"sku-{one:06}": f"category-{one % 40}" for one in range(skus)}
    for sku in range(skus):
        for week in range(sku % 10, 60, 10):
            first = _FIRST_DAY + week * _WEEK
            plan = Plan(first, first + _WEEK - 1, 1.0, 0.0, 0.2)
            made.plans.put(Key(f"sku-{sku:06}", ""), f"week-{week}", plan)
    return made


def events(random: Random, skus: int) -> list[tuple[Key, int]]:
    """Return one day's demand."""
    count = round(skus * len(_LOCATIONS) * _ORDERS_PER_KEY_A_DAY)
    weights = [1 / (rank + 3) for rank in range(skus)]
    drawn = random.choices(range(skus), weights, k=count)
    return [
        (Key(f"sku-{sku:06}", random.choice(_LOCATIONS)), random.randint(1, 3)) for sku in drawn
    ]


def measure(
    learner: str, skus: int = 5_000, days: int = 45, measured: int = 7
) -> dict[str, object]:
    """Close so many days and return the figures of the last of them."""
    threadpool_limits(1)  # as the service does
    said("closing", days, "days of", len(_LOCATIONS) * skus, "keys")
    random, made = Random(1), partition(learner, skus)
    event_s = close_s = 0.0
    taken = closed = 0
    for day in range(_FIRST_DAY, _FIRST_DAY + days):
        came = events(random, skus)
        marks = [time.process_time()]
        units: dict[Key, int] = {}
        for key, quantity in came:
            units[key] = units.get(key, 0) + quantity
        marks.append(time.process_time())
        visited = made.close(day, DayTold(units))
        marks.append(time.process_time())
        if day >= _FIRST_DAY + days - measured:
            spent = [after - before for before, after in pairwise(marks)]
            event_s, close_s = event_s + spent[0], close_s + spent[1]
            taken, closed = taken + len(came), closed + len(visited)
    keys = sorted(made.histories)
    start = time.process_time()
    made.forecast(keys, _FIRST_DAY + days - 1)
    forecast_s = time.process_time() - start
    sizes = [
        len("\x1f".join(key)) + _VERSIONS * (len(made.histories[key]) + len(made.states[key]))
        for key in keys
    ]
    return {
        "learner_keys": len(keys),
        "us_per_event": round(1e6 * event_s / taken, 2),
        "us_per_close": round(1e6 * close_s / closed, 1),
        "us_per_forecast": round(1e6 * forecast_s / len(keys), 1),
        "bytes_per_key": max(sizes),
        "shared_bytes": len(made.learner.shared()),
    }
