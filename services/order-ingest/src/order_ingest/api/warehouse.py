"""What warehouses report of goods, and how and when stock is expected."""

from fastapi import APIRouter, Response

from order_ingest.api.answers import Acceptance, BatchAnswer, accepts
from order_ingest.api.problems import acceptance, batch_answer
from order_ingest.api.reading import Body, DoorRoute
from order_ingest.api.schema import body_of
from order_ingest.domain.requests import (
    AdjustmentRequest,
    CountRequest,
    ExpectedReceiptRequest,
    PolicyRequest,
    ReceiptBatch,
    ReceiptRequest,
    parse,
    parse_batch,
    parse_identifier,
)
from order_ingest.handlers import Accepted, Door


def router(door: Door) -> APIRouter:
    """Return the routes of warehouses."""
    routes = APIRouter(prefix="/v1", tags=["warehouses"], route_class=DoorRoute)

    @routes.post(
        "/receipts",
        status_code=202,
        responses=accepts(Acceptance),
        openapi_extra=body_of(ReceiptRequest),
    )
    async def receive(body: Body) -> Response:
        """Report one delivery; the same receipt counts once."""
        [answer] = await door.goods.receive([parse(ReceiptRequest, body)])
        if isinstance(answer, Accepted):
            return acceptance(answer)
        raise answer

    @routes.post(
        "/receipts:batch",
        status_code=202,
        responses=accepts(BatchAnswer, mixed=True),
        openapi_extra=body_of(ReceiptBatch),
    )
    async def receive_many(body: Body) -> Response:
        """Report up to 1,000 deliveries, each for itself: 202 when all are taken, else 207."""
        requests = parse_batch(ReceiptBatch, ReceiptRequest, "receipts", body)
        return batch_answer(await door.goods.receive(requests))

    @routes.post(
        "/counts",
        status_code=202,
        responses=accepts(Acceptance),
        openapi_extra=body_of(CountRequest),
    )
    async def count(body: Body) -> Response:
        """Report what was counted; it replaces what was thought to be there."""
        return acceptance(await door.goods.count(parse(CountRequest, body)))

    @routes.post(
        "/adjustments",
        status_code=202,
        responses=accepts(Acceptance),
        openapi_extra=body_of(AdjustmentRequest),
    )
    async def adjust(body: Body) -> Response:
        """Report units that changed their condition, were found or are lost; it counts once."""
        return acceptance(await door.goods.adjust(parse(AdjustmentRequest, body)))

    @routes.put(
        "/expected-receipts/{expected:path}",
        status_code=202,
        responses=accepts(Acceptance, 409),
        openapi_extra=body_of(ExpectedReceiptRequest),
    )
    async def expect(expected: str, body: Body) -> Response:
        """Say what a purchase order line will bring and when: preorders are promised from it.

        It stays where it was first expected: of 0 units, nothing more will come of it.
        """
        name = parse_identifier("expected", expected)
        return acceptance(await door.goods.expect(name, parse(ExpectedReceiptRequest, body)))

    @routes.put(
        "/policies/{sku:path}/{location}",
        status_code=202,
        responses=accepts(Acceptance),
        openapi_extra=body_of(PolicyRequest),
    )
    async def set_policy(sku: str, location: str, body: Body) -> Response:
        """Say how a sku is kept at a location: what is left out is as if it had never been set."""
        name, place = parse_identifier("sku", sku), parse_identifier("location", location)
        return acceptance(await door.goods.set_policy(name, place, parse(PolicyRequest, body)))

    return routes
