"""Trees of River's that grow as rows come."""

from river.base import Regressor
from river.forest import ARFRegressor
from river.tree import HoeffdingTreeRegressor
from river.tree.splitter import QOSplitter

from forecaster.domain.learners.by_features import ByFeatures

_SEED = 1
_TREES = 5
_DEPTH_MAX = 8
_GRACE_ROWS = 200
_RADIUS = 0.25
"""Of a bin, in standard deviations: what a leaf keeps of a feature to find its best split by."""


class HoeffdingTree(ByFeatures):
    """One tree, which splits where rows enough speak for it (Domingos & Hulten, 2000)."""

    name = "hoeffding-tree"

    def new_model(self) -> Regressor:
        """Return a tree of one leaf."""
        return HoeffdingTreeRegressor(
            grace_period=_GRACE_ROWS,
            max_depth=_DEPTH_MAX,
            leaf_prediction="mean",
            delta=1e-4,
            splitter=QOSplitter(_RADIUS),
        )


class AdaptiveForest(ByFeatures):
    """Trees on samples, each replaced when it drifts (Gomes et al., 2018)."""

    name = "adaptive-forest"

    def new_model(self) -> Regressor:
        """Return a forest; more trees cost more than they tell."""
        return ARFRegressor(
            n_models=_TREES,
            max_features=0.5,
            aggregation_method="mean",
            lambda_value=3,
            max_depth=_DEPTH_MAX,
            leaf_prediction="mean",
            grace_period=_GRACE_ROWS,
            splitter=QOSplitter(_RADIUS),
            seed=_SEED,
        )

    def learn_row(self, row: dict[int, float], ratio: float, weight: float) -> None:
        """Show the forest one row; it weighs them by its own draws."""
        del weight
        self.model.learn_one(row, ratio)
