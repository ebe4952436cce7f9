"""The learners, by the name under which they are published."""

from collections.abc import Callable, Mapping

from forecaster.domain.learner import Learner
from forecaster.domain.learners.exponentially_weighted import ExponentiallyWeighted
from forecaster.domain.learners.global_mixture import GlobalMixture
from forecaster.domain.learners.holt_winters import HoltWinters
from forecaster.domain.learners.intermittent import Croston, Tsb
from forecaster.domain.learners.seasonal_naive import SeasonalNaive
from forecaster.domain.learners.snarimax import Snarimax

REGISTRY: Mapping[str, Callable[[], Learner]] = {
    learner.name: learner
    for learner in (
        Croston,
        ExponentiallyWeighted,
        GlobalMixture,
        HoltWinters,
        SeasonalNaive,
        Snarimax,
        Tsb,
    )
}


def new_learner(name: str) -> Learner:
    """Return a learner that has learned nothing yet.

    Raises:
        ValueError: There is none of that name.
    """
    if name not in REGISTRY:
        raise ValueError(f"{name!r} is no learner; known: {', '.join(sorted(REGISTRY))}")
    return REGISTRY[name]()
