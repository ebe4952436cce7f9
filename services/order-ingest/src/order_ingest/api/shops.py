"""Shops that send webhooks: their settings, their variants, and what is to be read from them."""

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse

from order_ingest.api.answers import (
    DeliveryAnswer,
    ShopAnswer,
    ToFetchAnswer,
    accepts,
    answers,
)
from order_ingest.api.problems import deliveries_answer
from order_ingest.api.reading import Body, CatalogueBody, DoorRoute, KeyRing, SignedBody
from order_ingest.api.schema import body_of, raw_body
from order_ingest.domain.channels import ShopSettings
from order_ingest.domain.findings import Refused
from order_ingest.domain.requests import SkuTable, parse, parse_identifier
from order_ingest.handlers import Shops, Way, Webhooks
from restock_common.runtime.problems import Problem
from restock_common.units import Timestamp


def router(shops: Shops, webhooks: Webhooks, ring: KeyRing) -> APIRouter:
    """Return the routes of shops; each is written with a key of its own."""
    routes = APIRouter(prefix="/v1/shops/{shop}", tags=["shops"], route_class=DoorRoute)

    async def own(shop: str, of_key: Annotated[str, Depends(ring.shop)]) -> str:
        """Return the shop of the address. Raises Problem: 403, the key is another shop's."""
        if shop != of_key:
            raise Problem(HTTPStatus.FORBIDDEN, f"the key is not one of shop {shop!r}")
        return shop

    own_shop = Depends(own)

    @routes.put(
        "",
        status_code=202,
        responses=accepts(ShopAnswer),
        openapi_extra=body_of(ShopSettings),
    )
    async def put(body: Body, shop: Annotated[str, own_shop]) -> Response:
        """Say how a shop sends: channel, secrets, and what its words mean; all of it, each time."""
        await shops.put(shop, _settings(body))
        await webhooks.prepare()
        return JSONResponse({"shop": shop}, HTTPStatus.ACCEPTED)

    @routes.put(
        "/skus",
        status_code=202,
        responses=accepts(ShopAnswer),
        openapi_extra=body_of(SkuTable),
    )
    async def put_skus(body: CatalogueBody, shop: Annotated[str, own_shop]) -> Response:
        """Say what up to 20,000 variants are; those that are not named stay what they were."""
        table = parse(SkuTable, body)
        await shops.put_skus(shop, {key: sku or "" for key, sku in table.skus.items()})
        return JSONResponse({"shop": shop, "skus": len(table.skus)}, HTTPStatus.ACCEPTED)

    @routes.get("/orders-to-fetch", responses=answers(ToFetchAnswer, 200))
    async def to_fetch(shop: Annotated[str, own_shop]) -> Response:
        """Return up to 1,000 orders of which a webhook did not tell enough, the oldest first."""
        asked = await shops.asked(shop)
        told = [
            {"order": one.number, "why": one.why, "asked_at": one.asked_at.isoformat()}
            for one in asked
        ]
        return JSONResponse({"orders": told})

    @routes.post(
        "/deliveries",
        status_code=202,
        responses=accepts(DeliveryAnswer),
        openapi_extra=raw_body(),
    )
    async def deliver(
        request: Request,
        body: SignedBody,
        shop: Annotated[str, own_shop],
        fetched: str | None = None,
        asked_at: Timestamp | None = None,
    ) -> Response:
        """Take a delivery that is not signed: replayed, handed on, or an order that was fetched.

        `fetched` and `asked_at` are an order's, as it stood among those to be fetched: it stands
        there no more, unless another webhook has asked for it since.
        """
        number = None if fetched is None else parse_identifier("fetched", fetched)
        headers = dict(request.headers)
        way = Way.WEBHOOK if number is None else Way.FETCHED
        now = datetime.now(UTC)
        outcomes = await webhooks.deliver(shop, headers, body, now, vouched=True, way=way)
        if number is not None and asked_at is not None:
            await shops.fetched(shop, number, asked_at)
        return deliveries_answer(outcomes)

    return routes


def _settings(body: bytes) -> ShopSettings:
    """Return a shop's settings. Raises Refused, which shows none of its secrets."""
    try:
        return parse(ShopSettings, body)
    except Refused as error:
        raise error.without_values() from None
