"""The learners, by the name under which they are published; several may compete."""

from collections.abc import Callable, Mapping
from importlib.util import find_spec

from forecaster.domain.learner import Learner
from forecaster.domain.learners.bayesian_linear import BayesianLinear
from forecaster.domain.learners.champions import Champions
from forecaster.domain.learners.exponentially_weighted import ExponentiallyWeighted
from forecaster.domain.learners.global_mixture import GlobalMixture
from forecaster.domain.learners.holt_winters import HoltWinters
from forecaster.domain.learners.intermittent import Croston, Tsb
from forecaster.domain.learners.linear import Linear, SupportVector
from forecaster.domain.learners.seasonal_naive import SeasonalNaive
from forecaster.domain.learners.snarimax import Snarimax
from forecaster.domain.learners.trees import AdaptiveForest, HoeffdingTree

NEURAL = "gated-recurrent"
"""Needs PyTorch, which is gigabytes: the extra `[neural]`."""


def _gated_recurrent() -> Learner:
    from forecaster.domain.learners.gated_recurrent import GatedRecurrent

    return GatedRecurrent()


REGISTRY: Mapping[str, Callable[[], Learner]] = {
    learner.name: learner
    for learner in (
        AdaptiveForest,
        BayesianLinear,
        Croston,
        ExponentiallyWeighted,
        GlobalMixture,
        HoeffdingTree,
        HoltWinters,
        Linear,
        SeasonalNaive,
        Snarimax,
        SupportVector,
        Tsb,
    )
} | ({NEURAL: _gated_recurrent} if find_spec("torch") else {})


def new_learner(names: str) -> Learner:
    """Return a learner that has learned nothing yet.

    Args:
        names: One of the registry; or several, by commas, that compete for each segment, of which
            the first speaks until another has proved better.

    Raises:
        ValueError: There is none of that name, it is not installed, or one stands there twice.
    """
    wanted = [name.strip() for name in names.split(",")]
    for name in wanted:
        if name == NEURAL and name not in REGISTRY:
            raise ValueError(f"{name!r} needs the extra [neural] (PyTorch), which is not installed")
        if name not in REGISTRY:
            raise ValueError(f"{name!r} is no learner; known: {', '.join(sorted(REGISTRY))}")
        if wanted.count(name) > 1:
            raise ValueError(f"{name!r} stands twice in {names!r}")
    learners = [REGISTRY[name]() for name in wanted]
    return learners[0] if len(learners) == 1 else Champions(learners)
