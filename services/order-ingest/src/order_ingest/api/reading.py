"""Who speaks, and what they say: the API key, the body and the trace of a request."""

from collections.abc import Awaitable, Callable, Mapping
from hmac import compare_digest
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import Depends, Request, Response, Security
from fastapi.routing import APIRoute
from fastapi.security import APIKeyHeader

from order_ingest.api.bodies import JSON, media_type, read_body
from order_ingest.api.idempotency import answered_once
from restock_common import telemetry
from restock_common.runtime.problems import Problem

MAX_BODY_BYTES = 1_000_000
"""What the door adds to a body must still fit in a record of the ledger (2 MiB)."""

MAX_CATALOGUE_BYTES = 4_194_304
"""5,000 entities of some 200 bytes do not fit in what is enough for orders."""

_KEY_HEADER = APIKeyHeader(name="X-API-Key", auto_error=False)


class DoorRoute(APIRoute):
    """A route whose requests are traced, under the name of its template."""

    def get_route_handler(self) -> Callable[[Request], Awaitable[Response]]:  # type: ignore[override]
        """Return the handler, inside the span of the request."""
        handle: Any = super().get_route_handler()
        name = f"{' '.join(sorted(self.methods or ()))} {self.path_format}"

        async def traced(request: Request) -> Response:
            with telemetry.request_span(name, request.headers.get("traceparent")):
                return await answered_once(request, handle)

        return traced


class KeyRing:
    """Knows the shop by its key.

    Args:
        shops_by_key: The shop of each key.
    """

    def __init__(self, shops_by_key: Mapping[str, str]) -> None:
        self._shops = [(key.encode(), shop) for key, shop in shops_by_key.items()]

    async def shop(self, key: Annotated[str | None, Security(_KEY_HEADER)]) -> str:
        """Return the shop that the request's key stands for, compared in constant time.

        Raises:
            Problem: 401, the key is missing or not known.
        """
        given = (key or "").encode()
        matches = [shop for known, shop in self._shops if compare_digest(known, given)]
        if not matches:
            raise Problem(
                HTTPStatus.UNAUTHORIZED,
                "the header X-API-Key is missing" if key is None else "X-API-Key is not known",
                {"WWW-Authenticate": 'ApiKey header="X-API-Key"'},
            )
        return matches[0]


class BodyReader:
    """Reads a JSON body, as far as its limit.

    What comes after the limit is dropped by the server as it arrives, behind the answer: to close
    the connection at once could reset it before the sender has read why.

    Args:
        limit_bytes: More is refused, and not read.
        optional: Whether it may be missing; then it is an empty object.
    """

    def __init__(self, limit_bytes: int = MAX_BODY_BYTES, *, optional: bool = False) -> None:
        self._limit_bytes = limit_bytes
        self._optional = optional

    async def __call__(self, request: Request) -> bytes:
        """Return the body's bytes.

        Raises:
            Problem: 408, it comes too slowly; 413, it is too large, told from its length or in the
                middle; 415, it is not said to be JSON.
        """
        body = await read_body(request, self._limit_bytes)
        if not body and self._optional:
            return b"{}"
        given = media_type(request)
        if given != JSON:
            raise Problem(
                HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
                f"the body must be {JSON}, not {given or 'without a Content-Type'}",
                {"Accept": JSON},
            )
        return body


Body = Annotated[bytes, Depends(BodyReader())]
OptionalBody = Annotated[bytes, Depends(BodyReader(optional=True))]
CatalogueBody = Annotated[bytes, Depends(BodyReader(MAX_CATALOGUE_BYTES))]
