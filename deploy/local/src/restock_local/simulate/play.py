"""One planner over one setting."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from replenisher.domain.policy import IntArray
from replenisher.domain.protection import FloatArray, HorizonGrid
from replenisher.domain.simulation import Tally, Warehouse
from restock_local.simulate.planners import Known, Planner
from restock_local.simulate.setting import Setting


@dataclass(frozen=True, slots=True)
class Played:
    """What came of it.

    Attributes:
        tally: Of each sku.
        stock_value: (days,) money on the shelf at the end of each day that was played.
        unmet: (days,) units not served at once, of all skus.
    """

    tally: Tally
    stock_value: FloatArray
    unmet: IntArray


def play(setting: Setting, planner: Planner, forecasts: Mapping[int, HorizonGrid]) -> Played:
    """Return what comes of a planner.

    Args:
        setting: In which it plays.
        planner: Who decides.
        forecasts: At each of the setting's reviews.
    """
    warehouse = Warehouse(setting.world())
    book = setting.lead_time_book()
    under_way: dict[int, list[tuple[IntArray, IntArray]]] = {}
    value, unmet = [], []
    recent = np.zeros(len(setting.demand), dtype=np.int64)
    reviews = set(setting.reviews)
    for column in range(setting.start, setting.days):
        day = column - setting.start
        warehouse.open(day, counts=True)
        for rows, taken in under_way.pop(day, ()):
            book.take(rows, taken.astype(np.float64))
        if column in reviews:
            quantity = planner.order(
                Known(
                    day=column,
                    position=warehouse.inventory_position,
                    history=setting.demand[:, :column],
                    unmet=recent,
                    horizons=forecasts[column],
                    lead_times=book.estimate(),
                ),
                setting,
            )
            recent = np.zeros_like(recent)
            warehouse.order(day, quantity, counts=True)
            _note(under_way, day, quantity, setting.lead_days[:, column])
        lacking = warehouse.sell(day, counts=True)
        recent += lacking
        unmet.append(int(lacking.sum()))
        value.append(float((warehouse.on_hand * setting.costs.unit).sum()))
    warehouse.close()
    return Played(warehouse.tally, np.array(value), np.array(unmet, dtype=np.int64))


def _note(
    under_way: dict[int, list[tuple[IntArray, IntArray]]],
    day: int,
    quantity: IntArray,
    lead_days: IntArray,
) -> None:
    """Note when each order will teach its lead time: on the day it comes."""
    rows = np.flatnonzero(quantity > 0)
    taken = lead_days[rows]
    for lead in np.unique(taken).tolist():
        some = rows[taken == lead]
        under_way.setdefault(day + lead, []).append((some, np.full(len(some), lead)))
