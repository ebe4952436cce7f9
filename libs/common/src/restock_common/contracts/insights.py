"""restock.insights.v1: what forecaster and replenisher have noticed, for people who plan."""

from datetime import date
from enum import StrEnum
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from restock_common.contracts.event import Contract, Event
from restock_common.contracts.topics import INSIGHTS, Topic
from restock_common.units import Identifier, LocationId, Sku, Text, Timestamp

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


class OverrideLoss(Contract):
    """How one forecast of an override's period has fared, in units.

    Attributes:
        mean: Foretold, as the period began.
        absolute_error: Between it and what came.
        pinball: Mean over the quantiles .5, .8, .9, .95 and .99.
    """

    mean: Annotated[float, Field(ge=0)]
    absolute_error: Annotated[float, Field(ge=0)]
    pinball: Annotated[float, Field(ge=0)]


class OverrideMeasured(Event):
    """An override's period is over: how it has fared, and how the model would have.

    Attributes:
        units: What came in the period.
        planner: The override's own loss.
        model: That of what the model said as the period began.
    """

    topic: ClassVar[Topic] = INSIGHTS

    override: Identifier
    sku: Sku
    location: LocationId
    first_day: date
    last_day: date
    units: Annotated[int, Field(ge=0)]
    planner: OverrideLoss
    model: OverrideLoss

    @property
    def key(self) -> str:
        """Return the sku."""
        return self.sku


class RiskKind(StrEnum):
    """What may go wrong, or keeps goods out of planning."""

    STOCKOUT = "stockout"
    OVERSTOCK = "overstock"
    EXPIRY = "expiry"
    LATE_SUPPLIER = "late_supplier"
    SINGLE_SOURCE = "single_source"
    DEMAND_SHOCK = "demand_shock"
    HELD_OUT = "held_out"


class RiskClass(StrEnum):
    """How much a risk matters, by probability and impact."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class RiskResponse(StrEnum):
    """What could be done."""

    EXPEDITE = "expedite"
    SECOND_SOURCE = "second_source"
    TRANSFER = "transfer"
    EMERGENCY_STOCK = "emergency_stock"
    MARKDOWN = "markdown"
    INSURE = "insure"
    CORRECT_DATA = "correct_data"


class RiskEvent(Event):
    """An event of one risk: raised once, told again where its class changes, cleared once.

    Attributes:
        risk: Its id: of what, where, and of which kind.
        supplier: Whose goods.
        sku: Which goods; None where it is of all that the supplier delivers.
        location: Where; None where it is everywhere.
    """

    topic: ClassVar[Topic] = INSIGHTS

    risk: Identifier
    kind: RiskKind
    supplier: Identifier
    sku: Sku | None = None
    location: LocationId | None = None

    @property
    def key(self) -> str:
        """Return the sku, or the supplier where it is of all that it delivers."""
        return self.sku or self.supplier


class RiskRaised(RiskEvent):
    """Something may go wrong, with this probability and at this cost.

    Attributes:
        probability: Of it, in [0, 1].
        impact: What it is expected to cost if it happens, in money.
        risk_class: By the matrix of docs/replenishment.md.
        response: What could be done first.
        reason: In words, with the figures that it follows from.
    """

    probability: Annotated[float, Field(ge=0, le=1)]
    impact: Annotated[float, Field(ge=0)]
    risk_class: RiskClass
    response: RiskResponse
    reason: Text
    at: Timestamp


class RiskCleared(RiskEvent):
    """It is no longer to be feared."""

    at: Timestamp
