"""River's Bayesian linear regression: exact, and without a step to choose."""

from math import sqrt

from river.base import Regressor
from river.linear_model import BayesianLinearRegression

from forecaster.domain.learners.by_features import ByFeatures

_INTERCEPT = -1
_PRIOR_VARIANCE = 0.02


class BayesianLinear(ByFeatures):
    """Learns how far demand lies from the level; forgets nothing.

    River's own forgetting (`smoothing`) inverts a matrix each time, and returns NaN while there
    are fewer than eight features.
    """

    name = "bayesian-linear"

    def new_model(self) -> Regressor:
        """Return a regression whose prior is the level."""
        # River 0.26 takes 1 / alpha for the prior's precision and for its inverse alike; what is
        # told follows from the inverse
        return BayesianLinearRegression(alpha=1 / _PRIOR_VARIANCE)

    def learn_row(self, row: dict[int, float], ratio: float, weight: float) -> None:
        """Show the model how far a row lies from the level; a weight scales both sides."""
        root = sqrt(weight)
        scaled = {place: root * value for place, value in row.items()}
        self.model.learn_one({**scaled, _INTERCEPT: root}, root * (ratio - 1))

    def predict_row(self, row: dict[int, float]) -> float:
        """Return the demand relative to the level."""
        return 1 + float(self.model.predict_one({**row, _INTERCEPT: 1.0}))

    def dump(self) -> bytes:
        """Return model and scaler; what the model would work out when asked is worked out."""
        self.model.predict_one({_INTERCEPT: 1.0})
        return super().dump()
