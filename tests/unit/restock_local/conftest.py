import pytest

from restock_local.demo.dataset import Dataset, load


@pytest.fixture(scope="session")
def two_days() -> Dataset:
    return load(2, seed=7, orders_per_day=60)


@pytest.fixture(scope="session")
def week() -> Dataset:
    return load(7, seed=1)
