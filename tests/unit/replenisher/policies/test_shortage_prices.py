import numpy as np
import pytest
from tests.unit.replenisher.policies.situations import situation

from replenisher.domain.policies.shortage_prices import ShortagePrices

SEGMENT = np.array([0, 0, 1])


def start() -> ShortagePrices:
    return ShortagePrices.start(situation([4.0, 2.0, 1.0]), SEGMENT, np.array([0.9, 0.95]))


def test_a_price_follows_what_was_realised_in_its_segment_alone() -> None:
    before = start()
    after = before.after(SEGMENT, np.array([30, 10, 20]), np.array([8, 4, 1]), 7.0)
    assert after.price[0] > before.price[0]
    assert after.price[1] == pytest.approx(before.price[1])
    calm = before.after(SEGMENT, np.array([30, 10, 20]), np.array([0, 0, 0]), 7.0)
    assert (calm.price < before.price).all()


def test_no_price_moves_by_much_at_once_and_none_to_nothing() -> None:
    prices = start()
    for _ in range(20):
        moved = prices.after(SEGMENT, np.array([9, 9, 9]), np.array([9, 9, 0]), 7.0)
        assert (np.abs(np.log(moved.price / prices.price)) <= 0.25 + 1e-9).all()
        prices = moved
    assert (prices.price > 0).all()
    assert np.isfinite(prices.price).all()


def test_where_nothing_is_asked_for_nothing_changes() -> None:
    nothing = np.zeros(3, dtype=np.int64)
    assert start().after(SEGMENT, nothing, nothing, 7.0).price.tolist() == start().price.tolist()
