"""The generic channel: Restock's own JSON, signed by the Standard Webhooks scheme.

https://www.standardwebhooks.com. The body is `{"type": ..., "data": ...}`; the data are those of
the HTTP doors, checked as strictly. An order may have an `address` in place of a destination.
"""

from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import to_json

from order_ingest.domain.channels.base import (
    Addressee,
    Amend,
    Cancel,
    Channel,
    Command,
    Headers,
    Ignored,
    InvalidPayload,
    Place,
    Return,
    Shop,
)
from order_ingest.domain.channels.lenient import Lenient, Word, invalid, unwrapped, wrong
from order_ingest.domain.channels.signatures import standard
from order_ingest.domain.findings import Refused
from order_ingest.domain.places import Found, Precision
from order_ingest.domain.requests import (
    AmendmentRequest,
    CancelRequest,
    OrderRequest,
    ReturnRequest,
    parse_identifier,
)

ModelT = TypeVar("ModelT", bound=BaseModel)


class Address(BaseModel):
    """Who gets it, and where; the country is all that must be there."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = ""
    mail: str = ""
    phone: str = ""
    street: str = ""
    postal_code: str = ""
    city: str = ""
    region: str = ""
    country: str = Field(pattern=r"^[A-Z]{2}$")


class _Envelope(Lenient):
    type: Word
    data: dict[str, Any]


def adapt(_headers: Headers, raw: bytes, shop: Shop) -> tuple[Command, ...]:
    """Return what a delivery asks for; see `base.Adapter`."""
    try:
        envelope = _Envelope.model_validate(unwrapped(raw))
    except ValidationError as error:
        raise invalid(error) from None
    data = dict(envelope.data)
    match envelope.type:
        case "order.placed":
            return (_placed(data, shop),)
        case "order.amended":
            order = _order(data)
            return (Amend(order, _strict(AmendmentRequest, data)),)
        case "order.cancelled":
            order = _order(data)
            return (Cancel(order, _strict(CancelRequest, data)),)
        case "order.returned":
            return (Return(_strict(ReturnRequest, data)),)
        case other:
            return (Ignored(f"type {other[:80]!r} says nothing of orders"),)


def _placed(data: dict[str, Any], shop: Shop) -> Place:
    address = None
    if "address" in data:
        address = _strict(Address, data.pop("address"), "data.address")
    found = None
    if address is not None and "destination" not in data:
        found = _located(address, shop)
        data["destination"] = found.place.model_dump()
    request = _strict(OrderRequest, data)
    found = found or Found(request.destination, Precision.COORDINATES)
    told: dict[str, Any] = {"customer": shop.token(request.customer)}
    if address is not None and request.recipient is None:
        told["recipient"] = Addressee(**address.model_dump(exclude={"region"})).as_recipient()
    return Place(request.model_copy(update=told), found.precision, snapshot=False)


def _located(address: Address, shop: Shop) -> Found:
    found = shop.gazetteer.find(address.country, address.region, address.city)
    if found is None:
        raise wrong("data.address.country", "is no country that is known", address.country)
    return found


def _order(data: dict[str, Any]) -> str:
    order = data.pop("order", None)
    if not isinstance(order, str):
        raise wrong("data.order", "is missing, or no text", order)
    try:
        return parse_identifier("data.order", order)
    except Refused as error:
        raise InvalidPayload(error.findings) from None


def _strict(model: type[ModelT], data: object, at: str = "data") -> ModelT:
    try:
        return model.model_validate_json(to_json(data), strict=True, extra="forbid")
    except ValidationError as error:
        raise invalid(error, at) from None


STANDARD_WEBHOOKS = Channel("standard_webhooks", adapt, standard)
