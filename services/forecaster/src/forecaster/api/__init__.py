"""What the forecaster answers over HTTP."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Protocol

from fastapi import FastAPI
from pydantic import SecretStr

from forecaster import handlers
from forecaster.api import overrides
from forecaster.api.overrides import Write
from forecaster.api.views import ForecastView, WholeForecastView, view_of, whole_view_of
from forecaster.domain.learner import Key
from forecaster.domain.state import PartitionState
from restock_common.runtime import problems
from restock_common.runtime.problems import Problem
from restock_common.units import LocationId, Sku


class States(Protocol):
    """The partitions that this process works on."""

    def __call__(self) -> Sequence[PartitionState]:
        """Return them as they are now."""


def build(states: States, write: Write, *, admin_key: SecretStr | None = None) -> FastAPI:
    """Return the routes.

    Args:
        states: What forecasts are looked up in.
        write: Puts what a planner has said onto the log; returns once it is there for good.
        admin_key: What X-API-Key must be to set overrides; None turns that off.
    """
    api = FastAPI(title="Restock forecaster")
    problems.install(api)

    @api.get("/v1/forecasts/{sku}", tags=["forecasts"])
    async def forecasts(sku: Sku) -> list[ForecastView]:
        """Return the current forecasts of a sku, one for each location that has sold it."""
        found = [view_of(state, one) for state in states() for one in handlers.current(state, sku)]
        if not found:
            raise Problem(HTTPStatus.NOT_FOUND, f"no demand for sku {sku!r} has been learned here")
        return found

    @api.get("/v1/forecasts/{sku}/{location}", tags=["forecasts"])
    async def forecast(sku: Sku, location: LocationId) -> WholeForecastView:
        """Return a forecast with what it was learned from, what it is made of, and day by day."""
        key = Key(sku, location)
        for state in states():
            for one in handlers.current(state, sku):
                if one.key == key:
                    return whole_view_of(state, one)
        raise Problem(
            HTTPStatus.NOT_FOUND,
            f"no demand for sku {sku!r} at {location!r} has been learned here",
        )

    api.include_router(overrides.router(states, write, admin_key))
    return api
