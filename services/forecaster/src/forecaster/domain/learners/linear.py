"""Linear regressions of River's: by squares, and by an epsilon-insensitive loss."""

from river.base import Regressor
from river.linear_model import LinearRegression
from river.optim import SGD
from river.optim.losses import EpsilonInsensitiveHinge

from forecaster.domain.learners.by_features import ByFeatures

_STEP = 0.0002
_HINGE_STEP = 0.0005
_GRADIENT_MAX = 4.0
_EPSILON = 0.1


class Linear(ByFeatures):
    """Least squares by stochastic gradient descent."""

    name = "linear"

    def new_model(self) -> Regressor:
        """Return a regression that begins at the level."""
        return LinearRegression(
            SGD(_STEP), intercept_init=1.0, intercept_lr=_STEP, clip_gradient=_GRADIENT_MAX
        )


class SupportVector(ByFeatures):
    """A linear support vector regression (Vapnik, 1995): errors below epsilon cost nothing.

    What it tells is nearer to the median than to the mean, and so too little of slow sellers.
    """

    name = "support-vector"

    def new_model(self) -> Regressor:
        """Return a regression that begins at the level."""
        return LinearRegression(
            SGD(_HINGE_STEP),
            loss=EpsilonInsensitiveHinge(_EPSILON),
            l2=1e-4,
            intercept_init=1.0,
            intercept_lr=_HINGE_STEP,
        )
