"""What is published of a partition: forecasts of keys, each with its cause."""

from collections.abc import Sequence
from datetime import datetime

from forecaster.domain.calendar import midnight
from forecaster.domain.foretell import Foretold, foretell
from forecaster.domain.learner import HORIZONS_DAYS, Key
from forecaster.domain.overrides import Measured, Override
from forecaster.domain.state import PartitionState
from restock_common.contracts.envelope import Message, derive_id
from restock_common.contracts.event import Event
from restock_common.contracts.forecasts import (
    DemandForecast,
    FeatureShare,
    HorizonForecast,
)
from restock_common.contracts.insights import (
    DriftDetected,
    ModelSwitched,
    OverrideLoss,
    OverrideMeasured,
)
from restock_common.contracts.topics import DEMAND

SHARES_MAX = 5
"""So many shares of its explanation are published with a forecast."""


def source_of(state: PartitionState) -> str:
    """Return the CloudEvents source of what follows from a partition."""
    return f"/restock/forecaster/{DEMAND.name}/{state.number}"


def caused(
    identity: str, source: str, time: datetime, event: Event, cause: Message[Event]
) -> Message[Event]:
    """Return the message of an event that another has caused."""
    return Message(
        id=identity,
        source=source,
        time=time,
        event=event,
        cause=cause.id,
        traceparent=cause.traceparent,
    )


def forecasts(
    state: PartitionState, keys: Sequence[Key], cause: Message[Event], *why: str
) -> list[Message[Event]]:
    """Return the forecasts of keys as of the last closed day.

    Args:
        state: The partition's.
        keys: Whose.
        cause: What they follow from.
        why: What tells them apart from others of the same day.
    """
    if state.open_day is None or not keys:
        return []
    until, source = midnight(state.open_day), source_of(state)
    told = sorted(foretell(state, keys, state.open_day - 1), key=lambda one: one.key)
    return [
        caused(
            derive_id("forecast", *one.key, until.isoformat(), *why),
            source,
            until,
            forecast_of(one, until),
            cause,
        )
        for one in told
    ]


def forecast_of(one: Foretold, until: datetime) -> DemandForecast:
    """Return what is told of a key; its numbers are checked ones, so they are not looked at again.

    Args:
        one: What is expected.
        until: Days before it have been learned.
    """
    return DemandForecast.model_construct(
        sku=one.key.sku,
        location=one.key.location,
        model=one.model,
        learned_until=until,
        horizons=tuple(
            HorizonForecast.model_construct(days=days, mean=round(mean, 6), size=round(size, 6))
            for days, mean, size in zip(
                HORIZONS_DAYS, one.mean.tolist(), one.size.tolist(), strict=True
            )
        ),
        learned_days=one.learned_days,
        last_demand_on=None if one.last_sale is None else midnight(one.last_sale).date(),
        explanation=tuple(
            FeatureShare.model_construct(feature=share.feature, units=round(share.units, 3))
            for share in one.shares[:SHARES_MAX]
        ),
        override=one.override,
    )


def measurements(
    state: PartitionState, measured: Sequence[tuple[Key, Override]], cause: Message[Event]
) -> list[Message[Event]]:
    """Return how overrides whose period is over have fared."""
    found: list[Message[Event]] = []
    for key, one in measured:
        assert one.model is not None
        assert one.planner is not None
        event = OverrideMeasured(
            override=one.name,
            sku=key.sku,
            location=key.location,
            first_day=midnight(one.first_day).date(),
            last_day=midnight(one.last_day).date(),
            units=one.units,
            planner=_loss(one.planner),
            model=_loss(one.model),
        )
        identity = derive_id("measured", *key, one.name, one.first_day, one.last_day)
        time = midnight(one.last_day + 1)
        found.append(caused(identity, source_of(state), time, event, cause))
    return found


def noticed(
    state: PartitionState, events: Sequence[DriftDetected | ModelSwitched], cause: Message[Event]
) -> list[Message[Event]]:
    """Return what the close of days has brought to light."""
    found: list[Message[Event]] = []
    for event in events:
        place = event.location if isinstance(event, DriftDetected) else event.partition
        until = event.learned_until
        identity = derive_id(event.type_name(), event.key, place, until.isoformat())
        found.append(caused(identity, source_of(state), until, event, cause))
    return found


def _loss(one: Measured) -> OverrideLoss:
    assert one.absolute_error is not None
    assert one.pinball is not None
    return OverrideLoss(
        mean=round(one.mean, 6),
        absolute_error=round(one.absolute_error, 6),
        pinball=round(one.pinball, 6),
    )
