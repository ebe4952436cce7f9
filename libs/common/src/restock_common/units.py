"""The words that quantities and identities are made of."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, Field, StringConstraints

MAX_UNITS_PER_LINE = 100_000
"""A line above this is a typing error or an attack, never an order."""

_PRINTABLE = r"^[^\x00-\x1f\x7f]*$"
_Identifier = StringConstraints(
    min_length=1, max_length=128, strip_whitespace=True, pattern=_PRINTABLE
)

Sku = Annotated[str, _Identifier]
LocationId = Annotated[str, _Identifier]
PoolId = Annotated[str, _Identifier]
OrderId = Annotated[str, _Identifier]
Identifier = Annotated[str, _Identifier]

Text = Annotated[str, StringConstraints(max_length=500, pattern=_PRINTABLE)]
"""One line of words for people, without control characters."""

Units = Annotated[int, Field(ge=0, le=1_000_000_000, strict=True)]
"""Whole units of a sku, none or more."""

PositiveUnits = Annotated[int, Field(gt=0, le=MAX_UNITS_PER_LINE, strict=True)]
"""Whole units on one line, at least one."""

Latitude = Annotated[float, Field(ge=-90, le=90)]
Longitude = Annotated[float, Field(ge=-180, le=180)]


def as_utc(moment: datetime) -> datetime:
    """Return the same instant with UTC as its zone; ValueError where UTC has no such year."""
    if moment.tzinfo is UTC:
        return moment
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{moment.isoformat()} is outside the years 1 to 9999 in UTC") from None


Timestamp = Annotated[AwareDatetime, AfterValidator(as_utc)]
"""An instant, always in UTC once validated; a time without a zone is refused."""
