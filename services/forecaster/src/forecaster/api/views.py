"""Forecasts as people and charts read them."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from pydantic import BaseModel

from forecaster.domain.calendar import midnight
from forecaster.domain.foretell import Foretold
from forecaster.domain.history import RING_DAYS
from forecaster.domain.learner import FAMILY, HORIZONS_DAYS, Key
from forecaster.domain.loss import LEVELS
from forecaster.domain.overrides import Measured, Override
from forecaster.domain.quantiles import quantiles
from forecaster.domain.state import PartitionState

FAN_LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)


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
    override: str | None = None


class DayView(BaseModel):
    """What came on a day.

    Attributes:
        date: In UTC.
        units: Asked for.
        learned_units: The same as it was learned from: a day far above all others is clipped.
        available: Share of the day on which it could be bought.
        display: How widely it was displayed.
        mailing: How widely it was mailed.
        discount: Below the regular price.
    """

    date: date
    units: float
    learned_units: float
    available: float
    display: float
    mailing: float
    discount: float


class FanView(BaseModel):
    """What is expected of one day to come, by itself; its spread is that of the next day."""

    date: date
    mean: float
    model_mean: float
    quantiles: dict[str, int]


class ShareView(BaseModel):
    """What a part of what is known adds to the mean over the next 14 days."""

    feature: str
    units: float


class MeasuredView(BaseModel):
    """How a forecast of an override's period has fared; losses only once it is over."""

    mean: float
    absolute_error: float | None
    pinball: float | None


class OverrideView(BaseModel):
    """What a planner has set, and how it has fared beside the model."""

    override: str
    sku: str
    location: str
    first_day: date
    last_day: date
    units_per_day: float | None
    factor: float | None
    by: str
    reason: str
    at: datetime
    withdrawn_by: str | None
    withdrawn_reason: str | None
    withdrawn_at: datetime | None
    units: int
    planner: MeasuredView | None
    model: MeasuredView | None


class WholeForecastView(ForecastView):
    """A forecast with all that there is to show of it."""

    family: str
    learned_days: int
    last_demand_on: date | None
    history: list[DayView]
    fan: list[FanView]
    explanation: list[ShareView]
    overrides: list[OverrideView]


def view_of(state: PartitionState, one: Foretold) -> ForecastView:
    """Return a forecast as it is listed."""
    return ForecastView(**_told(state, one))


def whole_view_of(state: PartitionState, one: Foretold) -> WholeForecastView:
    """Return a forecast with all that there is to show of it."""
    assert state.open_day is not None
    known = one.key in state.partition.histories
    return WholeForecastView(
        **_told(state, one),
        family=FAMILY,
        learned_days=one.learned_days,
        last_demand_on=None if one.last_sale is None else midnight(one.last_sale).date(),
        history=_history(state, one.key, one.learned_days) if known else [],
        fan=_fan(state.open_day, one),
        explanation=[ShareView(feature=share.feature, units=share.units) for share in one.shares],
        overrides=overrides_of(one.key, state.overrides.get(one.key, ())),
    )


def overrides_of(key: Key, known: Sequence[Override]) -> list[OverrideView]:
    """Return a key's overrides, the latest last."""
    return [_override(key, one) for one in known]


def _told(state: PartitionState, one: Foretold) -> dict[str, Any]:
    assert state.open_day is not None
    return {
        "sku": one.key.sku,
        "location": one.key.location,
        "model": one.model,
        "learned_until": midnight(state.open_day),
        "override": one.override,
        "horizons": [
            HorizonView(
                days=days, mean=mean, size=size, quantiles=_quantiles(mean, size, LEVELS.tolist())
            )
            for days, mean, size in zip(
                HORIZONS_DAYS, one.mean.tolist(), one.size.tolist(), strict=True
            )
        ],
    }


def _quantiles(mean: float, size: float, levels: Sequence[float]) -> dict[str, int]:
    found = quantiles(mean, size, levels)
    return {str(level): units for level, units in zip(levels, found, strict=True)}


def _fan(open_day: int, one: Foretold) -> list[FanView]:
    size = float(one.size[0])
    return [
        FanView(
            date=midnight(open_day + ahead).date(),
            mean=mean,
            model_mean=model,
            quantiles=_quantiles(mean, size, FAN_LEVELS),
        )
        for ahead, (mean, model) in enumerate(
            zip(one.daily.tolist(), one.model_daily.tolist(), strict=True)
        )
    ]


def _history(state: PartitionState, key: Key, learned_days: int) -> list[DayView]:
    assert state.open_day is not None
    seen = state.partition.view([key], state.open_day - 1).histories
    kept = min(RING_DAYS, learned_days)
    return [
        DayView(
            date=midnight(state.open_day - RING_DAYS + place).date(),
            units=float(seen.raw[0, place]),
            learned_units=float(seen.units[0, place]),
            available=float(seen.days[0, place]),
            display=float(seen.display[0, place]),
            mailing=float(seen.mailing[0, place]),
            discount=float(seen.discount[0, place]),
        )
        for place in range(RING_DAYS - kept, RING_DAYS)
    ]


def _override(key: Key, one: Override) -> OverrideView:
    by, reason, at = one.withdrawn or (None, None, None)
    return OverrideView(
        override=one.name,
        sku=key.sku,
        location=key.location,
        first_day=midnight(one.first_day).date(),
        last_day=midnight(one.last_day).date(),
        units_per_day=one.units_a_day,
        factor=one.factor,
        by=one.by,
        reason=one.reason,
        at=datetime.fromisoformat(one.at),
        withdrawn_by=by,
        withdrawn_reason=reason,
        withdrawn_at=None if at is None else datetime.fromisoformat(at),
        units=one.units,
        planner=_measured(one.planner),
        model=_measured(one.model),
    )


def _measured(one: Measured | None) -> MeasuredView | None:
    if one is None:
        return None
    return MeasuredView(mean=one.mean, absolute_error=one.absolute_error, pinball=one.pinball)
