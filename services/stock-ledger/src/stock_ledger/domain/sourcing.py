"""From where a pool serves an order: its locations are ranked, then taken in that order."""

from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import combinations
from typing import NamedTuple, Protocol

from stock_ledger.domain.rules import Rules

Share = tuple[str, int]
"""A location and the units it gives."""

Available = Callable[[str, str], int]
"""(sku, location) -> the units that can be promised."""

_MOST_COMBINED = 10
"""Of more locations only the first are combined: 2^10 sets are looked at in well under 1 ms."""


class Want(NamedTuple):
    """Units of a sku that an order asks for."""

    sku: str
    quantity: int


class Strategy(Protocol):
    """Ranks the locations of a pool for one order; a pure function."""

    def __call__(
        self, locations: Sequence[str], wants: Sequence[Want], available: Available, rules: Rules
    ) -> Sequence[str]:
        """Return the locations, each once, the one to be asked first first.

        Args:
            locations: Near to far, each once.
            wants: Everything that the order asks for.
            available: What a location can promise.
            rules: What the seller has chosen.
        """


def nearest(
    locations: Sequence[str], wants: Sequence[Want], available: Available, rules: Rules
) -> Sequence[str]:
    """Rank by distance."""
    del wants, available, rules
    return locations


def most_available(
    locations: Sequence[str], wants: Sequence[Want], available: Available, rules: Rules
) -> Sequence[str]:
    """Rank by the units of the wanted skus, so that stock evens out; the nearer of equals first."""
    del rules
    skus = dict.fromkeys(want.sku for want in wants)
    return sorted(locations, key=lambda one: -sum(available(sku, one) for sku in skus))


def fewest_parcels(
    locations: Sequence[str], wants: Sequence[Want], available: Available, rules: Rules
) -> Sequence[str]:
    """Rank the smallest set that can serve everything first; the nearer of equal sets."""
    del rules
    needed: dict[str, int] = {}
    for want in wants:
        needed[want.sku] = needed.get(want.sku, 0) + want.quantity
    near = locations[:_MOST_COMBINED]
    for size in range(1, len(near) + 1):
        for together in combinations(near, size):
            if all(
                sum(available(sku, one) for one in together) >= units
                for sku, units in needed.items()
            ):
                return [*together, *(one for one in locations if one not in together)]
    return locations


def by_priority(
    locations: Sequence[str], wants: Sequence[Want], available: Available, rules: Rules
) -> Sequence[str]:
    """Rank as the seller has listed the locations; those that are not listed last, by distance."""
    del wants, available
    ranks = {location: rank for rank, location in enumerate(rules.location_priority)}
    return sorted(locations, key=lambda one: ranks.get(one, len(ranks)))


STRATEGIES: Mapping[str, Strategy] = {
    "nearest": nearest,
    "most_available": most_available,
    "fewest_parcels": fewest_parcels,
    "priority": by_priority,
}
"""The strategies by the names that the setting takes."""


def choose(
    quantity: int,
    locations: Sequence[str],
    available: Callable[[str], int],
    used: Collection[str] = (),
    *,
    split: bool = True,
) -> list[Share]:
    """Return who gives what; empty where the locations cannot give all of it.

    Args:
        quantity: Units wanted, at least one.
        locations: As they were ranked, each once.
        available: Units that a location can promise.
        used: Locations that serve another line of the order: one of them is preferred if it can
            give all, so that the order leaves in fewer parcels.
        split: Whether several locations may give it together.
    """
    ranked = locations
    if used:
        ranked = [one for one in locations if one in used]
        ranked += [one for one in locations if one not in used]
    for location in ranked:
        if available(location) >= quantity:
            return [(location, quantity)]
    if not split:
        return []
    shares = fill(quantity, locations, available)
    return shares if sum(units for _, units in shares) == quantity else []


def fill(quantity: int, locations: Sequence[str], available: Callable[[str], int]) -> list[Share]:
    """Return what can be given in the order of the locations, up to a quantity."""
    shares = []
    for location in locations:
        units = min(quantity, available(location))
        if units > 0:
            shares.append((location, units))
            quantity -= units
    return shares
