"""statsforecast's Croston SBA with a negative binomial about its mean, for slow sellers."""

from collections.abc import Sequence

import numpy as np

from restock_local.backtest.dataset import FloatArray
from restock_local.backtest.scores import TOTALS_DAYS

_ERROR_DAYS = 91
_INDEX_MIN = 1.02


def foretell(units: FloatArray, origins: Sequence[int]) -> tuple[FloatArray, FloatArray]:
    """Return means and sizes of the totals at each origin: (n_origins, n_series, 2) each."""
    from statsforecast.models import CrostonSBA

    model = CrostonSBA()
    shape = (len(origins), len(units), len(TOTALS_DAYS))
    mean, size = np.zeros(shape), np.ones(shape)
    for at, origin in enumerate(origins):
        known = units[:, :origin]
        rates = np.array([float(model.forecast(row, 1)["mean"][0]) for row in known])
        rates = np.maximum(np.nan_to_num(rates), 1e-6)
        for place, days in enumerate(TOTALS_DAYS):
            recent = known[:, -_ERROR_DAYS:].cumsum(1)
            sums = recent[:, days:] - recent[:, :-days]
            mean[at, :, place] = rates * days
            errors = ((sums - rates[:, None] * days) ** 2).mean(1)
            index = np.maximum(errors / (rates * days), _INDEX_MIN)
            size[at, :, place] = rates * days / (index - 1)
    return mean, size
