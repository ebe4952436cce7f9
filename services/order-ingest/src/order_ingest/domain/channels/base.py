"""What all channels share: a shop's settings, what a delivery asks for, and what is refused."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Protocol

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints

from order_ingest.domain.channels.orders_api import OrdersApi, ShopApi
from order_ingest.domain.findings import Refused
from order_ingest.domain.places import Gazetteer, Precision
from order_ingest.domain.privacy import Privacy
from order_ingest.domain.requests import (
    AmendmentRequest,
    CancelRequest,
    OrderRequest,
    Recipient,
    ReturnRequest,
)
from restock_common.contracts.ledger import Condition
from restock_common.errors import Permanent
from restock_common.units import Identifier, LocationId, Sku

MAX_SECRETS = 5
REPLAY_WINDOW_S = 300
"""How old a signed time may be, or how far ahead: as the Standard Webhooks scheme has it."""

_HEADER = "X-Restock-Secret"
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_KEPT_CHARACTERS = {
    **dict.fromkeys(("name", "mail", "phone", "postal_code", "city", "country"), 200),
    "street": 500,
}
_Secret = Annotated[SecretStr, Field(min_length=8, max_length=500)]


class InvalidPayload(Refused):
    """A delivery that can never be read as it is: the findings name place, value and reason."""


class BadSignature(Permanent):
    """A delivery that the shop has not signed, or signed too long ago."""


class Unmapped(Permanent):
    """A delivery names what the shop's settings or its table of variants do not know yet.

    Args:
        reason: What is not known, with all that the shop says of it.
        field: Its place in the payload.
        keys: What could be looked up in the table of variants.

    Attributes:
        otherwise: What it asks for all the same, should nothing be found; nothing is the rule.
    """

    def __init__(self, reason: str, *, field: str, keys: Sequence[str] = ()) -> None:
        super().__init__(reason, field=field)
        self.keys = tuple(keys)
        self.otherwise: tuple[Command, ...] = ()


class SkuSource(StrEnum):
    """Where the sku of a line is found first."""

    SKU = "sku"
    VARIANT = "variant"


class ShopSettings(BaseModel):
    """What is known of a shop that sends webhooks.

    Attributes:
        channel: Which adapter reads what it sends.
        secrets: Any of them may sign, so that one can be replaced without a pause.
        public_keys: Of shops that sign with a private key: RSA, as PEM, JWK or JWK set.
        secret_header: Carries a secret as it is, where the shop cannot sign.
        sandbox: Its orders go through every door, and to `restock.sandbox.v1` in the end.
        sku_from: `sku`: the payload's, and where that is empty the table of variants;
            `variant`: the table first.
        unshipped: Skus that take nothing from a shelf, such as services.
        country: Of addresses that name none.
        currency: Of the values that orders are ranked by; others are not told.
        locations: Restock's location for each of the shop's.
        return_location: Where goods come back to, where the shop names no location.
        return_condition: What goods are good for that come back.
        api: Where the shop's orders can be read; None where that is not wanted.
        contiguous_numbers: Whether the shop numbers its orders without holes; None is as usual in
            the channel.
        alert_when_silent: Whether it is an alarm when nothing comes for unusually long.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    channel: Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,32}$")]
    secrets: Annotated[tuple[_Secret, ...], Field(max_length=MAX_SECRETS)] = ()
    public_keys: Annotated[
        tuple[Annotated[str, Field(max_length=20_000)], ...], Field(max_length=MAX_SECRETS)
    ] = ()
    secret_header: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]{1,64}$")] = _HEADER
    sandbox: bool = False
    sku_from: SkuSource = SkuSource.SKU
    unshipped: Annotated[tuple[Sku, ...], Field(max_length=1000)] = ()
    country: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")] | None = None
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")] | None = None
    locations: Annotated[dict[Identifier, LocationId], Field(max_length=1000)] = {}
    return_location: LocationId | None = None
    return_condition: Condition = Condition.SELLABLE
    api: ShopApi | None = None
    contiguous_numbers: bool | None = None
    alert_when_silent: bool = True


@dataclass(frozen=True, slots=True)
class Shop:
    """What an adapter knows beside the delivery.

    Attributes:
        name: The shop's name here.
        settings: Its settings.
        gazetteer: Finds the positions of addresses.
        privacy: Makes tokens of customers.
        skus: Of the table of variants what was looked up: a sku, or "" for what ships nothing.
    """

    name: str
    settings: ShopSettings
    gazetteer: Gazetteer
    privacy: Privacy
    skus: Mapping[str, str] = field(default_factory=dict)

    def token(self, customer: str) -> str:
        """Return what stands for a customer in events: the same for the same customer."""
        return self.privacy.token(self.name, customer)


