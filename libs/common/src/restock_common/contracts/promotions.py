"""restock.promotions.v1: what is planned to be sold how, told ahead; partitioned by sku.

Compacted: the last record of a promotion's sku, or of a price's day, is its state. The record's key
is the entity's; the partition follows from the sku, so that a reader of one sku's demand finds the
sku's promotions on the same partition.
"""

from datetime import date
from typing import Annotated, ClassVar

from pydantic import Field, model_validator

from restock_common.contracts.catalogue import CatalogueEntity
from restock_common.contracts.topics import PROMOTIONS, Topic
from restock_common.units import Identifier, LocationId, Sku, Text

PositivePrice = Annotated[float, Field(gt=0)]


class PlannedEntity(CatalogueEntity):
    """A plan for one sku, at one location or at all of them."""

    topic: ClassVar[Topic] = PROMOTIONS

    sku: Sku
    location: LocationId | None = None

    @property
    def partition_key(self) -> str:
        """Return the sku."""
        return self.sku


class Promotion(PlannedEntity):
    """One sku of a promotion, on whole days (UTC).

    Attributes:
        promotion: Its id; several skus may share it.
        starts_on: The first day.
        ends_on: The last day.
        price: What one unit costs meanwhile.
        discount_share: Of the regular price, where no price is told.
        mechanic: How it is made known: a display, a mailing.
        cancelled: It will not take place, or ended before its time.
    """

    id_field: ClassVar[str] = "promotion"

    promotion: Identifier
    starts_on: date
    ends_on: date
    price: PositivePrice | None = None
    discount_share: Annotated[float, Field(gt=0, lt=1)] | None = None
    mechanic: Text = ""
    cancelled: bool = False

    @property
    def versions(self) -> tuple[str, ...]:
        """Return the sku, and where."""
        return (self.sku, self.location or "")

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> "Promotion":
        if self.ends_on < self.starts_on:
            raise ValueError(f"ends_on {self.ends_on} is before starts_on {self.starts_on}")
        return self


class Price(PlannedEntity):
    """What one unit of a sku costs from a day (UTC) on, until the next such record's day."""

    id_field: ClassVar[str] = "sku"

    effective_from: date
    price: PositivePrice

    @property
    def versions(self) -> tuple[str, ...]:
        """Return where and from when."""
        return (self.location or "", self.effective_from.isoformat())
