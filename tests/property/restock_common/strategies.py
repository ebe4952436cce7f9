"""Hypothesis strategies built from the contracts themselves: any valid event of any type."""

import types
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from enum import Enum
from typing import Annotated, Any, Literal, Union, cast, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt, MaxLen, MinLen
from hypothesis import strategies as st
from pydantic import AwareDatetime
from pydantic.fields import FieldInfo

from restock_common.contracts import EVENTS, Event
from restock_common.contracts.catalogue import (
    DriverBreak,
    Location,
    Product,
    SupplierTerms,
    Vehicle,
)
from restock_common.contracts.demand import OVERRIDE_DAYS_MAX, ForecastOverridden, SiteNote
from restock_common.contracts.envelope import Message, Position
from restock_common.contracts.event import Contract
from restock_common.contracts.forecasts import DemandForecast
from restock_common.contracts.ledger import (
    AdjustedLine,
    CartHeld,
    CartReleased,
    Condition,
    DeliveryWindow,
    OrderAmended,
    OrderLine,
    OrderPlaced,
    OrderReturned,
    ReceiptLine,
    TransferOrdered,
    TransferReceived,
    TransferShipped,
)
from restock_common.contracts.promotions import Promotion
from restock_common.units import MAX_UNITS_PER_LINE

words = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=12)
moments = st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - the zone is beside it
days = st.dates(date(1970, 1, 1), date(2100, 1, 1))

_LONGEST_TUPLE = 3
_DISTINCT_BY = {
    OrderPlaced: {"lines": "line"},
    OrderAmended: {"lines": "line"},
    OrderReturned: {"replacements": "line"},
    OrderLine: {"components": "sku"},
    Product: {"components": "sku"},
    SupplierTerms: {"price_breaks": "from_units"},
    CartHeld: {"lines": "sku"},
    TransferOrdered: {"lines": "line"},
    TransferShipped: {"lines": "line"},
    TransferReceived: {"lines": "line"},
    DemandForecast: {"horizons": "days"},
}
"""Which field tells the items of a tuple apart."""


def of_annotation(annotation: Any, metadata: tuple[Any, ...] = ()) -> st.SearchStrategy[Any]:
    """Return a strategy for one annotation of a contract's field."""
    if get_origin(annotation) is not None:
        return _of_generic(annotation, metadata)
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return st.sampled_from(annotation)
    if isinstance(annotation, type) and issubclass(annotation, Contract):
        return of_contract(annotation)
    plain: dict[Any, st.SearchStrategy[Any]] = {
        str: words,
        AwareDatetime: moments,
        date: days,
        time: st.times(),
        bool: st.booleans(),
        type(None): st.none(),
    }
    if annotation in plain:
        return plain[annotation]
    low, high, open_low, open_high = _range(metadata)
    if annotation is int:
        return st.integers(int(low) + open_low, int(high) - open_high)
    assert annotation is float, f"no strategy for {annotation}"
    return st.floats(low, high, exclude_min=open_low, exclude_max=open_high)


def _of_generic(annotation: Any, metadata: tuple[Any, ...]) -> st.SearchStrategy[Any]:
    origin = get_origin(annotation)
    arguments = get_args(annotation)
    if origin is Annotated:
        inner, *more = arguments
        return of_annotation(inner, (*metadata, *_flat(more)))
    if origin in (Union, types.UnionType):
        return st.one_of([of_annotation(option, metadata) for option in arguments])
    if origin is Literal:
        return st.sampled_from(arguments)
    if origin is tuple:
        return _tuples(annotation, metadata)
    assert origin is dict, f"no strategy for {annotation}"
    keys, values = map(of_annotation, arguments)
    return st.dictionaries(keys, values, max_size=_LONGEST_TUPLE)


def of_contract(kind: type[Contract]) -> st.SearchStrategy[Any]:
    """Return a strategy for a whole contract; those with rules across fields have their own."""
    fields = {
        name: of_annotation(field.annotation, tuple(field.metadata))
        for name, field in kind.model_fields.items()
    }
    for name, told_apart_by in _DISTINCT_BY.get(kind, {}).items():
        fields[name] = _distinct(fields[name], told_apart_by)
    if kind in _MADE_SOUND:
        return st.fixed_dictionaries(fields).map(_MADE_SOUND[kind]).map(lambda made: kind(**made))
    return st.builds(kind, **fields)


