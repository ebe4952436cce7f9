"""People: told to drivers, and forgotten."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response
from fastapi.responses import JSONResponse

from order_ingest.api.answers import ManifestAnswer, answers
from order_ingest.api.reading import Body, DoorRoute, KeyRing
from order_ingest.api.schema import body_of
from order_ingest.domain.keys import Action, Holder
from order_ingest.domain.requests import ManifestRequest, parse, parse_identifier
from order_ingest.handlers import Customers, Delivery


def manifest_router(customers: Customers, ring: KeyRing) -> APIRouter:
    """Return the route that drivers' manifests are made with."""
    routes = APIRouter(prefix="/v1", tags=["customers"], route_class=DoorRoute)
    allowed = Depends(ring.may(Action.MANIFEST))

    @routes.post(
        "/manifest",
        responses=answers(ManifestAnswer, 200),
        openapi_extra=body_of(ManifestRequest),
    )
    async def manifest(body: Body, by: Annotated[Holder, allowed]) -> Response:
        """Tell who gets orders of the shop: `recipient` is null where nobody may know any more."""
        told = await customers.manifest(parse(ManifestRequest, body), by)
        answer = {
            "orders": [{"order": order, **_told(found)} for order, found in told.orders],
            "customers": [{"customer": token, **_told(found)} for token, found in told.customers],
        }
        return JSONResponse(answer, headers={"Cache-Control": "no-store"})

    return routes


def router(customers: Customers, ring: KeyRing) -> APIRouter:
    """Return the route by which customers are forgotten."""
    routes = APIRouter(prefix="/v1", tags=["customers"], route_class=DoorRoute)
    allowed = Depends(ring.may(Action.CUSTOMERS))

    @routes.delete("/customers/{ref:path}", status_code=204, responses=answers(None, 204))
    async def erase(ref: str, by: Annotated[Holder, allowed]) -> Response:
        """Forget a customer, by the shop's own number of them or by token; it can be repeated.

        Their key is destroyed, so that nothing of them can be read again. Their next order begins
        anew.
        """
        await customers.erase(parse_identifier("ref", ref), by)
        return Response(status_code=204)

    return routes


def _told(found: Delivery | None) -> dict[str, Any]:
    if found is None:
        return {"recipient": None}
    recipient = found.recipient
    return {
        "order": found.order,
        "customer": found.token,
        "recipient": None if recipient is None else recipient.model_dump(exclude_none=True),
    }
