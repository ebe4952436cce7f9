"""What the forecaster answers over HTTP."""

from collections.abc import Callable
from datetime import datetime

from fastapi import FastAPI, HTTPException
from pydantic import BaseModel

from forecaster.domain.model import MODEL_NAME
from forecaster.domain.quantiles import quantiles
from forecaster.handlers import CurrentForecast
from restock_common.runtime import problems

QUANTILE_LEVELS = (0.5, 0.8, 0.9, 0.95, 0.99)


class HorizonView(BaseModel):
    """Total demand over the next `days`, in units."""

    days: int
    mean: float
    size: float
    quantiles: dict[str, int]


class ForecastView(BaseModel):
    """What is expected at one location after the last closed day."""

    sku: str
    location: str
    model: str
    learned_until: datetime
    horizons: list[HorizonView]


def build(look_up: Callable[[str], list[CurrentForecast]]) -> FastAPI:
    """Return the routes; `look_up` gives the current forecasts of a sku, by location."""
    api = FastAPI(title="Restock forecaster")
    problems.install(api)

    @api.get("/v1/forecasts/{sku}")
    async def forecasts(sku: str) -> list[ForecastView]:
        """Return the current forecasts of a sku, one for each location that has sold it."""
        found = look_up(sku)
        if not found:
            raise HTTPException(404, f"no demand for sku {sku!r} has been learned here")
        return [_view(one) for one in found]

    return api


def _view(one: CurrentForecast) -> ForecastView:
    return ForecastView(
        sku=one.key.sku,
        location=one.key.location,
        model=MODEL_NAME,
        learned_until=one.learned_until,
        horizons=[
            HorizonView(
                days=horizon.days,
                mean=horizon.mean,
                size=horizon.size,
                quantiles={
                    str(level): units
                    for level, units in zip(
                        QUANTILE_LEVELS,
                        quantiles(horizon.mean, horizon.size, QUANTILE_LEVELS),
                        strict=True,
                    )
                },
            )
            for horizon in one.horizons
        ],
    )
