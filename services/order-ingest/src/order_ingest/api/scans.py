"""Scanners over HTTP."""

from fastapi import APIRouter, Response

from order_ingest.api.answers import Acceptance, BatchAnswer, accepts
from order_ingest.api.problems import acceptance, batch_answer
from order_ingest.api.reading import Body, DoorRoute
from order_ingest.api.schema import body_of
from order_ingest.domain.requests import ScanBatch, ScanRequest, parse, parse_batch
from order_ingest.handlers import Accepted, Door


def router(door: Door) -> APIRouter:
    """Return the routes of scanners."""
    routes = APIRouter(prefix="/v1", tags=["devices"], route_class=DoorRoute)

    @routes.post(
        "/scans", status_code=202, responses=accepts(Acceptance), openapi_extra=body_of(ScanRequest)
    )
    async def scan(body: Body) -> Response:
        """Take one scan, a count or a receipt; the same device and sequence count once."""
        [answer] = await door.scans.take([parse(ScanRequest, body)])
        if isinstance(answer, Accepted):
            return acceptance(answer)
        raise answer

    @routes.post(
        "/scans:batch",
        status_code=202,
        responses=accepts(BatchAnswer, mixed=True),
        openapi_extra=body_of(ScanBatch),
    )
    async def scan_many(body: Body) -> Response:
        """Take up to 1,000 scans, each for itself: 202 when all are taken, else 207."""
        requests = parse_batch(ScanBatch, ScanRequest, "scans", body)
        return batch_answer(await door.scans.take(requests))

    return routes
