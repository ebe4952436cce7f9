import numpy as np
import pytest
from tests.unit.replenisher.policies.situations import situation

from replenisher.domain.policies.segments import POLICIES, PolicyBook, classify


def test_segments_tell_turnover_variation_and_kind() -> None:
    here = situation([80.0, 15.0, 5.0], size=[100.0, 0.2, 0.02])
    assert classify(here, [False, True, False], [False, False, True]) == (
        "A/X/regular",
        "B/Y/perishable",
        "C/Z/new",
    )


def test_a_rule_is_data_and_the_first_that_fits_counts() -> None:
    here = situation([80.0, 15.0, 5.0])
    book = PolicyBook(
        (("*/*/perishable", "newsvendor"), ("A/*", "least-cost"), ("*", "base-stock"))
    )
    segments = ("A/X/regular", "B/X/perishable", "C/X/regular")
    found = book.levels(here, segments)
    for row, name in enumerate(("least-cost", "newsvendor", "base-stock")):
        alone = POLICIES[name].levels(here.some(np.array([row])))
        assert found.reorder_point[row] == alone.reorder_point[0]
        assert found.order_up_to_level[row] == alone.order_up_to_level[0]
        assert found.trace(row) == alone.trace(0)


def test_rules_that_cannot_be_kept_are_refused() -> None:
    with pytest.raises(ValueError, match="'A/\\*' names policy 'best'; known: base-stock"):
        PolicyBook((("A/*", "best"), ("*", "base-stock")))
    with pytest.raises(ValueError, match="every segment needs a policy"):
        PolicyBook((("A/*", "base-stock"),))
