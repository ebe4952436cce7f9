"""The ledger's settings: what every service reads, and the rules that a seller chooses."""

from typing import Annotated, Literal

from pydantic import Field, field_validator

from restock_common.settings import AdminKey, ServiceSettings
from stock_ledger.domain.rules import Rules, Weights
from stock_ledger.domain.sourcing import STRATEGIES
from stock_ledger.domain.webhooks import Schedule

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
        role: `writer` reads the ledger's log and writes the books, and answers no look-ups;
            `reader` answers look-ups, runs the live feed and webhooks, and writes no books; `all`
            is both. Reads never wait for the writer where it is a process of its own.
        feed_clients_max: More clients of one process's live feed are turned away.
        feed_heartbeat_s: After so long without a change a client is sent a comment.
        admin_key: What `X-API-Key` must be to make and see webhooks, 8 characters or more; without
            one, webhooks are off: nothing is queued or delivered by this process.
        webhooks_allow_private: Let webhooks lead to addresses in this network, and without TLS.
        webhooks_retry_s: When a message is tried again: seconds after the first failed attempt,
            after the second, and so on, lengthened by up to a tenth at random.
        webhooks_timeout_s: How long a receiver may take to answer.
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
    audit_every_s: Annotated[float, Field(gt=0, le=3600)] = 1.0
    shrinkage_losses: Annotated[int, Field(ge=1, le=100)] = 3
    role: Literal["all", "writer", "reader"] = "all"
    feed_clients_max: Annotated[int, Field(ge=1, le=100_000)] = 1000
    feed_heartbeat_s: Annotated[float, Field(gt=0, le=300)] = 15.0
    admin_key: AdminKey = None
    webhooks_allow_private: bool = False
    webhooks_retry_s: str = "5,300,1800,7200,18000,36000,50400,72000,86400"
    webhooks_timeout_s: Annotated[float, Field(gt=0, le=60)] = 15.0

    @field_validator("allocation_strategy")
    @classmethod
    def _known(cls, value: str) -> str:
        if value not in STRATEGIES:
            raise ValueError(f"is none of {', '.join(STRATEGIES)}")
        return value

    @field_validator("webhooks_retry_s")
    @classmethod
    def _schedule(cls, value: str) -> str:
        Schedule.parse(value)
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
