"""The numbers of a shop's orders: which of them nobody has told.

Only where a shop numbers its orders without holes does a hole say that an order was missed.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from operator import attrgetter

MAX_RANGES = 1_000
"""Of more holes than that the lowest are forgotten: they have been there for longest."""

MAX_JUMP = 100_000
"""A number further ahead than that is where a shop has begun to count anew."""

_NUMBER = re.compile(r"\D*([0-9]{1,15})\D*", re.ASCII)


def number_in(text: str) -> int | None:
    """Return the number in what a shop calls an order, such as `#1042` or `TH-1042-DE`.

    None where it holds no run of digits, or several: nothing tells which of them counts.
    """
    found = _NUMBER.fullmatch(text)
    return int(found[1]) if found else None


@dataclass(frozen=True, slots=True, order=True)
class Range:
    """Numbers that follow one another, none of which was told.

    Attributes:
        first: The lowest, at least 0.
        last: The highest, at least `first`.
        after: When the order was placed whose number is the next lower known one.
        noticed_at: When a higher number was first seen.
        accounted_at: When the shop itself was found not to have them; None where it was not asked.
    """

    first: int
    last: int
    after: datetime
    noticed_at: datetime
    accounted_at: datetime | None = None

    def __len__(self) -> int:
        """Return how many numbers they are."""
        return self.last - self.first + 1


@dataclass(frozen=True, slots=True)
class Numbered:
    """An order that was seen.

    Attributes:
        number: Its number.
        placed_at: When it was placed.
    """

    number: int
    placed_at: datetime


@dataclass(frozen=True, slots=True)
class Numbers:
    """Which numbers of a shop were seen.

    Invariant: of the numbers from `first` to `last`, those were not seen that stand in `missing`
    or `accounted`. The ranges of each are in order and do not overlap.

    Attributes:
        first: Where counting begins; None before it has.
        last: The highest that was seen.
        last_placed_at: When that order was placed.
        missing: The holes.
        accounted: The holes that the shop itself has: orders that were deleted, or never finished.
    """

    first: int | None = None
    last: int | None = None
    last_placed_at: datetime | None = None
    missing: tuple[Range, ...] = ()
    accounted: tuple[Range, ...] = ()

    def see(self, seen: Iterable[Numbered], since: datetime, now: datetime) -> "Numbers":
        """Return the numbers after some orders were seen, in whatever order.

        Args:
            seen: The orders.
            since: What was placed before fills holes, and neither begins nor ends the count: an
                old order that changes today says nothing of the numbers between.
            now: When they were seen.
        """
        numbers = self
        for one in sorted(seen, key=attrgetter("number")):
            numbers = numbers._see(one, since, now)
        return numbers

    def account(self, covered_from: datetime, noticed_before: datetime, now: datetime) -> "Numbers":
        """Return the numbers, those holes accounted for that the shop itself has.

        Args:
            covered_from: All orders that were placed since then have been read from the shop.
            noticed_before: Younger holes may be orders that the shop is still writing down.
            now: When it was read.
        """
        gone = {
            hole
            for hole in self.missing
            if hole.after >= covered_from and hole.noticed_at < noticed_before
        }
        accounted = sorted((*self.accounted, *(replace(hole, accounted_at=now) for hole in gone)))
        return replace(
            self,
            missing=tuple(hole for hole in self.missing if hole not in gone),
            accounted=tuple(accounted[-MAX_RANGES:]),
        )

    def _see(self, one: Numbered, since: datetime, now: datetime) -> "Numbers":
        number = one.number
        if self.last is not None and number <= self.last:
            return replace(
                self,
                missing=_without(self.missing, number),
                accounted=_without(self.accounted, number),
            )
        if one.placed_at < since:
            return self
        if self.last is None or self.last_placed_at is None or number - self.last > MAX_JUMP:
            return Numbers(number, number, one.placed_at)
        missing = self.missing
        if number > self.last + 1:
            hole = Range(self.last + 1, number - 1, self.last_placed_at, now)
            missing = (*missing, hole)[-MAX_RANGES:]
        return replace(self, last=number, last_placed_at=one.placed_at, missing=missing)


def _without(missing: tuple[Range, ...], number: int) -> tuple[Range, ...]:
    """Return the holes without one number."""
    at = bisect_right(missing, number, key=attrgetter("first")) - 1
    if at < 0 or missing[at].last < number:
        return missing
    hole = missing[at]
    parts = []
    if hole.first < number:
        parts.append(replace(hole, last=number - 1))
    if number < hole.last:
        parts.append(replace(hole, first=number + 1))
    return (*missing[:at], *parts, *missing[at + 1 :])[-MAX_RANGES:]
