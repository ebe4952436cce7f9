"""River's models over one row of features: their bytes, and what they learn."""

import pickle
from collections.abc import Iterator
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from river.preprocessing import StandardScaler
from tests.unit.forecaster.learners.market import DAYS, FIRST_DAY, new_market, teach

from forecaster.domain import pickled
from forecaster.domain.learner import HORIZONS_DAYS, Key
from forecaster.domain.learners import REGISTRY, new_learner
from forecaster.domain.learners.by_features import ByFeatures
from forecaster.domain.partition import DayTold, Partition
from forecaster.domain.plans import Plan

BY_FEATURES = sorted(name for name, one in REGISTRY.items() if isinstance(one(), ByFeatures))


def test_they_are_these() -> None:
    assert BY_FEATURES == [
        "adaptive-forest",
        "bayesian-linear",
        "hoeffding-tree",
        "linear",
        "support-vector",
    ]


def test_another_rivers_model_is_learned_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    market = new_market(new_learner("linear"))
    teach(market, 40)
    with monkeypatch.context() as older:
        older.setattr(pickled, "_MARK", b"river 0.1 numpy 1.0\n")
        written = market.learner.shared()
    learner = new_learner("linear")
    learner.restore(written)
    again = new_market(learner)
    again.histories, again.states = dict(market.histories), dict(market.states)
    again.index()
    assert again.learner.shared() != market.learner.shared()
    teach(again, DAYS - 40, FIRST_DAY + 40)
    assert (again.forecast(sorted(again.histories), FIRST_DAY + DAYS - 1).mean > 0).all()


def test_equal_models_are_written_alike_whatever_strings_they_were_told() -> None:
    one: Any = StandardScaler()
    other: Any = StandardScaler()
    for scaler in (one, other):
        for value in (1.0, 2.0, 4.0):
            scaler.learn_one({"".join(["ra", "te"]): value})
    assert pickled.dump(one) == pickled.dump(other)
    assert pickled.dump(pickled.load(pickled.dump(one))) == pickled.dump(one)


class Harmful:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (eval, ("1 + 1",))


class Reaching:
    def __reduce__(self) -> tuple[object, tuple[object, str]]:
        return (getattr, (Random(1), "seed"))


@pytest.mark.parametrize("bad", [Harmful(), Reaching(), pytest.MonkeyPatch, Iterator])
def test_nothing_but_models_is_read(bad: object) -> None:
    with pytest.raises(pickle.UnpicklingError, match="is no part of a model"):
        pickled.load(pickled.dump(bad))


def test_no_name_leads_out_of_river() -> None:
    written = pickled._MARK + b"\x80\x04\x8c\x0briver.utils\x8c\x08math.sys\x93."
    with pytest.raises(pickle.UnpicklingError, match="is no part of a model"):
        pickled.load(written)


def test_a_planned_promotion_is_learned_and_explained() -> None:
    """Each third of the skus is promoted every third week; it is planned for the first third."""
    partition, days = Partition(new_learner("bayesian-linear")), 63
    keys = [Key(f"sku-{number:02}", "north") for number in range(30)]
    for place, key in enumerate(keys):
        for start in range(FIRST_DAY + place % 3 * 7, FIRST_DAY + 120, 21):
            partition.plans.put(key, str(start), Plan(start, start + 6, 1.0, 0.0, 0.0))
    for day in range(FIRST_DAY, FIRST_DAY + days):
        week = (day - FIRST_DAY) // 7
        asked = {key: 12 if week % 3 == place % 3 else 4 for place, key in enumerate(keys)}
        partition.close(day, DayTold(asked))
    last = FIRST_DAY + days - 1
    ahead = partition.forecast(keys, last).mean[:, HORIZONS_DAYS.index(7)]
    assert ahead[0::3].mean() > 1.5 * ahead[1::3].mean()
    named = {share.feature for share in partition.explain(keys[0], last)}
    assert "level and all else" in named
    assert len(named) > 3


@pytest.mark.parametrize("name", ["bayesian-linear", "linear", "tsb,linear"])
@settings(max_examples=10, deadline=None)
@given(st.lists(st.sampled_from([0, 0, 1, 7, 10**6]), min_size=30, max_size=45))
def test_whatever_comes_the_forecast_is_a_distribution(name: str, units: list[int]) -> None:
    partition, key = Partition(new_learner(name)), Key("sku", "north")
    for day, asked in enumerate([1, *units], FIRST_DAY):
        partition.close(day, DayTold({key: asked} if asked else {}))
    found = partition.forecast([key], FIRST_DAY + len(units))
    assert np.isfinite(found.mean).all()
    assert (found.mean > 0).all()
    assert (np.diff(found.mean) >= -1e-9).all()
    assert np.isfinite(found.size).all()
    assert (found.size > 0).all()
