"""Webhooks over HTTP: made, shown, given another secret, ended; all of it with the admin key."""

import asyncio
import socket
from http import HTTPStatus
from secrets import token_bytes
from typing import Annotated, Any, Protocol, TypeVar
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends, Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from restock_common.addresses import check_url, is_public
from restock_common.contracts.envelope import as_permanent
from restock_common.errors import Permanent
from restock_common.runtime.admin import admins_only
from restock_common.runtime.problems import Problem
from restock_common.units import LocationId, PoolId, Sku
from stock_ledger.domain.feed import Interest
from stock_ledger.domain.webhooks import (
    MAX_URL_CHARACTERS,
    SECRET_BYTES,
    check_secret,
    secret_of,
)

MAX_BODY_BYTES = 4_194_304
_Names = Field(min_length=1, max_length=10_000)

RequestT = TypeVar("RequestT", bound=BaseModel)
Name = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,64}$")]


class WebhookRequest(BaseModel):
    """A webhook as it is asked for; what is left out stands for all.

    Attributes:
        url: Where messages go: https, and a host on the internet.
        skus: Tell of these skus.
        locations: Tell of these locations.
        pools: Tell of these pools' locations.
        secret: What messages are signed with; one is made where there is none.
    """

    model_config = ConfigDict(extra="forbid")

    url: Annotated[str, Field(max_length=MAX_URL_CHARACTERS)]
    skus: Annotated[list[Sku] | None, _Names] = None
    locations: Annotated[list[LocationId] | None, _Names] = None
    pools: Annotated[list[PoolId] | None, _Names] = None
    secret: str | None = None


class SecretRequest(BaseModel):
    """Another secret for a webhook; one is made where none is given."""

    model_config = ConfigDict(extra="forbid")

    secret: str | None = None


class Webhooks(Protocol):
    """Where webhooks are kept."""

    async def put(
        self, webhook: str, url: str, interest: Interest, *, secret: str | None, fresh: str
    ) -> str | None:
        """Make a webhook and return its secret, or change the one of that name: None."""

    async def rotate(self, webhook: str, secret: str) -> bool:
        """Sign with another secret from now on; False where there is no such webhook."""

    async def get(self, webhook: str) -> dict[str, Any] | None:
        """Return a webhook without its secrets."""

    async def all(self) -> list[dict[str, Any]]:
        """Return every webhook without its secrets."""

    async def delete(self, webhook: str) -> bool:
        """End a webhook; return whether there was one."""


def router(webhooks: Webhooks, *, admin_key: SecretStr | None, allow_private: bool) -> APIRouter:
    """Return the webhooks' routes.

    Args:
        webhooks: Where they are kept.
        admin_key: What X-API-Key must be; None answers 403 to everything.
        allow_private: Whether receivers may be in this network, and without TLS.
    """
    routes = APIRouter(
        prefix="/v1/webhooks",
        tags=["webhooks"],
        dependencies=[Depends(admins_only(admin_key, "webhooks"))],
    )

    @routes.put("/{webhook}", responses={201: {}}, openapi_extra=_body_of(WebhookRequest))
    async def put(webhook: Name, request: Request, response: Response) -> dict[str, Any]:
        """Make a webhook (201; its secret is shown this once) or change it (200)."""
        asked = await _read(request, WebhookRequest)
        await _check_receiver(asked.url, allow_private=allow_private)
        made = await webhooks.put(
            webhook,
            asked.url,
            Interest.of(asked.skus, asked.locations, asked.pools),
            secret=None if asked.secret is None else check_secret(asked.secret),
            fresh=secret_of(token_bytes(SECRET_BYTES)),
        )
        shown = await _shown(webhooks, webhook)
        if made is None:
            return shown
        response.status_code = HTTPStatus.CREATED
        return {**shown, "secret": made}

    @routes.post("/{webhook}/secret", openapi_extra=_body_of(SecretRequest))
    async def rotate(webhook: Name, request: Request) -> dict[str, str]:
        """Sign with another secret, shown this once; the old one signs as well for 24 hours."""
        asked = await _read(request, SecretRequest)
        if asked.secret is None:
            secret = secret_of(token_bytes(SECRET_BYTES))
        else:
            secret = check_secret(asked.secret)
        if not await webhooks.rotate(webhook, secret):
            raise _unknown(webhook)
        return {"webhook": webhook, "secret": secret}

    @routes.get("")
    async def list_all() -> dict[str, Any]:
        """Show every webhook, without secrets."""
        return {"webhooks": await webhooks.all()}

    @routes.get("/{webhook}")
    async def show(webhook: Name) -> dict[str, Any]:
        """Show a webhook and how it fares, without secrets."""
        return await _shown(webhooks, webhook)

    @routes.delete("/{webhook}", status_code=HTTPStatus.NO_CONTENT)
    async def delete(webhook: Name) -> None:
        """End a webhook; what waits for it is not sent."""
        if not await webhooks.delete(webhook):
            raise _unknown(webhook)

    return routes


async def _read(request: Request, kind: type[RequestT]) -> RequestT:
    """Return the body, read here: nobody without the key can make the service hold one."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"more than {MAX_BODY_BYTES} bytes")
    try:
        return kind.model_validate_json(bytes(body) or b"{}")
    except ValidationError as error:
        raise as_permanent(error) from None


async def _check_receiver(url: str, *, allow_private: bool) -> None:
    """Refuse a URL that messages must not go to; each attempt checks its address again.

    Raises:
        Permanent: It is malformed, cannot be resolved, or leads into this network.
    """
    check_url(url, allow_private=allow_private)
    if allow_private:
        return
    host = urlsplit(url).hostname
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Permanent(f"{host!r} cannot be resolved: {error}", field="url") from None
    private = sorted({str(where[0]) for *_, where in found if not is_public(str(where[0]))})
    if private:
        raise Permanent(f"{host!r} leads to {private[0]}, no public address", field="url")


async def _shown(webhooks: Webhooks, webhook: str) -> dict[str, Any]:
    found = await webhooks.get(webhook)
    if found is None:
        raise _unknown(webhook)
    return found


def _unknown(webhook: str) -> Problem:
    return Problem(HTTPStatus.NOT_FOUND, f"there is no webhook {webhook!r}")


def _body_of(kind: type[BaseModel]) -> dict[str, Any]:
    """Return what OpenAPI says of a body that the handler reads itself."""
    schema = {"schema": kind.model_json_schema()}
    return {"requestBody": {"content": {"application/json": schema}}}
