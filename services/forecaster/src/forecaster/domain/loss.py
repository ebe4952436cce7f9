"""What a forecast costs: the pinball loss (Koenker & Bassett, 1978) over the levels that matter."""

import numpy as np

from forecaster.domain.history import FloatArray

LEVELS: FloatArray = np.array([0.5, 0.8, 0.9, 0.95, 0.99])
"""Stock is held for what comes at most, so one half and upwards."""


def pinball(units: FloatArray, told: FloatArray) -> FloatArray:
    """Return the mean loss over `LEVELS`, in units: (...).

    Args:
        units: (...) What came.
        told: (..., len(LEVELS)) The quantiles that were foretold.
    """
    over = np.asarray(units)[..., None] - told
    losses: FloatArray = np.maximum(LEVELS * over, (LEVELS - 1) * over).mean(-1)
    return losses