def _in_order(earlier: str, later: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    def ordered(made: dict[str, Any]) -> dict[str, Any]:
        first, last = sorted((made[earlier], made[later]))
        return {**made, earlier: first, later: max(last, first + timedelta(microseconds=1))}

    return ordered


def _driver_break(made: dict[str, Any]) -> dict[str, Any]:
    earliest, latest = sorted((made["earliest_hour"], made["latest_hour"]))
    return {**made, "earliest_hour": earliest, "latest_hour": latest}


def _vehicle(made: dict[str, Any]) -> dict[str, Any]:
    """Tell a speed for every hour, or for none."""
    return {**made, "speed_kmh_by_hour": made["speed_kmh_by_hour"][:1] * 24}


def _receipt_line(made: dict[str, Any]) -> dict[str, Any]:
    """Name a lot where there is an expiry date; as many units as there are serials."""
    serials = tuple(dict.fromkeys(made["serials"]))
    made = {**made, "serials": serials, "quantity": len(serials) or made["quantity"]}
    return made if made["lot"] is not None else {**made, "expires_on": None}


def _adjusted_line(made: dict[str, Any]) -> dict[str, Any]:
    """Take from outside what would stay where it is."""
    if made["source"] != made["target"]:
        return made
    return {**made, "source": "outside", "target": Condition.SELLABLE}


def _transfer(made: dict[str, Any]) -> dict[str, Any]:
    """Let the target be another location."""
    source, target = made["source"], made["target"]
    if source.location != target.location:
        return made
    elsewhere = "b" if target.location == "a" else "a"
    return {**made, "target": target.model_copy(update={"location": elsewhere})}


def _transfer_received(made: dict[str, Any]) -> dict[str, Any]:
    """Say something: what came, or that no more will."""
    return made if made["lines"] else {**made, "complete": True}


def _order_line(made: dict[str, Any]) -> dict[str, Any]:
    """Ask for as many kits as can be told of, at most."""
    largest = max((one.quantity for one in made["components"]), default=1)
    return {**made, "quantity": min(made["quantity"], MAX_UNITS_PER_LINE // largest)}


def _coded(name: str, code: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Name a country or a currency by a code, where one is named."""
    return lambda made: {**made, name: code if made[name] else None}


def _promotion(made: dict[str, Any]) -> dict[str, Any]:
    """End no earlier than on the first day."""
    return {**made, "ends_on": max(made["starts_on"], made["ends_on"])}


def _overridden(made: dict[str, Any]) -> dict[str, Any]:
    """Tell units or a factor, not both, of a period that is short enough."""
    one, other = ("units_per_day", "factor")
    if made[one] is None and made[other] is None:
        made = {**made, other: 1.0}
    elif made[one] is not None:
        made = {**made, other: None}
    longest = made["first_day"] + timedelta(days=OVERRIDE_DAYS_MAX - 1)
    return {**made, "last_day": min(max(made["first_day"], made["last_day"]), longest)}


def _cart_released(made: dict[str, Any]) -> dict[str, Any]:
    """Name the release of a part."""
    return {**made, "release": made["release"] or "a"} if made["lines"] else made


_MADE_SOUND: dict[type[Contract], Callable[[dict[str, Any]], dict[str, Any]]] = {
    DeliveryWindow: _in_order("earliest", "latest"),
    CartHeld: _in_order("held_at", "expires_at"),
    CartReleased: _cart_released,
    OrderLine: _order_line,
    DriverBreak: _driver_break,
    Vehicle: _vehicle,
    ReceiptLine: _receipt_line,
    AdjustedLine: _adjusted_line,
    TransferOrdered: _transfer,
    Location: _coded("country", "US"),
    SiteNote: _coded("country", "US"),
    ForecastOverridden: _overridden,
    SupplierTerms: _coded("currency", "EUR"),
    Promotion: _promotion,
    TransferReceived: _transfer_received,
}
"""What makes any fields of a contract obey its rules across fields."""


def _distinct(tuples: st.SearchStrategy[Any], name: str) -> st.SearchStrategy[Any]:
    """Keep one item of each value of a field, in the order of that field."""

    def distinct(items: tuple[Any, ...]) -> tuple[Any, ...]:
        by_value = {getattr(item, name): item for item in items}
        return tuple(by_value[value] for value in sorted(by_value))

    return tuples.map(distinct)


def _tuples(annotation: Any, metadata: tuple[Any, ...]) -> st.SearchStrategy[Any]:
    items = get_args(annotation)
    if items[-1] is not Ellipsis:
        return st.tuples(*(of_annotation(item) for item in items))
    shortest = max((m.min_length for m in metadata if isinstance(m, MinLen)), default=0)
    longest = min((m.max_length for m in metadata if isinstance(m, MaxLen)), default=_LONGEST_TUPLE)
    return st.lists(
        of_annotation(items[0]), min_size=shortest, max_size=min(longest, _LONGEST_TUPLE)
    ).map(tuple)


def _flat(metadata: list[Any]) -> tuple[Any, ...]:
    """Return the constraints, those inside pydantic's Field too."""
    return tuple(
        inner for m in metadata for inner in (m.metadata if isinstance(m, FieldInfo) else [m])
    )


def _range(metadata: tuple[Any, ...]) -> tuple[float, float, bool, bool]:
    """Return the bounds of a number, and whether each is left out."""
    low, high, open_low, open_high = -1e6, 1e6, False, False
    for constraint in _flat(list(metadata)):
        match constraint:
            case Ge(ge=bound):
                low = float(cast("float", bound))
            case Gt(gt=bound):
                low, open_low = float(cast("float", bound)), True
            case Le(le=bound):
                high = float(cast("float", bound))
            case Lt(lt=bound):
                high, open_high = float(cast("float", bound)), True
            case _:
                pass
    return low, high, open_low, open_high


events: st.SearchStrategy[Event] = st.sampled_from(EVENTS).flatmap(
    lambda kind: cast("st.SearchStrategy[Event]", of_contract(kind))
)

counters = st.integers(0, 2**62)
hex_digits = "0123456789abcdef"
trace_contexts = st.builds(
    "00-{}-{}-01".format,
    st.text(hex_digits, min_size=32, max_size=32),
    st.text(hex_digits, min_size=16, max_size=16),
)

messages: st.SearchStrategy[Message[Event]] = st.builds(
    Message,
    id=words,
    source=words,
    time=moments,
    event=events,
    position=st.none() | st.builds(Position, counters, counters),
    cause=st.none() | words,
    traceparent=st.none() | trace_contexts,
)
