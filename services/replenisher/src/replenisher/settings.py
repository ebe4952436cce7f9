"""What the replenisher reads from the environment."""

from typing import Annotated

from pydantic import AfterValidator, Field

from replenisher.domain.policies.segments import PolicyBook
from restock_common.settings import ServiceSettings


def _sound(policies: dict[str, str]) -> dict[str, str]:
    PolicyBook(tuple(policies.items()))
    return policies


class ReplenisherSettings(ServiceSettings):
    """The common settings, and the house's replenishment policy.

    Attributes:
        cover_days: How long one order should last beyond the reorder point.
        lead_time_prior_weight: How many observed lead times the catalogue's belief is worth.
        policies: Which policy each segment uses, by patterns such as `A/*` or `*/*/perishable`; the
            first that fits counts, the last must be `*`. See docs/policies.md.
        order_line_cost: What placing one order line costs, in money; policies that weigh costs ask
            for it.
    """

    cover_days: Annotated[float, Field(gt=0, le=90)] = 7.0
    lead_time_prior_weight: Annotated[float, Field(gt=0, le=1000)] = 5.0
    policies: Annotated[dict[str, str], AfterValidator(_sound)] = Field(
        default={"*": "cycle-service"}
    )
    order_line_cost: Annotated[float, Field(ge=0, le=1e6)] = 0.0
