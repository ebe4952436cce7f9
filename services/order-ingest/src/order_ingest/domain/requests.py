"""What storefronts and warehouses send: the same JSON through every door.

Validation is strict and in one pass over the bytes: a quantity in quotes is a wrong type, and a
field that is not known here is a spelling mistake to be told, not to be passed over.
"""

from typing import Annotated, Generic, TypeVar, cast

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic_core import from_json, to_json

from order_ingest.domain.findings import Finding, Refused, findings_of, refused
from restock_common.contracts.catalogue import CatalogueEntity
from restock_common.contracts.ledger import CountLine, DeliveryWindow, Place, ReceiptLine
from restock_common.errors import shown
from restock_common.units import Identifier, LocationId, PositiveUnits, Sku, Text, Timestamp

MAX_BATCH_ITEMS = 1_000
MAX_CATALOGUE_ITEMS = 5_000

_IN_AN_ITEM = 2  # places inside a batch begin with the field of the items, and a number

OrderNumber = Annotated[Identifier, Field(max_length=95)]
"""A shop's own number of an order: with a shop of 32 characters and a colon, 128 in all."""

RequestT = TypeVar("RequestT", bound=BaseModel)
EntityT = TypeVar("EntityT", bound=CatalogueEntity)

_IDENTIFIER: TypeAdapter[str] = TypeAdapter(Identifier)


class Request(BaseModel):
    """A frozen request."""

    model_config = ConfigDict(frozen=True)


class LineRequest(Request):
    """One line of an order; `line` is its place in the order, from 1, unless the shop names it."""

    sku: Sku
    quantity: PositiveUnits
    line: Identifier | None = None


class OrderRequest(Request):
    """An order as a storefront sends it; `order` is the shop's own number."""

    order: OrderNumber
    customer: Identifier
    placed_at: Timestamp
    destination: Place
    window: DeliveryWindow | None = None
    lines: Annotated[tuple[LineRequest, ...], Field(min_length=1, max_length=1000)]


class CancelRequest(Request):
    """Calls a whole order off; without a time, it was now."""

    cancelled_at: Timestamp | None = None
    reason: Text = ""


class CancelMessage(CancelRequest):
    """A cancellation on the Kafka door: told from an order by `cancel`, the order's number."""

    cancel: Identifier


class ReceiptRequest(Request):
    """A delivery that arrived at a warehouse."""

    receipt: Identifier
    location: LocationId
    received_at: Timestamp
    purchase_order: Identifier | None = None
    lines: Annotated[tuple[ReceiptLine, ...], Field(min_length=1, max_length=5000)]


class CountRequest(Request):
    """What a person counted on the shelves of a warehouse."""

    count: Identifier
    location: LocationId
    counted_at: Timestamp
    lines: Annotated[tuple[CountLine, ...], Field(min_length=1, max_length=5000)]


class ClockRequest(Request):
    """Everything before `until` has been sent."""

    until: Timestamp


class OrderBatch(Request):
    """Up to 1,000 orders, answered one by one."""

    orders: Annotated[tuple[OrderRequest, ...], Field(min_length=1, max_length=MAX_BATCH_ITEMS)]


class ReceiptBatch(Request):
    """Up to 1,000 receipts, answered one by one."""

    receipts: Annotated[tuple[ReceiptRequest, ...], Field(min_length=1, max_length=MAX_BATCH_ITEMS)]


class EntityBatch(Request, Generic[EntityT]):
    """Up to 5,000 entities of one kind, taken all or none."""

    items: Annotated[tuple[EntityT, ...], Field(min_length=1, max_length=MAX_CATALOGUE_ITEMS)]


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
    value = _json(raw)
    if isinstance(value, dict) and "cancel" in value:
        return parse(CancelMessage, raw)
    return parse(OrderRequest, raw)


def parse_order_number(text: str) -> str:
    """Return an order's number or id that stands in an address. Raises Refused."""
    try:
        return _IDENTIFIER.validate_python(text)
    except ValidationError as error:
        details = error.errors(include_url=False)[0]
        raise Refused([Finding("order", details["msg"], shown(text))]) from None


def parse_entity(kind: type[EntityT], raw: bytes, entity_id: str) -> EntityT:
    """Return one entity whose id stands in the address, and may stand in the body too.

    Raises:
        Refused: It does not validate, or the two ids differ.
    """
    body = _json(raw)
    if not isinstance(body, dict):
        raise Refused([Finding("body", "is not an object", shown(body))])
    written = body.setdefault(kind.id_field, entity_id)
    if written != entity_id:
        reason = f"is not the {entity_id!r} of the address"
        raise Refused([Finding(kind.id_field, reason, shown(written))])
    return parse(kind, to_json(body))


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
