"""From where a quantity is served: one location if one can, else several from near to far."""

from collections.abc import Callable, Collection, Sequence

Share = tuple[str, int]
"""A location and the units it gives."""


def choose(
    quantity: int,
    locations: Sequence[str],
    available: Callable[[str], int],
    used: Collection[str] = (),
) -> list[Share]:
    """Return who gives what; empty where the locations together cannot give all of it.

    Args:
        quantity: Units wanted, at least one.
        locations: Near to far, each once.
        available: Units that a location can promise.
        used: Locations that serve another line of the order: one of them is preferred if it can
            give all, so that the order leaves in fewer parcels.
    """
    able = [location for location in locations if available(location) >= quantity]
    if able:
        return [(next((one for one in able if one in used), able[0]), quantity)]
    shares = fill(quantity, locations, available)
    return shares if sum(units for _, units in shares) == quantity else []


def fill(quantity: int, locations: Sequence[str], available: Callable[[str], int]) -> list[Share]:
    """Return what can be given from near to far, up to a quantity."""
    shares = []
    for location in locations:
        units = min(quantity, available(location))
        if units > 0:
            shares.append((location, units))
            quantity -= units
    return shares
