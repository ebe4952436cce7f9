"""What a rebuild has found."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

MOST_TOLD = 10
"""Differences that are told of one comparison: the first ones, in the order of their keys."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One place where the books are not what they should be.

    Attributes:
        what: The table or the sum that was compared.
        where: Which row of it.
        stored: What the books have; None where there is no such row.
        rebuilt: What was rebuilt; None where there is no such row.
    """

    what: str
    where: Mapping[str, Any]
    stored: Mapping[str, Any] | None
    rebuilt: Mapping[str, Any] | None


@dataclass(slots=True)
class Rebuilt:
    """The outcome of a rebuild.

    Attributes:
        source: What the books were rebuilt from.
        next_offsets: Up to which offset of the ledger topic the books were compared, by shard.
        schema: Where the rebuilt books are, if they were kept.
        compared: How many rows or sums were compared, by table or by what was summed.
        differences: The first ones of each comparison.
    """

    source: Literal["journal", "log"]
    next_offsets: Mapping[int, int]
    schema: str | None = None
    compared: dict[str, int] = field(default_factory=dict)
    differences: list[Difference] = field(default_factory=list)

    @property
    def identical(self) -> bool:
        """Whether the books are what was rebuilt."""
        return not self.differences
