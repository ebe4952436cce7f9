"""What each event does: `decide` is the routing table."""

from collections.abc import Iterable

from replenisher.domain.model import Cause, Forecast, Place, Position, WorkingSet
from replenisher.domain.orders import OrderCommand, OrdersLate, command, notice_late
from replenisher.domain.protection import Horizons
from replenisher.domain.receipts import receive
from replenisher.domain.review import ReviewDue, make_review
from replenisher.domain.terms import TermsBook
from restock_common.contracts.envelope import Message
from restock_common.contracts.event import Event
from restock_common.contracts.forecasts import DemandForecast, HorizonForecast
from restock_common.contracts.ledger import TimeAdvanced
from restock_common.contracts.stock import Level, StockLevelChanged, StockReceived
from restock_common.errors import InvariantBroken, Permanent
from restock_common.transact import Emission

HANDLED: frozenset[type[Event]] = frozenset(
    {StockLevelChanged, StockReceived, DemandForecast, TimeAdvanced}
)
"""The event types that are read; the rest of the topics is passed over."""

LARGEST_DEMAND_UNITS = 1e9
LONGEST_HORIZON_DAYS = 3650


def decide(state: WorkingSet, book: TermsBook, message: Message[Event]) -> Iterable[Emission]:
    """Take one message into the working set; return what is to be published.

    Raises:
        Permanent: The message can never be handled; the working set is as it was before.
    """
    cause = Cause(message.time, message.id)
    match message.event:
        case StockReceived() as received:
            return stock_received(state, received, cause)
        case StockLevelChanged() as level:
            take_level(state, level, cause)
            return ()
        case DemandForecast() as forecast:
            demand_forecast(state, forecast, cause)
            return ()
        case ReviewDue() as due:
            return [Emission(event) for event in make_review(state, book, due, cause)]
        case OrderCommand() as told:
            return [Emission(event) for event in command(state, told, cause)]
        case OrdersLate() as late:
            return [Emission(event) for event in notice_late(state, late)]
        case TimeAdvanced():
            return ()  # the cursor keeps the watermark; the reviewer looks at it
        case other:
            raise InvariantBroken(f"{type(other).__name__} has no handler")


def take_level(state: WorkingSet, level: Level, cause: Cause) -> None:
    """Take a level as the ledger gives it: absolute, so the last one seen is the truth."""
    position = _position(state, level)
    position.on_hand = level.on_hand
    position.unsellable = level.damaged + level.quality_hold
    position.reserved = level.reserved
    position.backordered = level.backordered
    position.in_transit = level.in_transit
    position.level_event = cause.id
    state.touch(position, cause)


def stock_received(state: WorkingSet, received: StockReceived, cause: Cause) -> Iterable[Emission]:
    """Take a receipt: the level after it, and what is no longer on order, together."""
    take_level(state, received, cause)
    if received.order_line is None:
        return ()
    closed = receive(state, received, received.order_line, cause)
    return () if closed is None else (Emission(closed),)


def demand_forecast(state: WorkingSet, forecast: DemandForecast, cause: Cause) -> None:
    """Take a forecast, unless a later one is known: the forecaster may repeat itself."""
    for index, horizon in enumerate(forecast.horizons):
        _check(index, horizon)
    position = _position(state, forecast)
    known = position.forecast.learned_until
    if known is not None and forecast.learned_until < known:
        return
    position.forecast = Forecast(
        horizons=Horizons(
            days=tuple(one.days for one in forecast.horizons),
            mean=tuple(one.mean for one in forecast.horizons),
            size=tuple(one.size for one in forecast.horizons),
        ),
        learned_until=forecast.learned_until,
        event=cause.id,
    )
    position.forecast_changed = True
    state.touch(position, cause)


def _position(state: WorkingSet, event: Level | DemandForecast) -> Position:
    return state.positions[Place(event.sku, event.location)]


def _check(index: int, horizon: HorizonForecast) -> None:
    """Refuse figures that no sum can be done with."""
    field = f"horizons.{index}"
    if horizon.days > LONGEST_HORIZON_DAYS:
        raise Permanent(
            f"{horizon.days} is beyond {LONGEST_HORIZON_DAYS} days", field=f"{field}.days"
        )
    if horizon.mean > LARGEST_DEMAND_UNITS:
        raise Permanent(
            f"{horizon.mean} is beyond {LARGEST_DEMAND_UNITS:g} units", field=f"{field}.mean"
        )
    if horizon.mean > 0 and horizon.mean / horizon.size > LARGEST_DEMAND_UNITS:
        raise Permanent(
            f"{horizon.size} spreads a mean of {horizon.mean} beyond all use", field=f"{field}.size"
        )
