"""The desk: people and suppliers tell what becomes of purchase orders, with the admin key."""

import asyncio
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Any, Protocol
from uuid import uuid4

from fastapi import APIRouter, Depends, Header, Path
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from replenisher.domain.orders import Action, OrderCommand
from replenisher.domain.sending import Channel, check_address, check_secret
from restock_common.addresses import check_url
from restock_common.contracts.envelope import derive_id
from restock_common.runtime.admin import admins_only
from restock_common.runtime.problems import Problem
from restock_common.units import Identifier, Text, Timestamp, Units

_LOOK_EVERY_S = 0.05
PATIENCE_S = 10.0
"""How long an answer waits until the command has been done."""


class Told(BaseModel):
    """What is told of an order.

    Attributes:
        by: Who says so.
        reason: Why.
        lines: Units by order line: what is edited, split off or cancelled.
        expected_at: When the supplier will deliver.
    """

    model_config = ConfigDict(extra="forbid")

    by: Text = "admin"
    reason: Text = ""
    lines: Annotated[dict[Identifier, Units], Field(max_length=500)] = {}
    expected_at: Timestamp | None = None


class Commands(Protocol):
    """Where commands wait until whoever makes the reviews has done them."""

    async def put(self, command: OrderCommand) -> None:
        """Keep a command, once by its id."""

    async def outcome(self, command: str) -> tuple[bool, str | None]:
        """Return whether a command has been done, and why it was refused."""


class Contact(BaseModel):
    """How a supplier gets its orders.

    Attributes:
        channel: By webhook, or by mail.
        target: A URL, or an address.
        secret: What a webhook is signed with: `whsec_` and 24 to 64 bytes in base64.
    """

    model_config = ConfigDict(extra="forbid")

    channel: Channel
    target: Annotated[str, Field(min_length=3, max_length=2_048)]
    secret: SecretStr | None = None


class Contacts(Protocol):
    """Where it is kept how suppliers are reached."""

    async def put_contact(
        self, supplier: str, channel: Channel, target: str, secret: str | None
    ) -> None:
        """Say how a supplier gets its orders from now on."""


class Desk:
    """Takes commands and waits for what becomes of them.

    Args:
        commands: Where they are kept.
        told: Set where one has come.
        admin_key: What X-API-Key must be; None answers 403 to everything.
        contacts: How suppliers are reached.
        allow_private: Whether a supplier's webhook may be in this network, without TLS.
    """

    def __init__(
        self,
        commands: Commands,
        told: asyncio.Event,
        admin_key: SecretStr | None,
        contacts: Contacts,
        *,
        allow_private: bool,
    ) -> None:
        self._commands = commands
        self._told = told
        self.admin_key = admin_key
        self._contacts = contacts
        self._allow_private = allow_private

    async def reach(self, supplier: str, contact: Contact) -> None:
        """Send a supplier its orders as told from now on. Raises Permanent where that cannot be."""
        secret = None if contact.secret is None else contact.secret.get_secret_value()
        if contact.channel is Channel.WEBHOOK:
            check_url(contact.target, allow_private=self._allow_private, field="target")
            check_secret(secret or "")
        else:
            check_address(contact.target)
            secret = None
        await self._contacts.put_contact(supplier, contact.channel, contact.target, secret)

    async def do(self, command: OrderCommand) -> bool:
        """Have a command done; return whether that has happened within the patience.

        Raises:
            Problem: It was refused.
        """
        await self._commands.put(command)
        self._told.set()
        try:
            async with asyncio.timeout(PATIENCE_S):
                while True:
                    done, refusal = await self._commands.outcome(command.command)
                    if done:
                        break
                    await asyncio.sleep(_LOOK_EVERY_S)
        except TimeoutError:
            return False
        if refusal is not None:
            raise Problem(HTTPStatus.CONFLICT, refusal)
        return True


def router(desk: Desk) -> APIRouter:
    """Return the desk's routes."""
    routes = APIRouter(
        tags=["desk"], dependencies=[Depends(admins_only(desk.admin_key, "purchase orders"))]
    )

    @routes.post("/v1/purchase-orders/{purchase_order}/{action}", responses={202: {}, 409: {}})
    async def tell(
        purchase_order: Annotated[Identifier, Path()],
        action: Action,
        told: Told,
        idempotency_key: Annotated[Identifier | None, Header()] = None,
    ) -> dict[str, Any]:
        """Approve, reject, edit, split, acknowledge, cancel, or close an order that came short.

        The same Idempotency-Key counts once. `done` is false where nobody has come to it yet.
        """
        given = idempotency_key or str(uuid4())
        command = OrderCommand(
            command=derive_id("desk", purchase_order, action.value, given),
            purchase_order=purchase_order,
            action=action,
            by=told.by,
            reason=told.reason,
            lines=told.lines,
            expected_at=told.expected_at,
            at=datetime.now(UTC),
        )
        return {"command": command.command, "done": await desk.do(command)}

    @routes.put("/v1/suppliers/{supplier}/contact", status_code=HTTPStatus.NO_CONTENT)
    async def contact(supplier: Annotated[Identifier, Path()], told: Contact) -> None:
        """Say how a supplier gets its orders: those that are placed from now on."""
        await desk.reach(supplier, told)

    return routes
