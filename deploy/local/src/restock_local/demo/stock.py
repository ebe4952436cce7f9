"""What stands on the shelves when the replay begins: counted at every warehouse."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from restock_local.demo import chance
from restock_local.demo.dataset import Dataset
from restock_local.demo.geography import LOCATIONS, POOLS

MAX_COUNT_LINES = 5_000
"""The most lines that one count may have."""

_COVER_DAYS = (3.0, 15.0)
_SHELF_UNITS = 3
"""Of a slow seller a shop keeps more than its mean demand asks for: most lines ask for 1 or 2."""

_ELSEWHERE_SHARE = 0.05
_NOWHERE_SHARE = 0.01
_POOL_OF = {location.location: location.pool for location in LOCATIONS}
_LOCATIONS_OF = {
    pool.pool: [each.location for each in LOCATIONS if each.pool == pool.pool] for pool in POOLS
}


@dataclass(frozen=True, slots=True)
class Count:
    """One person's count at one warehouse: (sku, units on hand)."""

    count: str
    location: str
    lines: tuple[tuple[str, int], ...]


def initial_stock(dataset: Dataset, *, seed: int) -> dict[tuple[str, str], int]:
    """Return units on hand by (sku, warehouse), for every pair that the orders touch.

    Three to fifteen days of the year's mean demand, and at least three units; but one sku in
    twenty is missing at home and stands in another pool, and one in a hundred nowhere, so that
    offers to other pools and backorders happen.
    """
    touched = {(sku, order.home.location) for order in dataset.orders for sku, _ in order.lines}
    stock: dict[tuple[str, str], int] = {}
    for sku, location in sorted(touched):
        pool = _POOL_OF[location]
        fate = chance.uniform(seed, "missing", sku, pool)
        if fate >= _ELSEWHERE_SHARE + _NOWHERE_SHARE:
            units = _units(dataset, sku, location, seed)
        else:
            units = 0
            if fate >= _NOWHERE_SHARE:
                refuge = _refuge(sku, pool, seed)
                stock[sku, refuge] = max(
                    stock.get((sku, refuge), 0), _units(dataset, sku, location, seed)
                )
        stock[sku, location] = max(stock.get((sku, location), 0), units)
    return stock


def counts(stock: Mapping[tuple[str, str], int]) -> Iterator[Count]:
    """Yield the stock as counts, warehouse by warehouse, each small enough for one request."""
    shelves: dict[str, list[tuple[str, int]]] = {}
    for (sku, location), units in sorted(stock.items()):
        shelves.setdefault(location, []).append((sku, units))
    for location, lines in sorted(shelves.items()):
        for number, first in enumerate(range(0, len(lines), MAX_COUNT_LINES), 1):
            part = tuple(lines[first : first + MAX_COUNT_LINES])
            yield Count(f"opening-{location}-{number}", location, part)


def _units(dataset: Dataset, sku: str, location: str, seed: int) -> int:
    cover_days = chance.between(*_COVER_DAYS, seed, "cover", sku, location)
    return max(_SHELF_UNITS, round(dataset.daily_units[sku, location] * cover_days))


def _refuge(sku: str, missing_at: str, seed: int) -> str:
    """Return a warehouse of another pool."""
    others = [pool.pool for pool in POOLS if pool.pool != missing_at]
    pool = others[chance.pick(len(others), seed, "refuge", sku, missing_at)]
    locations = _LOCATIONS_OF[pool]
    return locations[chance.pick(len(locations), seed, "refuge-location", sku, missing_at)]
