"""Rate limits: a token bucket, kept as one number (the generic cell rate algorithm).

Source: ITU-T I.371, annex A: the theoretical arrival time of the next cell.
"""

from collections import OrderedDict
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from math import ceil
from typing import NamedTuple

MAX_BUCKETS = 100_000
"""The one that was used longest ago makes room: it is the most likely to be full again."""

_IPV6_NETWORK_BITS = 64  # what one customer of a provider is given


class Room(NamedTuple):
    """What a bucket has to say.

    Attributes:
        allowed: Whether there was room.
        left: For how many more requests there is room now.
        reset_s: When there is room for all again, in seconds, rounded up.
        retry_after_s: When there is room for this one, in seconds, rounded up; 0 where there was.
    """

    allowed: bool
    left: int
    reset_s: int
    retry_after_s: int


class Limit:
    """So many requests a second for each name, and so many at once.

    Args:
        per_s: Requests a second in the long run.
        burst: Requests at once after a rest.
    """

    def __init__(self, per_s: float, burst: int) -> None:
        self.per_s = per_s
        self.burst = burst
        self._interval_s = 1 / per_s
        self._full_at: OrderedDict[str, float] = OrderedDict()

    def take(self, name: str, now_s: float, cost: int = 1) -> Room:
        """Take room for a request, if there is any.

        Args:
            name: Whose bucket it is.
            now_s: A clock that never goes back, in seconds.
            cost: As many requests it counts for; at most `burst`.
        """
        full_at = max(self._full_at.get(name, now_s), now_s)
        after = full_at + cost * self._interval_s
        wait_s = after - now_s - self.burst * self._interval_s
        allowed = wait_s <= 0
        if allowed:
            full_at = after
            self._note(name, after)
        used_s = full_at - now_s
        left = max(0, self.burst - ceil(used_s * self.per_s - 1e-6))
        return Room(allowed, left, ceil(used_s), 0 if allowed else max(1, ceil(wait_s)))

    def charge(self, name: str, now_s: float, cost: int) -> None:
        """Count more of what has been let in; what there is no room for has to be waited for."""
        full_at = max(self._full_at.get(name, now_s), now_s)
        self._note(name, full_at + cost * self._interval_s)

    def _note(self, name: str, full_at: float) -> None:
        self._full_at[name] = full_at
        self._full_at.move_to_end(name)
        if len(self._full_at) > MAX_BUCKETS:
            self._full_at.popitem(last=False)


@lru_cache(maxsize=10_000)
def network_of(address: str) -> str:
    """Return what a limit goes by: an IPv4 address, or the network of 2^64 IPv6 addresses."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return f"{int(parsed) >> _IPV6_NETWORK_BITS:x}::/64"
    return address
