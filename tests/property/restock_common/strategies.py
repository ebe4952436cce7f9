"""Hypothesis strategies built from the contracts themselves: any valid event of any type."""

import types
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Union, cast, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt, MaxLen, MinLen
from hypothesis import strategies as st
from pydantic import AwareDatetime
from pydantic.fields import FieldInfo

from restock_common.contracts import EVENTS, Event
from restock_common.contracts.envelope import Message, Position
from restock_common.contracts.event import Contract
from restock_common.contracts.forecasts import DemandForecast
from restock_common.contracts.ledger import DeliveryWindow, OrderPlaced

words = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=12)
moments = st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - the zone is beside it

_LONGEST_TUPLE = 3


def of_annotation(annotation: Any, metadata: tuple[Any, ...] = ()) -> st.SearchStrategy[Any]:
    """Return a strategy for one annotation of a contract's field."""
    origin = get_origin(annotation)
    if origin is Annotated:
        inner, *more = get_args(annotation)
        return of_annotation(inner, (*metadata, *_flat(more)))
    if origin in (Union, types.UnionType):
        return st.one_of([of_annotation(option, metadata) for option in get_args(annotation)])
    if origin is Literal:
        return st.sampled_from(get_args(annotation))
    if origin is tuple:
        return _tuples(annotation, metadata)
    if isinstance(annotation, type) and issubclass(annotation, Contract):
        return of_contract(annotation)
    plain: dict[Any, st.SearchStrategy[Any]] = {
        str: words,
        AwareDatetime: moments,
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


def of_contract(kind: type[Contract]) -> st.SearchStrategy[Any]:
    """Return a strategy for a whole contract; those with rules across fields have their own."""
    if kind is DeliveryWindow:
        pairs = st.lists(moments, min_size=2, max_size=2, unique=True).map(sorted)
        return pairs.map(lambda pair: DeliveryWindow(earliest=pair[0], latest=pair[1]))
    fields = {
        name: of_annotation(field.annotation, tuple(field.metadata))
        for name, field in kind.model_fields.items()
    }
    if kind is OrderPlaced:
        fields["lines"] = _distinct(fields["lines"], "line")
    if kind is DemandForecast:
        fields["horizons"] = _distinct(fields["horizons"], "days")
    return st.builds(kind, **fields)


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
