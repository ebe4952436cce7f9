"""Transfers between locations: ordered, shipped, received, called off."""

from fastapi import APIRouter, Response

from order_ingest.api.answers import Acceptance, accepts
from order_ingest.api.problems import acceptance
from order_ingest.api.reading import Body, DoorRoute
from order_ingest.api.schema import body_of
from order_ingest.domain.requests import (
    TransferReceiptRequest,
    TransferRequest,
    TransferShipmentRequest,
    parse,
    parse_identifier,
)
from order_ingest.handlers import Door


def router(door: Door) -> APIRouter:
    """Return the routes of transfers."""
    routes = APIRouter(prefix="/v1", tags=["transfers"], route_class=DoorRoute)

    @routes.post(
        "/transfers",
        status_code=202,
        responses=accepts(Acceptance, 409),
        openapi_extra=body_of(TransferRequest),
    )
    async def order(body: Body) -> Response:
        """Order a transfer, of one pool or between two: its source reserves what it has."""
        return acceptance(await door.transfers.order(parse(TransferRequest, body)))

    @routes.post(
        "/transfers/{transfer:path}/shipments",
        status_code=202,
        responses=accepts(Acceptance),
        openapi_extra=body_of(TransferShipmentRequest),
    )
    async def ship(transfer: str, body: Body) -> Response:
        """Report what left the source; the same shipment counts once."""
        name = parse_identifier("transfer", transfer)
        return acceptance(await door.transfers.ship(name, parse(TransferShipmentRequest, body)))

    @routes.post(
        "/transfers/{transfer:path}/receipts",
        status_code=202,
        responses=accepts(Acceptance),
        openapi_extra=body_of(TransferReceiptRequest),
    )
    async def receive(transfer: str, body: Body) -> Response:
        """Report what arrived at the target; the same receipt counts once."""
        name = parse_identifier("transfer", transfer)
        return acceptance(await door.transfers.receive(name, parse(TransferReceiptRequest, body)))

    @routes.delete("/transfers/{transfer:path}", status_code=202, responses=accepts(Acceptance))
    async def cancel(transfer: str) -> Response:
        """Call off what has not left."""
        return acceptance(await door.transfers.cancel(parse_identifier("transfer", transfer)))

    return routes
