"""Who speaks, and what they say: the API key, the body and the trace of a request."""

import time
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Request, Response, Security
from fastapi.routing import APIRoute
from fastapi.security import APIKeyHeader

from order_ingest.api.bodies import JSON, media_type, read_body
from order_ingest.api.idempotency import answered_once
from order_ingest.domain.keys import Action, Holder
from order_ingest.domain.limits import Limit, Room, network_of
from order_ingest.domain.requests import check_depth
from order_ingest.handlers import Keys
from restock_common import tracing
from restock_common.runtime.problems import Problem

MAX_BODY_BYTES = 1_000_000
"""What the door adds to a body must still fit in a record of the ledger (2 MiB)."""

MAX_CATALOGUE_BYTES = 4_194_304
"""5,000 entities of some 200 bytes do not fit in what is enough for orders."""

MAX_WHOLE_CATALOGUE_BYTES = 33_554_432
"""100,000 entities of some 300 bytes."""

WRONG_KEY_COST = 20
"""A request with a wrong key counts as so many of its address."""

_KEY_HEADER = APIKeyHeader(name="X-API-Key", auto_error=False)


Admit = Callable[[Request], Awaitable[Holder | None]]
"""Lets a request in and tells who makes it, or raises; None where no key is asked for."""


def install_guards(api: FastAPI, guards: Mapping[Callable[..., Any], Admit]) -> None:
    """Have requests let in, by what answers them.

    They are no dependencies: FastAPI resolves each of those anew for every request, with all that
    it may need.
    """
    api.state.guards = guards


class DoorRoute(APIRoute):
    """A route that is guarded, traced under the name of its template, and tells its limits."""

    def get_route_handler(self) -> Callable[[Request], Awaitable[Response]]:  # type: ignore[override]
        """Return the handler, inside the span of the request."""
        handle: Any = super().get_route_handler()
        name = f"{' '.join(sorted(self.methods or ()))} {self.path_format}"

        async def guarded(request: Request) -> Response:
            admit: Admit | None = request.app.state.guards.get(self.endpoint)
            with tracing.request_span(name, request.headers.get("traceparent")):
                holder = None if admit is None else await admit(request)
                response = await answered_once(request, handle, holder)
            response.raw_headers.extend(getattr(request.state, "limits", ()))
            return response

        return guarded


class KeyRing:
    """Lets in whoever has a key, as far as the key goes and no faster than the limits allow.

    Args:
        keys: Knows who comes with a key.
        by_key: How many requests one key may make.
        by_address: How many come from one address, with good keys or bad ones.
    """

    def __init__(self, keys: Keys, *, by_key: Limit, by_address: Limit) -> None:
        self._keys = keys
        self._by_key = by_key
        self._by_address = by_address
        self._guards = {action: Guard(self, action) for action in Action}

    def may(self, action: Action) -> "Guard":
        """Return what lets in whoever has a key for an action; as a dependency, who that is.

        Raises:
            Problem: 403, the key is not good for it; and what `holder` raises.
        """
        return self._guards[action]

    async def shop(self, request: Request) -> str:
        """Return the shop of whoever makes a request."""
        return (await self.anybody(request)).shop

    async def anybody(self, request: Request) -> Holder:
        """Return who makes a request, which may have been asked already. Raises as `holder`."""
        known: Holder | None = getattr(request.state, "holder", None)
        if known is None:
            known = await self.holder(request, request.headers.get(_KEY_HEADER.model.name))
        return known

    async def stranger(self, request: Request) -> None:
        """Let in whoever has not sent too much from one network, with or without a key.

        Raises:
            Problem: 429, they have.
        """
        self._network(request)

    def _network(self, request: Request) -> str:
        """Return the network that a request comes from. Raises Problem: 429, it sent too much."""
        network = network_of(request.client.host if request.client else "")
        room = self._by_address.take(network, time.monotonic())
        if not room.allowed:
            raise _too_many("address", self._by_address, room)
        return network

    async def holder(self, request: Request, key: str | None) -> Holder:
        """Return who makes a request.

        Raises:
            Problem: 401, the key is missing or not good; 429, too many requests come with it, or
                from where it comes from.
            Transient: Whose it is cannot be looked up.
        """
        network = self._network(request)
        holder = None if key is None else await self._keys.holder(key)
        if key is None or holder is None:
            self._by_address.charge(network, time.monotonic(), WRONG_KEY_COST - 1)
            raise _not_let_in(
                "the header X-API-Key is missing" if key is None else "X-API-Key is not known"
            )
        room = self._by_key.take(f"{holder.shop} {holder.key_id}", time.monotonic())
        if not room.allowed:
            raise _too_many("key", self._by_key, room)
        told = _limits("key", self._by_key, room)
        request.state.limits = [(name.encode(), value.encode()) for name, value in told.items()]
        request.state.holder = holder
        request.state.still_good = partial(self._still_good, key)
        return holder

    async def _still_good(self, key: str) -> None:
        """Raise Problem, 401, where a key has ended since it let a request in."""
        if await self._keys.holder(key) is None:
            raise _not_let_in("X-API-Key has ended meanwhile")


