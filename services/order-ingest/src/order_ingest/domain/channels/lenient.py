"""Real shops' JSON: numbers and booleans as strings, nulls, dates in several forms, more fields."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from math import isfinite
from typing import Annotated, Any, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
)
from pydantic_core import from_json

from order_ingest.domain.channels.base import InvalidPayload
from order_ingest.domain.findings import Finding, findings_of, refused
from restock_common.contracts.ledger import Place as Position
from restock_common.errors import shown
from restock_common.units import MAX_UNITS_PER_LINE, as_utc

ModelT = TypeVar("ModelT", bound=BaseModel)

_MAX_NUMBER_CHARACTERS = 40
_TRUE = {"true", "1", "yes", "on", "y", "t"}
_FALSE = {"false", "0", "no", "off", "n", "f", ""}


def _text(value: object) -> object:
    """Turn a number into its digits; a truth value is no text."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        whole = isinstance(value, float) and isfinite(value) and value.is_integer()
        return str(int(value) if whole else value)
    return value


def _word(value: object) -> object:
    """Turn what is missing into nothing."""
    return "" if value is None else _text(value)


def _flag(value: object) -> object:
    if isinstance(value, str):
        word = value.strip().lower()
        if word in _TRUE or word in _FALSE:
            return word in _TRUE
    return False if value is None else value


def _whole(value: object) -> object:
    """Turn `"2"`, `2.0` and `"2.0000"` into 2; what is not whole stays, to be refused."""
    if isinstance(value, bool):
        raise ValueError("is a truth value, not a number")
    if isinstance(value, str) and len(value) <= _MAX_NUMBER_CHARACTERS:
        try:
            value = float(value)
        except ValueError:
            return value
    if isinstance(value, float):
        if not isfinite(value) or not value.is_integer():
            raise ValueError("is not a whole number")
        return int(value)
    return value


def _finite(value: object) -> float | None:
    """Return a number, or None where it is none: what is told beside the order refuses it never."""
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return None
    return number if isfinite(number) else None


def _money(value: object) -> float | None:
    """Return an amount, or None where it is none."""
    amount = _finite(value)
    return amount if amount is not None and amount >= 0 else None


def _moment(value: object) -> object:
    """Turn the dates of mails (RFC 2822), which some shops write, into what pydantic reads."""
    if isinstance(value, bool):
        raise ValueError("is a truth value, not a time")
    if isinstance(value, str) and value[:1].isalpha():
        try:
            return parsedate_to_datetime(value)
        except (TypeError, ValueError, IndexError, OverflowError):
            raise ValueError("is not a time") from None
    return value


def _in_utc(moment: datetime) -> datetime:
    """Return it in UTC, which is what shops mean that name no zone."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else as_utc(moment)


Id = Annotated[
    str,
    BeforeValidator(_text),
    StringConstraints(
        min_length=1, max_length=95, strip_whitespace=True, pattern=r"^[^\x00-\x1f\x7f]*$"
    ),
]
"""Somebody's own id of something, a number or a text."""

Word = Annotated[str, BeforeValidator(_word), StringConstraints(strip_whitespace=True)]
"""Any text, or a number; "" where it is missing."""

SkuWord = Annotated[Word, StringConstraints(max_length=128, pattern=r"^[^\x00-\x1f\x7f]*$")]
"""A sku, or ""."""

Ref = SkuWord
"""The shop's id of something that is looked up, or ""."""

Count = Annotated[int, BeforeValidator(_whole), Field(ge=0, le=MAX_UNITS_PER_LINE)]
Flag = Annotated[bool, BeforeValidator(_flag)]
Money = Annotated[float | None, BeforeValidator(_money)]
Degrees = Annotated[float | None, BeforeValidator(_finite)]
Moment = Annotated[datetime, BeforeValidator(_moment), AfterValidator(_in_utc)]


class Lenient(BaseModel):
    """A part of a payload, of which only what is read is declared."""

    model_config = ConfigDict(frozen=True, extra="ignore")


def read(model: type[ModelT], raw: bytes, *paths: tuple[str, ...]) -> ModelT:
    """Return what a body holds.

    Args:
        model: What is read of it.
        raw: The body.
        paths: Where it may stand, the first that is there counts: shops and what stands between
            wrap it in envelopes; JSON inside a text is unwrapped on the way.

    Raises:
        InvalidPayload: Naming every wrong field.
    """
    value = unwrapped(raw)
    at: tuple[str, ...] = ()
    for path in paths:
        if (found := _dig(value, path)) is not None:
            value, at = found, path
            break
    return validated(model, value, at)


def unwrapped(raw: bytes) -> Any:
    """Return the JSON of a body. Raises InvalidPayload."""
    try:
        return from_json(raw)
    except ValueError as error:
        raise InvalidPayload([Finding("body", f"is not JSON: {error}")], malformed=True) from None


def validated(model: type[ModelT], value: object, at: tuple[str, ...] = ()) -> ModelT:
    """Return a value as a model. Raises InvalidPayload with places that begin with `at`."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise invalid(error, ".".join(at)) from None


def invalid(error: ValidationError, at: str = "") -> InvalidPayload:
    """Return a failed validation as a refusal whose places begin with `at`."""
    told = refused(error)
    places = [detail["loc"] for detail in findings_of(error)]
    return InvalidPayload(
        [
            Finding(_joined(at, loc), found.reason, found.value)
            for loc, found in zip(places, told.findings, strict=True)
        ],
        malformed=told.malformed,
    )


def joined(*parts: str) -> str:
    """Return the parts that are there, with spaces between."""
    return " ".join(part for part in parts if part)


def wrong(field: str, reason: str, value: object = None) -> InvalidPayload:
    """Return a refusal of one place."""
    return InvalidPayload([Finding(field, reason, shown(value))])


def _joined(at: str, loc: tuple[int | str, ...]) -> str:
    return ".".join([*([at] if at else []), *map(str, loc)]) or "body"


def _dig(value: object, path: tuple[str, ...]) -> object:
    for name in path:
        if not isinstance(value, dict):
            return None
        value = value.get(name)
        if isinstance(value, str):
            try:
                value = from_json(value)
            except ValueError:
                return None
    return value


def position(latitude: float | None, longitude: float | None) -> Position | None:
    """Return a position that a shop tells, where it is one; 0, 0 is a field left alone."""
    if latitude is None or longitude is None or (latitude, longitude) == (0, 0):
        return None
    try:
        return Position(latitude=latitude, longitude=longitude)
    except ValidationError:
        return None


def requested(model: type[ModelT], told_of: str, /, **fields: Any) -> ModelT:
    """Return a request. Raises InvalidPayload for what no field of a payload can be blamed for."""
    try:
        return model(**fields)
    except ValidationError as error:
        raise invalid(error, f"order {shown(told_of)}") from None
