"""The ledger's settings: what every service reads, and the rules that a seller chooses."""

from typing import Annotated

from pydantic import Field, field_validator

from restock_common.settings import ServiceSettings
from stock_ledger.domain.rules import Rules, Weights
from stock_ledger.domain.sourcing import STRATEGIES

_Weight = Annotated[float, Field(ge=0, le=1_000_000)]


class LedgerSettings(ServiceSettings):
    """Environment variables `RESTOCK_*`.

    Attributes:
        allocation_strategy: How a pool's locations are ranked for an order: `nearest`,
            `most_available`, `fewest_parcels` or `priority`.
        allocation_priority: For `priority`: these locations first, in this order; a JSON list.
        priority_promised: What being due today counts in the order in which backorders are
            served; tomorrow counts half of it, each day late once more.
        priority_tiers: What each customer tier counts; a JSON object.
        priority_channels: What each channel counts; a JSON object.
        priority_age_per_day: What each day of waiting counts.
        priority_value: What each factor of ten in an order's value counts.
        expiring_days: A lot that expires within so many days is told of.
        slow_moving_days: A sku that has not left a location for so many days is told of.
        audit_every_s: The pause between two checks of the books against themselves.
        shrinkage_losses: So many counts one after the other that found too little are told of.
    """

    allocation_strategy: str = "nearest"
    allocation_priority: tuple[str, ...] = ()
    priority_promised: _Weight = 10.0
    priority_tiers: dict[str, _Weight] = Field(default_factory=dict)
    priority_channels: dict[str, _Weight] = Field(default_factory=dict)
    priority_age_per_day: _Weight = 1.0
    priority_value: _Weight = 0.0
    expiring_days: Annotated[int, Field(ge=0, le=3650)] = 14
    slow_moving_days: Annotated[int, Field(ge=1, le=3650)] = 90
    audit_every_s: Annotated[float, Field(gt=0, le=3600)] = 10.0
    shrinkage_losses: Annotated[int, Field(ge=1, le=100)] = 3

    @field_validator("allocation_strategy")
    @classmethod
    def _known(cls, value: str) -> str:
        if value not in STRATEGIES:
            raise ValueError(f"is none of {', '.join(STRATEGIES)}")
        return value

    @property
    def rules(self) -> Rules:
        """Return the rules that decisions follow."""
        return Rules(
            strategy=self.allocation_strategy,
            location_priority=self.allocation_priority,
            weights=Weights(
                promised=self.priority_promised,
                tiers=self.priority_tiers,
                channels=self.priority_channels,
                age_per_day=self.priority_age_per_day,
                value=self.priority_value,
            ),
            expiring_days=self.expiring_days,
            slow_moving_days=self.slow_moving_days,
            shrinkage_losses=self.shrinkage_losses,
        )