class Guard:
    """A dependency that lets in whoever has a key for an action.

    Args:
        ring: Knows the keys.
        action: What is asked for.
    """

    def __init__(self, ring: KeyRing, action: Action) -> None:
        self._ring = ring
        self._action = action

    async def __call__(
        self, request: Request, key: Annotated[str | None, Security(_KEY_HEADER)]
    ) -> Holder:
        """Return who makes a request, which may have been asked already.

        Raises:
            Problem: 403, the key is not good for it; and what `KeyRing.holder` raises.
        """
        known: Holder | None = getattr(request.state, "holder", None)
        return self._checked(await self._ring.holder(request, key) if known is None else known)

    async def admit(self, request: Request) -> Holder:
        """Return who makes a request, which nobody has been asked yet. Raises as above."""
        key = request.headers.get(_KEY_HEADER.model.name)
        return self._checked(await self._ring.holder(request, key))

    def _checked(self, holder: Holder) -> Holder:
        if self._action not in holder.actions:
            raise Problem(HTTPStatus.FORBIDDEN, f"this key is not good for {self._action.value}")
        return holder


def _not_let_in(reason: str) -> Problem:
    return Problem(
        HTTPStatus.UNAUTHORIZED,
        reason,
        {"WWW-Authenticate": 'ApiKey header="X-API-Key"'},
    )


def _too_many(name: str, limit: Limit, room: Room) -> Problem:
    return Problem(
        HTTPStatus.TOO_MANY_REQUESTS,
        f"more than {limit.per_s:g} requests a second from this {name}",
        {**_limits(name, limit, room), "Retry-After": str(room.retry_after_s)},
    )


def _limits(name: str, limit: Limit, room: Room) -> dict[str, str]:
    """Return what a sender is told of a limit (draft-ietf-httpapi-ratelimit-headers-10)."""
    window_s = limit.burst / limit.per_s
    return {
        "RateLimit-Policy": f'"{name}";q={limit.burst};w={window_s:.0f}',
        "RateLimit": f'"{name}";r={room.left};t={room.reset_s}',
    }


class BodyReader:
    """Reads a body, as far as its limit.

    What comes after the limit is dropped by the server as it arrives, behind the answer: to close
    the connection at once could reset it before the sender has read why.

    Args:
        limit_bytes: More is refused, and not read.
        optional: Whether it may be missing; then it is an empty object.
        media_type: What it must be said to be; None takes anything.
    """

    def __init__(
        self,
        limit_bytes: int = MAX_BODY_BYTES,
        *,
        optional: bool = False,
        media_type: str | None = JSON,
    ) -> None:
        self._limit_bytes = limit_bytes
        self._media_type = media_type
        self._optional = optional

    async def __call__(self, request: Request) -> bytes:
        """Return the body's bytes.

        Raises:
            Problem: 408, it comes too slowly; 413, it is too large, told from its length or in the
                middle; 415, it is not said to be what it must be.
            Refused: It is nested too deep; told before anything is parsed.
        """
        body = await read_body(request, self._limit_bytes)
        if not body and self._optional:
            return b"{}"
        given = media_type(request)
        if self._media_type is not None and given != self._media_type:
            raise Problem(
                HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
                f"the body must be {self._media_type}, not {given or 'without a Content-Type'}",
                {"Accept": self._media_type},
            )
        check_depth(body)
        return body


Body = Annotated[bytes, Depends(BodyReader())]
OptionalBody = Annotated[bytes, Depends(BodyReader(optional=True))]
SignedBody = Annotated[bytes, Depends(BodyReader(media_type=None))]
"""As it was signed; shops say of their JSON what they like."""
CatalogueBody = Annotated[bytes, Depends(BodyReader(MAX_CATALOGUE_BYTES))]
WholeCatalogueBody = Annotated[bytes, Depends(BodyReader(MAX_WHOLE_CATALOGUE_BYTES))]
