"""Bayesian linear regression in daily blocks: exact, one pass, whatever came before fades.

With a normal prior about `prior` and weights that fade by `kept` a day, the posterior mean is the
ridge solution of the decayed sums (Bishop 2006, 3.3). River's `BayesianLinearRegression` gives the
same one row at a time; a block of rows is one matrix product.
"""

import numpy as np

from forecaster.domain.history import FloatArray


class Regression:
    """One response on `n` features.

    Args:
        precision: (n,) Of the prior about each weight, in rows of the data's own weight.
        prior: (n,) What the weights are believed to be before any data.
        kept: What of the data's weight is left a day later.
    """

    def __init__(self, precision: FloatArray, prior: FloatArray, kept: float) -> None:
        self._precision, self._prior, self._kept = precision, prior, kept
        self._gram = np.zeros((len(prior), len(prior)))
        self._moment = np.zeros(len(prior))
        self._solved: dict[int, FloatArray] = {}
        self._day = -1

    def learn(self, day: int, table: FloatArray, response: FloatArray, weight: FloatArray) -> None:
        """Learn a block of a day: (rows, n), (rows,), (rows,)."""
        if self._day >= 0:
            kept = self._kept ** (day - self._day)
            self._gram *= kept
            self._moment *= kept
        self._day = day
        self._gram += (table * weight[:, None]).T @ table
        self._moment += table.T @ (weight * response)
        self._solved.clear()

    def weights(self, features: int) -> FloatArray:
        """Return the posterior mean of the first so many features' weights, without the others."""
        if features not in self._solved:
            precision = self._precision[:features]
            matrix = self._gram[:features, :features] + np.diag(precision)
            moment = self._moment[:features] + precision * self._prior[:features]
            solved = np.linalg.solve(matrix, moment).astype(np.float64)
            self._solved[features] = solved
        return self._solved[features]

    def dump(self) -> FloatArray:
        """Return what was learned; of the symmetric part one half."""
        upper = np.triu_indices(len(self._prior))
        return np.concatenate([[self._day], self._moment, self._gram[upper]])

    def restore(self, dumped: FloatArray) -> None:
        """Take up again what `dump` returned."""
        size = len(self._prior)
        upper = np.triu_indices(size)
        self._day = int(dumped[0])
        self._moment = dumped[1 : size + 1].copy()
        self._gram = np.zeros((size, size))
        self._gram[upper] = dumped[size + 1 :]
        self._gram.T[upper] = dumped[size + 1 :]
        self._solved.clear()

    @property
    def dumped_size(self) -> int:
        """Return how many numbers `dump` returns."""
        size = len(self._prior)
        return 1 + size + size * (size + 1) // 2
