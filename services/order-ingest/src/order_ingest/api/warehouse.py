"""What warehouses report: deliveries that arrived, and what was counted on the shelves."""

from fastapi import APIRouter, Response

from order_ingest.api.problems import acceptance, batch_answer
from order_ingest.api.reading import Body, DoorRoute
from order_ingest.api.schema import body_of
from order_ingest.domain.requests import (
    CountRequest,
    ReceiptBatch,
    ReceiptRequest,
    parse,
    parse_batch,
)
from order_ingest.handlers import Accepted, Door


def router(door: Door) -> APIRouter:
    """Return the routes of warehouses."""
    routes = APIRouter(prefix="/v1", tags=["warehouses"], route_class=DoorRoute)

    @routes.post("/receipts", status_code=202, openapi_extra=body_of(ReceiptRequest))
    async def receive(body: Body) -> Response:
        """Report one delivery; the same receipt counts once."""
        [answer] = await door.receive([parse(ReceiptRequest, body)])
        if isinstance(answer, Accepted):
            return acceptance(answer)
        raise answer

    @routes.post("/receipts:batch", status_code=202, openapi_extra=body_of(ReceiptBatch))
    async def receive_many(body: Body) -> Response:
        """Report up to 1,000 deliveries, each for itself: 202 when all are taken, else 207."""
        requests = parse_batch(ReceiptBatch, ReceiptRequest, "receipts", body)
        return batch_answer(await door.receive(requests))

    @routes.post("/counts", status_code=202, openapi_extra=body_of(CountRequest))
    async def count(body: Body) -> Response:
        """Report what was counted; it replaces what was thought to be there."""
        return acceptance(await door.count(parse(CountRequest, body)))

    return routes
