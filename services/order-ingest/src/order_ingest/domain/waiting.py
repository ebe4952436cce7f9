"""Commands that come before the order or cart that they are about: they wait for it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from order_ingest.domain import orders
from order_ingest.domain.findings import Unknown
from order_ingest.domain.requests import AmendmentRequest, CancelRequest, ReturnRequest
from order_ingest.domain.requests.base import MAX_OWN_CHARACTERS
from restock_common.contracts.envelope import derive_id

About = Literal["order", "hold"]
OrderCommand = AmendmentRequest | CancelRequest | ReturnRequest

_NAMES: dict[type[OrderCommand], str] = {
    AmendmentRequest: "amend",
    CancelRequest: "cancel",
    ReturnRequest: "return",
}
KINDS: dict[str, type[OrderCommand]] = {name: kind for kind, name in _NAMES.items()}
"""What the body of a command on an order is, by the command's name."""

RELEASE = "release"


@dataclass(frozen=True, slots=True)
class Command:
    """A command that waits.

    Attributes:
        about: What it waits for.
        subject: Its id, with the shop.
        event: The id of the event that it will be; of two equal ones the first waits.
        shop: Who sent it.
        name: What is to be done.
        body: The request as JSON, with the time at which it came where it told none: so it leads to
            the same event whoever delivers it.
        came_at: When it came.
        sequence: Its place among all that wait.
    """

    about: About
    subject: str
    event: str
    shop: str
    name: str
    body: str
    came_at: datetime
    sequence: int = 0

    @property
    def reason(self) -> str:
        """Return why it waits."""
        done = "placed" if self.about == "order" else "held"
        return f"{self.about} {self.subject!r} has not been {done} here"


def command_on_order(shop: str, order: str, request: OrderCommand, now: datetime) -> Command:
    """Return a command that waits for an order.

    Raises:
        Unknown: No order of the shop can ever have that id.
    """
    match request:
        case AmendmentRequest():
            event = orders.amended_id(order, request.revision)
            request = request.model_copy(update={"amended_at": request.amended_at or now})
        case CancelRequest():
            event = orders.cancelled_id(order)
            request = CancelRequest(cancelled_at=request.cancelled_at or now, reason=request.reason)
        case ReturnRequest():
            event = orders.returned_id(orders.shops_id(shop, request.returned))
    body = request.model_dump_json(exclude_none=True)
    return _checked(Command("order", order, event, shop, _NAMES[type(request)], body, now))


def release_of_hold(shop: str, hold: str, now: datetime) -> Command:
    """Return a release that waits for its cart.

    Raises:
        Unknown: No cart of the shop can ever have that id.
    """
    return _checked(Command("hold", hold, released_id(hold), shop, RELEASE, "{}", now))


def released_id(hold: str) -> str:
    """Return the event id of a cart's release."""
    return derive_id("cart-released", hold)


def _checked(command: Command) -> Command:
    if len(command.subject) > len(f"{command.shop}:") + MAX_OWN_CHARACTERS:
        raise Unknown(f"{command.about} {command.subject!r} is not known", field=command.about)
    return command
