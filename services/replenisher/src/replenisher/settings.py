"""What the replenisher reads from the environment."""

from typing import Annotated

from pydantic import Field

from restock_common.settings import ServiceSettings


class ReplenisherSettings(ServiceSettings):
    """The common settings, and the house's replenishment policy.

    Attributes:
        cover_days: How long one order should last beyond the reorder point.
        lead_time_prior_weight: How many observed lead times the catalogue's belief is worth.
    """

    cover_days: Annotated[float, Field(gt=0, le=90)] = 7.0
    lead_time_prior_weight: Annotated[float, Field(gt=0, le=1000)] = 5.0
