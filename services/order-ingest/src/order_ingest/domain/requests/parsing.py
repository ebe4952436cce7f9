"""From bytes to requests."""

from collections.abc import Mapping
from typing import TypeVar, cast

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import from_json, to_json

from order_ingest.domain.findings import Finding, Refused, findings_of, refused
from order_ingest.domain.requests.base import MAX_BATCH_ITEMS
from order_ingest.domain.requests.master_data import EntityBatch, EntityT
from order_ingest.domain.requests.nesting import check_depth
from order_ingest.domain.requests.orders import CancelMessage, OrderRequest
from restock_common.errors import shown
from restock_common.units import Identifier

_IN_AN_ITEM = 2  # places inside a batch begin with the field of the items, and a number

RequestT = TypeVar("RequestT", bound=BaseModel)

_IDENTIFIER: TypeAdapter[str] = TypeAdapter(Identifier)


def parse(kind: type[RequestT], raw: bytes) -> RequestT:
    """Return the request that the bytes hold. Raises Refused naming every wrong field."""
    try:
        return kind.model_validate_json(raw, strict=True, extra="forbid")
    except ValidationError as error:
        raise refused(error) from None


def parse_batch(
    batch: type[BaseModel], item: type[RequestT], field: str, raw: bytes
) -> list[RequestT | Refused]:
    """Return each item of a batch, or why it is refused; a good batch takes one pass.

    Args:
        batch: The model of the whole.
        item: The model of one item.
        field: Where the items stand in it.
        raw: The body.

    Raises:
        Refused: It is no batch at all: not JSON, no items, too many, or other fields beside them.
    """
    try:
        whole = batch.model_validate_json(raw, strict=True, extra="forbid")
    except ValidationError as error:
        if any(len(detail["loc"]) < _IN_AN_ITEM for detail in findings_of(error)):
            raise refused(error) from None
    else:
        return list(getattr(whole, field))
    values = cast("dict[str, list[object]]", _json(raw))[field]
    if len(values) > MAX_BATCH_ITEMS:
        raise Refused([Finding(field, f"has more than {MAX_BATCH_ITEMS} items", len(values))])
    return [_parse_one(item, value) for value in values]


def parse_storefront_message(raw: bytes | None) -> OrderRequest | CancelMessage:
    """Return what a record of the Kafka door says. Raises Refused."""
    if raw is None:
        raise Refused([Finding("body", "is empty")])
    check_depth(raw)
    value = _json(raw)
    if isinstance(value, dict) and "cancel" in value:
        return parse(CancelMessage, raw)
    return parse(OrderRequest, raw)


def parse_identifier(field: str, text: str) -> str:
    """Return an id that stands in an address. Raises Refused, naming it as the field."""
    try:
        return _IDENTIFIER.validate_python(text)
    except ValidationError as error:
        details = error.errors(include_url=False)[0]
        raise Refused([Finding(field, details["msg"], shown(text))]) from None


def parse_with(kind: type[RequestT], raw: bytes, said: Mapping[str, str]) -> RequestT:
    """Return a request some of whose fields an address tells, which may stand in the body too.

    Raises:
        Refused: It does not validate, or the body says something else than the address.
    """
    body = _json(raw)
    if not isinstance(body, dict):
        raise Refused([Finding("body", "is not an object", shown(body))])
    for field, value in said.items():
        written = body.setdefault(field, value)
        if written != value:
            reason = f"is not the {value!r} of the address"
            raise Refused([Finding(field, reason, shown(written))])
    return parse(kind, to_json(body))


def parse_entity(kind: type[EntityT], raw: bytes, entity_id: str) -> EntityT:
    """Return one entity whose id stands in the address, and may stand in the body too.

    Raises:
        Refused: It does not validate, or the two ids differ.
    """
    return parse_with(kind, raw, {kind.id_field: entity_id})


def parse_entities(kind: type[EntityT], raw: bytes) -> tuple[EntityT, ...]:
    """Return all entities of a batch. Raises Refused, for the whole, naming every wrong field."""
    return parse(EntityBatch[kind], raw).items  # type: ignore[valid-type]


def _parse_one(item: type[RequestT], value: object) -> RequestT | Refused:
    try:
        return parse(item, to_json(value))
    except Refused as error:
        return error


def _json(raw: bytes) -> object:
    try:
        return from_json(raw, allow_inf_nan=False)
    except ValueError as error:
        raise Refused([Finding("body", f"is not JSON: {error}")], malformed=True) from None
