"""The HTTP doors, under /v1; every error is an RFC 9457 problem."""

from fastapi import FastAPI
from fastapi.routing import APIRoute, APIRouter

from order_ingest.api import (
    catalogue,
    clock,
    customers,
    gaps,
    holds,
    idempotency,
    keys,
    orders,
    problems,
    scans,
    shops,
    transfers,
    warehouse,
    webhooks,
)
from order_ingest.api.answers import EVERYWHERE, refusals
from order_ingest.api.bodies import Limits
from order_ingest.api.reading import Admit, KeyRing, install_guards
from order_ingest.api.schema import describe
from order_ingest.domain.keys import Action
from order_ingest.domain.limits import Limit
from order_ingest.handlers import Answers, Door, Gaps, Keys, Shops, Webhooks

__all__ = ["KeyRing", "Limit", "Limits", "create_api"]


def create_api(
    door: Door,
    known: Keys,
    ring: KeyRing,
    answers: Answers,
    limits: Limits,
    deliveries: Webhooks | None = None,
    known_shops: Shops | None = None,
    known_gaps: Gaps | None = None,
) -> FastAPI:
    """Return the API; `POST /v1/clock` is there only where time is a replay's.

    Args:
        door: What decides and publishes.
        known: The API keys.
        ring: Lets requests in.
        answers: Remembers what was answered under an idempotency key.
        limits: What is borne of bodies.
        deliveries: Takes webhooks; without it there is no door for them.
        known_shops: What is known of shops; goes with `deliveries`.
        known_gaps: What is missing of them; goes with `deliveries`.
    """
    api = FastAPI(
        title="Restock order-ingest",
        summary="Orders, carts, goods, transfers and master data: accepted once they are durable.",
        version="1",
        # Requests are traced by their routes (`DoorRoute`), under the names that Kafka carries on.
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    problems.install(api)
    limits.install(api)
    routers = [
        (Action.ORDERS, orders.router(door, ring)),
        (Action.ORDERS, holds.router(door, ring)),
        (Action.WAREHOUSE, warehouse.router(door)),
        (Action.WAREHOUSE, scans.router(door)),
        (Action.WAREHOUSE, transfers.router(door)),
        (Action.CATALOGUE, catalogue.router(door)),
        (Action.KEYS, keys.router(known, ring)),
        (Action.CUSTOMERS, customers.router(door.customers, ring)),
        (Action.MANIFEST, customers.manifest_router(door.customers, ring)),
    ]
    if door.clock.replay:
        routers.append((Action.CLOCK, clock.router(door)))
    signed = APIRouter()
    if deliveries is not None and known_shops is not None and known_gaps is not None:
        routers.append((Action.SHOPS, shops.router(known_shops, deliveries, ring)))
        routers.append((Action.SHOPS, gaps.router(known_gaps, ring)))
        signed = webhooks.router(deliveries)
        api.include_router(signed, responses=refusals(400, 401, 404, 408, 413, 422, 429, 503))
    whoami = keys.whoami_router(ring)
    keyed: list[tuple[Admit, APIRouter]] = [
        *((ring.may(action).admit, router) for action, router in routers),
        (ring.anybody, whoami),
    ]
    for _, router in keyed:
        api.include_router(router, responses=EVERYWHERE)
    guarded = [*keyed, (ring.stranger, signed)]
    install_guards(
        api, {route.endpoint: admit for admit, router in guarded for route in _routes(router)}
    )
    idempotency.install(api, answers, door.customers.privacy)
    describe(api, without_key=[route.path_format for route in _routes(signed)])
    return api


def _routes(router: APIRouter) -> list[APIRoute]:
    return [route for route in router.routes if isinstance(route, APIRoute)]
