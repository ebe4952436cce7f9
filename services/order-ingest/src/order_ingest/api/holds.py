"""Carts: units are kept for a while, and let go."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from order_ingest.api.answers import Acceptance, accepts
from order_ingest.api.problems import acceptance
from order_ingest.api.reading import Body, DoorRoute, KeyRing
from order_ingest.api.schema import body_of
from order_ingest.domain.requests import HoldRequest, parse, parse_identifier
from order_ingest.handlers import Door


def router(door: Door, keys: KeyRing) -> APIRouter:
    """Return the routes of carts; whose they are follows from the key."""
    routes = APIRouter(prefix="/v1", tags=["carts"], route_class=DoorRoute)
    shop_of_key = Depends(keys.shop)

    @routes.post(
        "/holds",
        status_code=202,
        responses=accepts(Acceptance, 409),
        openapi_extra=body_of(HoldRequest),
    )
    async def hold(body: Body, shop: Annotated[str, shop_of_key]) -> Response:
        """Ask to keep units for a cart: whether they are there, the ledger's API tells at `state`.

        An order that cites the hold takes its units first. Nobody has to release one: it expires.
        """
        return acceptance(await door.holds.hold(shop, parse(HoldRequest, body)))

    @routes.delete("/holds/{hold:path}", status_code=202, responses=accepts(Acceptance))
    async def release(hold: str, shop: Annotated[str, shop_of_key]) -> Response:
        """Let all units of a cart go, by the shop's own id of it."""
        return acceptance(await door.holds.release(shop, parse_identifier("hold", hold)))

    return routes
