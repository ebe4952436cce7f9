"""Orders: placed one by one or in batches, amended, called off, given back."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import StreamingResponse

from order_ingest.api import bulk
from order_ingest.api.answers import Acceptance, BatchAnswer, accepts
from order_ingest.api.bodies import NDJSON, limits_of, media_type, read_body
from order_ingest.api.problems import acceptance, batch_answer
from order_ingest.api.reading import Body, BodyReader, DoorRoute, KeyRing, OptionalBody
from order_ingest.api.schema import body_of
from order_ingest.domain.requests import (
    AmendmentRequest,
    CancelRequest,
    OrderBatch,
    OrderRequest,
    ReturnRequest,
    parse,
    parse_batch,
    parse_identifier,
)
from order_ingest.handlers import Accepted, Door


def router(door: Door, keys: KeyRing) -> APIRouter:
    """Return the routes of orders; whose they are follows from the key.

    The first two read for themselves what others have injected: they are asked most by far, and
    each dependency is resolved anew for every request.
    """
    routes = APIRouter(prefix="/v1", tags=["orders"], route_class=DoorRoute)
    shop_of_key = Depends(keys.shop)
    read_json = BodyReader()

    @routes.post(
        "/orders",
        status_code=202,
        responses=accepts(Acceptance, 409),
        openapi_extra=body_of(OrderRequest),
    )
    async def place_order(request: Request) -> Response:
        """Place one order: 202 once it is durable, the same answer to every repeat of it."""
        shop, body = await keys.shop(request), await read_json(request)
        [answer] = await door.place(shop, [parse(OrderRequest, body)])
        if isinstance(answer, Accepted):
            return acceptance(answer)
        raise answer

    @routes.post(
        "/orders:batch",
        status_code=202,
        responses=accepts(BatchAnswer, mixed=True),
        openapi_extra=bulk.DESCRIPTION,
    )
    async def place_orders(request: Request) -> Response:
        """Place up to 1,000 orders, each for itself: 202 when all are taken, else 207.

        As NDJSON any number of orders, one a line, answered line by line and in order.
        """
        shop = await keys.shop(request)
        if media_type(request) == NDJSON:
            lines = await read_body(request, limits_of(request).bulk_bytes)
            answers = bulk.answer_lines(request, door, shop, lines)
            return StreamingResponse(answers, HTTPStatus.OK, media_type=NDJSON)
        requests = parse_batch(OrderBatch, OrderRequest, "orders", await read_json(request))
        return batch_answer(await door.place(shop, requests))

    @routes.post(
        "/orders/{order:path}/cancel",
        status_code=202,
        responses=accepts(Acceptance),
        openapi_extra=body_of(CancelRequest, required=False),
    )
    async def cancel_order(
        order: str, body: OptionalBody, shop: Annotated[str, shop_of_key]
    ) -> Response:
        """Call a whole order off, by the shop's own number of it or by its id."""
        number = parse_identifier("order", order)
        return acceptance(await door.orders.cancel(shop, number, parse(CancelRequest, body)))

    @routes.post(
        "/orders/{order:path}/amendments",
        status_code=202,
        responses=accepts(Acceptance),
        openapi_extra=body_of(AmendmentRequest),
    )
    async def amend_order(order: str, body: Body, shop: Annotated[str, shop_of_key]) -> Response:
        """Say what an order is to be from now on: every line, in absolute quantities."""
        number = parse_identifier("order", order)
        return acceptance(await door.orders.amend(shop, number, parse(AmendmentRequest, body)))

    @routes.post(
        "/returns",
        status_code=202,
        responses=accepts(Acceptance),
        openapi_extra=body_of(ReturnRequest),
    )
    async def give_back(body: Body, shop: Annotated[str, shop_of_key]) -> Response:
        """Report shipped units that came back, and what is sent instead; it counts once."""
        return acceptance(await door.orders.give_back(shop, parse(ReturnRequest, body)))

    return routes
