"""What is known of skus, sites and days besides demand: categories, prices, plans, series.

All of it is told ahead, some of it for a day to come, and all of it through the partition's own
log; from it follows what `Partition` is shown. It is kept as it was told, so that what takes effect
later is there when its day comes.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import orjson

from forecaster.domain.covariates import Site
from forecaster.domain.learner import Key
from forecaster.domain.partition import Partition
from forecaster.domain.plans import EVERYWHERE, Plan

ALWAYS = -(10**6)
"""The first day of what has no first day."""
FOR_EVER = 10**6
PLAN_DAYS_MAX = 1500
"""A plan that goes on for longer counts for so many days: plans are laid out day by day."""
KEPT_DAYS = 60
"""What ended, or was measured, so many days ago is forgotten."""
_DISCOUNT_MAX = 0.95
SKU, SITE, SERIES = "s", "l", "c"


@dataclass(frozen=True, slots=True)
class Promotion:
    """One sku's promotion, as planned.

    Attributes:
        location: Where; everywhere where it is empty.
        first_day: Its first day.
        last_day: Its last.
        display: How widely it is displayed, in [0, 1].
        mailing: How widely it is mailed, in [0, 1].
        price: What one unit costs meanwhile.
        discount: Of the regular price, where no price is told.
    """

    location: str
    first_day: int
    last_day: int
    display: float
    mailing: float
    price: float | None = None
    discount: float | None = None


@dataclass(slots=True)
class SkuFacts:
    """What is known of one sku.

    Attributes:
        products: Category and regular price, by the day from which they count.
        promotions: By id.
        prices: Planned, by location and first day.
    """

    products: dict[int, tuple[str, float | None]] = field(default_factory=dict)
    promotions: dict[str, Promotion] = field(default_factory=dict)
    prices: dict[str, dict[int, float]] = field(default_factory=dict)

    def product(self, day: int) -> tuple[str, float | None]:
        """Return category and regular price as of a day."""
        since = [first for first in self.products if first <= day]
        return self.products[max(since)] if since else ("", None)


@dataclass(slots=True)
class Facts:
    """All that was told to one partition.

    Attributes:
        skus: By sku.
        sites: By location, then by the day from which it counts.
        series: Values of external series, by name and day.
        complete: Whether all sites have been told: then another is a mistake.
    """

    skus: dict[str, SkuFacts] = field(default_factory=dict)
    sites: dict[str, dict[int, Site]] = field(default_factory=dict)
    series: dict[str, dict[int, float]] = field(default_factory=dict)
    complete: bool = False

    def knows_site(self, location: str) -> bool:
        """Return whether demand can come from a location; any can, before all have been told."""
        return location in self.sites or not self.complete or not self.sites

    def names(self) -> Iterator[tuple[str, str]]:
        """Yield the kind and id of everything that is known."""
        for kind, known in ((SKU, self.skus), (SITE, self.sites), (SERIES, self.series)):
            for identity in known:
                yield kind, identity

    def part(self, kind: str, identity: str) -> bytes:
        """Return what is known of one sku, site or series; empty where nothing is."""
        told: object
        if kind == SKU and identity in self.skus:
            told = self.skus[identity]
        elif kind == SITE and identity in self.sites:
            told = [
                [day, site.country, sorted(site.closed_weekdays)]
                for day, site in sorted(self.sites[identity].items())
            ]
        elif kind == SERIES and identity in self.series:
            told = sorted(self.series[identity].items())
        else:
            return b""
        return orjson.dumps(told, option=orjson.OPT_NON_STR_KEYS | orjson.OPT_SORT_KEYS)

    def take(self, kind: str, identity: str, part: bytes) -> None:
        """Take up again what `part` returned."""
        told = orjson.loads(part)
        if kind == SKU:
            self.skus[identity] = SkuFacts(
                {int(day): (one[0], one[1]) for day, one in told["products"].items()},
                {name: Promotion(**one) for name, one in told["promotions"].items()},
                {
                    place: {int(day): price for day, price in by_day.items()}
                    for place, by_day in told["prices"].items()
                },
            )
        elif kind == SITE:
            self.sites[identity] = {
                day: Site(country, frozenset(closed)) for day, country, closed in told
            }
        elif kind == SERIES:
            self.series[identity] = dict(told)
        else:
            raise ValueError(f"{kind!r} is no kind of part")


def derive(facts: Facts, partition: Partition, day: int | None) -> None:
    """Let a partition see all that is known as of a day, the first that is open."""
    today = ALWAYS if day is None else day
    for sku in facts.skus:
        derive_sku(facts, partition, sku, today)
    for location in facts.sites:
        derive_site(facts, partition, location, today)
    for name, values in facts.series.items():
        for of_day, value in values.items():
            partition.series.put(name, of_day, value)


def derive_site(facts: Facts, partition: Partition, location: str, today: int) -> None:
    """Let a partition see a site as of a day; before its first, as it will be."""
    versions = facts.sites[location]
    since = [first for first in versions if first <= today]
    partition.sites[location] = versions[max(since) if since else min(versions)]


def derive_sku(
    facts: Facts, partition: Partition, sku: str, today: int, *, told_of: str = EVERYWHERE
) -> None:
    """Let a partition see a sku's category and plans as of a day.

    Args:
        facts: What is known.
        partition: Who sees it.
        sku: Which one.
        today: The first day that is open.
        told_of: A location that had plans and may have none any more.
    """
    known = facts.skus[sku]
    category, regular = known.product(today)
    if category:
        partition.categories[sku] = category
    else:
        partition.categories.pop(sku, None)
    everywhere = Key(sku, EVERYWHERE)
    if regular is None:
        partition.prices.pop(everywhere, None)
    else:
        partition.prices[everywhere] = regular
    places = {one.location for one in known.promotions.values()} | known.prices.keys()
    for place in places | {told_of}:
        key = Key(sku, place or EVERYWHERE)
        for name in list(partition.plans.by_key.get(key, ())):
            partition.plans.put(key, name, None)
    for name, one in known.promotions.items():
        discount = one.discount or _discount(one.price, regular)
        last = min(one.last_day, one.first_day + PLAN_DAYS_MAX)
        plan = Plan(one.first_day, last, one.display, one.mailing, discount)
        partition.plans.put(Key(sku, one.location or EVERYWHERE), name, plan)
    for place, prices in known.prices.items():
        days = sorted(prices)
        for first, then in zip(days, [*days[1:], FOR_EVER], strict=True):
            discount = _discount(prices[first], regular)
            if discount:
                plan = Plan(first, min(then - 1, first + PLAN_DAYS_MAX), 0.0, 0.0, discount)
                partition.plans.put(Key(sku, place or EVERYWHERE), f"price {first}", plan)


def take_effect(facts: Facts, partition: Partition, today: int) -> None:
    """Let count what counts from a day on; forget plans that are long past."""
    partition.plans.forget(today)
    for sku, known in facts.skus.items():
        if today in known.products:
            derive_sku(facts, partition, sku, today)
    for location, versions in facts.sites.items():
        if today in versions:
            derive_site(facts, partition, location, today)


def forget(known: SkuFacts, today: int) -> None:
    """Let go of a sku's promotions that are long past, and of prices that others have replaced."""
    for name in [n for n, one in known.promotions.items() if one.last_day < today - KEPT_DAYS]:
        del known.promotions[name]
    for prices in known.prices.values():
        for first in sorted(prices)[:-1]:
            if first < today - KEPT_DAYS and any(first < other <= today for other in prices):
                del prices[first]


def _discount(price: float | None, regular: float | None) -> float:
    """Return how far a price lies below the regular one, as a share of it."""
    if price is None or not regular:
        return 0.0
    return min(max(1 - price / regular, 0.0), _DISCOUNT_MAX)
