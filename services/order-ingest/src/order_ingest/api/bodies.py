"""Bodies as they come in: never more than asked for, and never slower than can be borne."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus

from fastapi import FastAPI, Request

from restock_common.runtime.problems import Problem

JSON = "application/json"
NDJSON = "application/x-ndjson"

StillGood = Callable[[], Awaitable[None]]
"""Asks again whether the key of a request is good, and raises where it is not any more."""

_SLOWEST_BYTES_PER_S = 65_536
_MOMENT_S = 0.5
_BYTES_A_MOMENT = 4_096
"""The patience that fewer give is not worth a timer: most orders are smaller."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What is borne of a body.

    Attributes:
        silence_s: How long its sender may be silent in sum, beside a second for each 64 KiB.
        bulk_bytes: The largest body of orders as NDJSON.
    """

    silence_s: float = 10.0
    bulk_bytes: int = 33_554_432

    def install(self, api: FastAPI) -> None:
        """Have all bodies of an API held to these limits."""
        api.state.limits = self


def limits_of(request: Request) -> Limits:
    """Return what is borne."""
    limits: Limits = request.app.state.limits
    return limits


def media_type(request: Request) -> str:
    """Return what the body is said to be, without parameters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def read_body(request: Request, limit_bytes: int) -> bytes:
    """Return a body's bytes.

    It may come for minutes, and the key that it came with may have ended since. Whoever was let in
    by one has left on the request how to ask again.

    Raises:
        Problem: 408, it comes too slowly; 413, it is too large; 401, its key has ended.
        Transient: Whether it has cannot be looked up.
    """
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced[:20]) > limit_bytes:
        raise _too_large(limit_bytes)
    body = bytearray()
    silence_s = limits_of(request).silence_s
    clock = asyncio.get_running_loop().time
    began = clock()
    waited_for = 0
    try:
        async with asyncio.timeout(silence_s) as patience:
            async for chunk in request.stream():
                body += chunk
                if len(body) > limit_bytes:
                    raise _too_large(limit_bytes)
                if len(body) - waited_for > _BYTES_A_MOMENT:
                    waited_for = len(body)
                    patience.reschedule(began + silence_s + waited_for / _SLOWEST_BYTES_PER_S)
    except TimeoutError:
        raise Problem(
            HTTPStatus.REQUEST_TIMEOUT,
            f"only {len(body)} bytes of the body came in time",
            {"Connection": "close"},  # what is still to come is not waited for
        ) from None
    still_good: StillGood | None = getattr(request.state, "still_good", None)
    if still_good is not None and clock() - began > _MOMENT_S:
        await still_good()
    return bytes(body)


def _too_large(limit_bytes: int) -> Problem:
    return Problem(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        f"the body is larger than {limit_bytes} bytes: send it in parts",
    )