@dataclass(frozen=True, slots=True)
class Addressee:
    """Who gets the parcel, in a shop's own words: personal data, never in an event or a log."""

    name: str = ""
    mail: str = ""
    phone: str = ""
    street: str = ""
    postal_code: str = ""
    city: str = ""
    country: str = ""

    def as_recipient(self) -> Recipient | None:
        """Return what the door keeps of it, on one line and cut where it is too long."""
        told = {
            name: text
            for name, limit in _KEPT_CHARACTERS.items()
            if (text := " ".join(_CONTROL.sub(" ", getattr(self, name)).split())[:limit])
        }
        return Recipient(**told) if told else None


@dataclass(frozen=True, slots=True)
class Place:
    """Take an order.

    Attributes:
        request: As through every other door.
        precision: How its position was found.
        snapshot: It tells the order as it is now: that it was taken before with other content is
            no conflict then, an amendment tells the difference.
    """

    request: OrderRequest
    precision: Precision
    snapshot: bool = True


@dataclass(frozen=True, slots=True)
class Amend:
    """Say what an order is to be from now on.

    Attributes:
        order: Which one.
        request: As through every other door.
        began: How it began, told where nothing is left of it: it is placed so before, should nobody
            have heard of it yet.
    """

    order: str
    request: AmendmentRequest
    began: Place | None = None


@dataclass(frozen=True, slots=True)
class Cancel:
    """Call an order off.

    Attributes:
        order: Which one.
        request: As through every other door.
        began: How it began, where that is told: it is placed so before, should nobody have heard of
            it yet.
    """

    order: str
    request: CancelRequest
    began: Place | None = None


@dataclass(frozen=True, slots=True)
class Return:
    """Book what came back."""

    request: ReturnRequest


@dataclass(frozen=True, slots=True)
class FetchOrder:
    """Read the order from the shop's own API: the delivery does not tell enough."""

    order: str
    why: str


@dataclass(frozen=True, slots=True)
class Ignored:
    """Do nothing, and say why."""

    reason: str


@dataclass(frozen=True, slots=True)
class Shown:
    """Which order a delivery shows, and in which state.

    Attributes:
        order: Its id in the shop.
        number: Its place in the shop's count of orders; None where it has none.
        placed_at: When it was placed.
        changed_at: When it last changed.
        state: The same for the same state, however it was told: 64 bits.
    """

    order: str
    number: int | None
    placed_at: datetime
    changed_at: datetime
    state: int


Command = Place | Amend | Cancel | Return | FetchOrder | Ignored
Headers = Mapping[str, str]
"""By name, in lower case."""


class Adapter(Protocol):
    """Reads what a channel sends; pure: the same delivery gives the same commands."""

    def __call__(self, headers: Headers, raw: bytes, shop: Shop, /) -> tuple[Command, ...]:
        """Return what a delivery asks for, at least one command.

        Raises:
            InvalidPayload: It can never be read as it is.
            Unmapped: It names what is not known yet.
        """


class Verifier(Protocol):
    """Tells whether the shop sent it."""

    def __call__(
        self, headers: Headers, raw: bytes, settings: ShopSettings, now: datetime, /
    ) -> None:
        """Raise BadSignature unless the shop sent these bytes, and not long ago."""


class Reader(Protocol):
    """Tells which order a delivery shows; pure."""

    def __call__(self, headers: Headers, raw: bytes, /) -> Shown | None:
        """Return it; None where it shows none. Raises InvalidPayload where `adapt` does."""


@dataclass(frozen=True, slots=True)
class Channel:
    """One kind of shop.

    Attributes:
        name: As it stands in a shop's settings.
        adapt: Reads what it sends.
        verify: Tells whether the shop sent it.
        kept_headers: What a dead letter keeps of the headers: what `adapt` reads, never a secret.
        shows: Tells which order a delivery shows; None where deliveries do not show orders so that
            those that are missing could be told.
        contiguous: Whether such shops number their orders without holes, unless a shop says else.
        orders_api: How their orders are read; None where that is not known here.
    """

    name: str
    adapt: Adapter
    verify: Verifier
    kept_headers: tuple[str, ...] = ()
    shows: Reader | None = None
    contiguous: bool = False
    orders_api: Callable[[ShopApi], OrdersApi] | None = None


def country_code(text: str) -> str:
    """Return a country's two letters; "" where it is something else."""
    code = text.strip().upper()
    return code if re.fullmatch(r"[A-Z]{2}", code) else ""
