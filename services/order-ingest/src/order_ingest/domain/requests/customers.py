"""What is said of people: who gets an order, and who asks for it."""

from typing import Annotated

from pydantic import Field, StringConstraints, model_validator

from order_ingest.domain.requests.base import MAX_BATCH_ITEMS, Request
from restock_common.units import Identifier, Text

Short = Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]


class Recipient(Request):
    """Who gets an order, as the driver needs to know. It stays at the door, encrypted.

    Attributes:
        name: Of a person or a company.
        mail: For notices.
        phone: For the driver.
        street: With the number, and whatever else leads to the door.
        postal_code: As it is written there.
        city: Or whatever place it is.
        country: Its ISO 3166 code, or its name.
    """

    name: Short | None = None
    mail: Short | None = None
    phone: Short | None = None
    street: Text | None = None
    postal_code: Short | None = None
    city: Short | None = None
    country: Short | None = None

    @model_validator(mode="after")
    def _says_something(self) -> "Recipient":
        if not self.model_dump(exclude_none=True):
            raise ValueError("says nothing: leave it out")
        return self


class ManifestRequest(Request):
    """Whose recipients a driver has to know: of orders, or of customers by their tokens.

    Attributes:
        orders: By the shop's own numbers, or by id.
        customers: By token, as it stands on events; told is the recipient of the newest order.
    """

    orders: Annotated[tuple[Identifier, ...], Field(max_length=MAX_BATCH_ITEMS)] = ()
    customers: Annotated[tuple[Identifier, ...], Field(max_length=MAX_BATCH_ITEMS)] = ()
