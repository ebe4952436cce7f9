"""What look-ups answer with, as the OpenAPI document shows it."""

from typing import Annotated, Any

from pydantic import BaseModel, Field

from restock_common.units import Identifier, Sku

MAX_SKUS = 1000

Skus = Annotated[list[Sku], Field(min_length=1, max_length=MAX_SKUS)]


class PlaceLevel(BaseModel):
    """The level of a sku at one location, in units; see the glossary for each name."""

    sku: str
    location: str
    pool: str
    shard: int
    on_hand: int
    reserved: int
    held: int
    damaged: int
    quality_hold: int
    in_transit: int
    backordered: int
    safety_buffer: int
    available: int


class StockAnswer(BaseModel):
    """A sku wherever it is, or is waited for."""

    sku: str
    levels: list[PlaceLevel]


class AvailabilityQuestion(BaseModel):
    """Which skus, for which channel, from which pool."""

    skus: Skus
    channel: Identifier | None = None
    pool: Identifier | None = None


class Availability(BaseModel):
    """What can be promised of a sku: over all locations, and by location."""

    available: int
    locations: dict[str, int]


class AvailabilityAnswer(BaseModel):
    """By sku; one that the ledger has never seen has none."""

    availability: dict[str, Availability]


def availability(question: AvailabilityQuestion, levels: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the answer to a question, from the levels of its skus: an `AvailabilityAnswer`."""
    answer: dict[str, Any] = {sku: {"available": 0, "locations": {}} for sku in question.skus}
    for level in levels:
        if question.pool in {None, level["pool"]}:
            one, units = answer[level["sku"]], level["available"]
            one["available"] += units
            one["locations"][level["location"]] = units
    return {"availability": answer}
