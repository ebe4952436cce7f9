"""restock.insights.v1: what the forecaster has noticed, for people and for those who plan."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from restock_common.contracts.event import Event
from restock_common.contracts.topics import INSIGHTS, Topic
from restock_common.units import LocationId, Sku, Timestamp

UnitsPerDay = Annotated[float, Field(ge=0)]


class DriftDetected(Event):
    """Demand has left its level for good, as it seems; what is older counts less from now on.

    Attributes:
        sku: Of what.
        location: Where.
        learned_until: Days before it have been learned.
        direction: Where it went.
        rate_before: Units a day over months, four weeks ago.
        rate_after: Units a day over the last week.
    """

    topic: ClassVar[Topic] = INSIGHTS

    sku: Sku
    location: LocationId
    learned_until: Timestamp
    direction: Literal["rise", "fall"]
    rate_before: UnitsPerDay
    rate_after: UnitsPerDay

    @property
    def key(self) -> str:
        """Return the sku."""
        return self.sku


class ModelSwitched(Event):
    """Another model foretells a segment's demand from now on, since it has done better of late.

    Attributes:
        partition: Of the demand topic: each keeps score for itself.
        segment: Value class, variability class and cluster, as in `A/X/2`; `all` for every key, and
            so for segments that are new.
        learned_until: Days before it have been learned.
        before: The model that did.
        after: The one that does.
        loss_before: Mean pinball loss of the first, scaled by what is usual for a series.
        loss_after: Of the second, on the same forecasts.
        n: How many forecasts were scored; the older ones count less.
    """

    topic: ClassVar[Topic] = INSIGHTS

    partition: Annotated[int, Field(ge=0)]
    segment: str
    learned_until: Timestamp
    before: str
    after: str
    loss_before: Annotated[float, Field(ge=0)]
    loss_after: Annotated[float, Field(ge=0)]
    n: Annotated[float, Field(gt=0)]

    @property
    def key(self) -> str:
        """Return the segment."""
        return self.segment
