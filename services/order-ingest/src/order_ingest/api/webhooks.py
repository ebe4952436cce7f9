"""What shops send of their own accord: signed by the shop, in the shop's own words."""

from datetime import UTC, datetime

from fastapi import APIRouter, Request, Response

from order_ingest.api.answers import DeliveryAnswer, accepts
from order_ingest.api.problems import deliveries_answer
from order_ingest.api.reading import BodyReader, DoorRoute
from order_ingest.api.schema import raw_body
from order_ingest.handlers import Webhooks


def router(webhooks: Webhooks) -> APIRouter:
    """Return the route of webhooks; whose they are the signature tells."""
    routes = APIRouter(prefix="/v1", tags=["webhooks"], route_class=DoorRoute)
    read_signed = BodyReader(media_type=None)

    @routes.post(
        "/webhooks/{shop}",
        status_code=202,
        responses=accepts(DeliveryAnswer),
        openapi_extra=raw_body(),
    )
    async def deliver(shop: str, request: Request) -> Response:
        """Take a delivery: 202 once what it asks for is durable, or set aside, or nothing."""
        headers, body = dict(request.headers), await read_signed(request)
        now = datetime.now(UTC)
        return deliveries_answer(await webhooks.deliver(shop, headers, body, now))

    return routes
