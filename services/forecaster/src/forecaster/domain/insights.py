"""What is worth telling of a day that was closed: drifts, and models that took over.

It follows from the partition's state alone; so it is the same however often it is asked.
"""

from collections.abc import Sequence

import numpy as np

from forecaster.domain import history
from forecaster.domain.calendar import midnight
from forecaster.domain.history import ANCHOR_DAYS, Histories
from forecaster.domain.learner import Key
from forecaster.domain.learners.champions import Champions
from forecaster.domain.partition import Partition
from restock_common.contracts.insights import DriftDetected, ModelSwitched

_SLOW_DAYS, _LATE_DAYS = 120.0, 7
_AGE_MIN_DAYS = 56
"""Of a younger series it is not the demand that has changed, but what was believed of it."""


def insights(
    partition: Partition, number: int, keys: Sequence[Key], day: int
) -> list[DriftDetected | ModelSwitched]:
    """Return what the close of `day` has brought to light: drifts by key, switches by segment.

    Args:
        partition: That has closed the day last.
        number: The partition's.
        keys: Those looked at, in order, as `Partition.close` returns them.
        day: That has ended.
    """
    return [*_drifts(partition, keys, day), *_switches(partition, number, day)]


def _drifts(partition: Partition, keys: Sequence[Key], day: int) -> list[DriftDetected]:
    if not keys:
        return []
    rows = history.decoded([partition.histories[key] for key in keys])
    old = day - rows["first_day"] + 1 >= _AGE_MIN_DAYS
    drifted = np.flatnonzero(old & (rows["drift_day"] == day))
    histories = Histories(rows[drifted])
    before = histories.level(histories.sums(ANCHOR_DAYS), _SLOW_DAYS)
    units, days = histories.total(0, _LATE_DAYS)
    after = units / np.maximum(days, 1.0)
    return [
        DriftDetected(
            sku=keys[row].sku,
            location=keys[row].location,
            learned_until=midnight(day + 1),
            direction="rise" if late > early else "fall",
            rate_before=round(early, 6),
            rate_after=round(late, 6),
        )
        for row, early, late in zip(drifted.tolist(), before.tolist(), after.tolist(), strict=True)
    ]


def _switches(partition: Partition, number: int, day: int) -> list[ModelSwitched]:
    if not isinstance(partition.learner, Champions):
        return []
    return [
        ModelSwitched(
            partition=number,
            segment=one.segment,
            learned_until=midnight(day + 1),
            before=one.before,
            after=one.after,
            loss_before=round(one.loss_before, 6),
            loss_after=round(one.loss_after, 6),
            n=round(one.rows, 3),
        )
        for one in partition.learner.switches(day)
    ]
