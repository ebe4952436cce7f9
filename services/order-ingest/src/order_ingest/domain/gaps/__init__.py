"""What shops should have told: order numbers without a hole, and orders at their usual hours."""

from order_ingest.domain.gaps.numbers import (
    MAX_RANGES,
    Numbered,
    Numbers,
    Range,
    number_in,
)
from order_ingest.domain.gaps.rhythm import HOURS, Rhythm

__all__ = ["HOURS", "MAX_RANGES", "Numbered", "Numbers", "Range", "Rhythm", "number_in"]
