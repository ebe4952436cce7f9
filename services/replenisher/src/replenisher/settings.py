"""What the replenisher reads from the environment."""

from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr

from replenisher.domain.policies.segments import PolicyBook
from replenisher.domain.terms import Policy
from restock_common.settings import AdminKey, ServiceSettings


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
        holding_rate_per_year: What a unit costs that lies for a year, as a share of its cost.
        approval_limit: Purchase orders worth more wait for approval; none does where it is not set.
        forecast_age_days_max: What has an older forecast is held out of planning.
        smtp_url: What mails are sent through: smtp://user:password@host:587 (STARTTLS), smtps://
            (TLS), or smtp+plain:// within one's own network.
        mail_from: Whom mails to suppliers are from.
        sending_private_allowed: Whether a supplier's webhook may be in this network, without TLS.
        sending_timeout_s: How long a supplier's server may take to answer.
        admin_key: Lets its holder change purchase orders; nobody may where it is not set.
    """

    cover_days: Annotated[float, Field(gt=0, le=90)] = 7.0
    lead_time_prior_weight: Annotated[float, Field(gt=0, le=1000)] = 5.0
    policies: Annotated[dict[str, str], AfterValidator(_sound)] = Field(
        default={"*": "cycle-service"}
    )
    order_line_cost: Annotated[float, Field(ge=0, le=1e6)] = 0.0
    holding_rate_per_year: Annotated[float, Field(gt=0, le=10)] = 0.25
    approval_limit: Annotated[float, Field(ge=0)] | None = None
    forecast_age_days_max: Annotated[float, Field(ge=1, le=3650)] = 90.0
    smtp_url: SecretStr | None = None
    mail_from: str = "restock@localhost"
    sending_private_allowed: bool = False
    sending_timeout_s: Annotated[float, Field(gt=0, le=60)] = 10.0
    admin_key: AdminKey = None

    def policy(self) -> Policy:
        """Return the house's own choices."""
        return Policy(
            cover_days=self.cover_days,
            lead_time_prior_weight=self.lead_time_prior_weight,
            policies=PolicyBook(tuple(self.policies.items())),
            order_line_cost=self.order_line_cost,
            holding_rate_per_year=self.holding_rate_per_year,
            approval_limit=self.approval_limit,
            forecast_age_days_max=self.forecast_age_days_max,
        )
