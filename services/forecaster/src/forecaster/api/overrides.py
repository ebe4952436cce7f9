"""Planners' overrides: set, withdrawn and looked at; the first two with the admin key.

What is set goes onto the partition's log, where it takes its place among the demand: so it is kept
for ever with who, why and when, and every replica and every restart comes to the same.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, date, datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from forecaster.api.views import OverrideView, overrides_of
from forecaster.domain.calendar import midnight
from forecaster.domain.learner import Key
from forecaster.domain.state import PartitionState
from restock_common.contracts.demand import ForecastOverridden, OverrideWithdrawn
from restock_common.contracts.envelope import as_permanent
from restock_common.runtime.admin import admins_only
from restock_common.runtime.problems import Problem
from restock_common.units import Identifier, LocationId, Sku, Text

Write = Callable[[ForecastOverridden | OverrideWithdrawn], Awaitable[None]]
States = Callable[[], Sequence[PartitionState]]
Name = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,64}$")]


class OverrideRequest(BaseModel):
    """What a planner expects instead of the model, and who says so.

    Attributes:
        first_day: The first day (UTC) that it counts on.
        last_day: The last, at most 112 days on.
        units_per_day: What each day brings; or else
        factor: what the model's mean is multiplied by.
        by: Who sets it.
        reason: Why.
    """

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    first_day: date
    last_day: date
    units_per_day: Annotated[float, Field(ge=0, le=1_000_000)] | None = None
    factor: Annotated[float, Field(ge=0, le=1_000)] | None = None
    by: Identifier
    reason: Annotated[Text, Field(min_length=1)]


class Accepted(BaseModel):
    """What has been written down; forecasts follow as soon as it has been read."""

    override: str
    sku: str
    location: str
    at: datetime


def router(states: States, write: Write, admin_key: SecretStr | None) -> APIRouter:
    """Return the overrides' routes.

    Args:
        states: What overrides are looked up in.
        write: Puts what a planner has said onto the log.
        admin_key: What X-API-Key must be; None answers 403 to what would change anything.
    """
    routes = APIRouter(prefix="/v1/overrides", tags=["overrides"])
    keeper = [Depends(admins_only(admin_key, "overrides"))]

    @routes.get("/{sku}/{location}")
    async def show(sku: Sku, location: LocationId) -> list[OverrideView]:
        """Return what planners have set for a sku at a location, and how it has fared."""
        key = Key(sku, location)
        return [
            one for state in states() for one in overrides_of(key, state.overrides.get(key, ()))
        ]

    @routes.put(
        "/{sku}/{location}/{override}", status_code=HTTPStatus.ACCEPTED, dependencies=keeper
    )
    async def put(
        sku: Sku, location: LocationId, override: Name, asked: OverrideRequest
    ) -> Accepted:
        """Set what is expected for a period; under the same name, it replaces what was set."""
        at = datetime.now(UTC)
        try:
            event = ForecastOverridden(
                override=override, sku=sku, location=location, at=at, **asked.model_dump()
            )
        except ValidationError as error:
            raise as_permanent(error) from None
        _check_period(states(), event)
        await write(event)
        return Accepted(override=override, sku=sku, location=location, at=at)

    @routes.delete(
        "/{sku}/{location}/{override}", status_code=HTTPStatus.ACCEPTED, dependencies=keeper
    )
    async def withdraw(
        sku: Sku,
        location: LocationId,
        override: Name,
        by: Annotated[Identifier, Query()],
        reason: Annotated[Text, Query()] = "",
    ) -> Accepted:
        """End an override before its time; it stays to be seen."""
        at = datetime.now(UTC)
        await write(
            OverrideWithdrawn(
                override=override, sku=sku, location=location, by=by, reason=reason, at=at
            )
        )
        return Accepted(override=override, sku=sku, location=location, at=at)

    return routes


def _check_period(known: Sequence[PartitionState], event: ForecastOverridden) -> None:
    """Refuse a period that is over for every partition that is worked on here."""
    opened = [midnight(one.open_day).date() for one in known if one.open_day is not None]
    if opened and event.last_day < min(opened):
        raise Problem(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            f"last_day: {event.last_day} is over; the day that is open is {min(opened)}",
        )
