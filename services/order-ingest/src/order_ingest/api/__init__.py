"""The HTTP doors, under /v1; every error is an RFC 9457 problem."""

from collections.abc import Mapping

from fastapi import Depends, FastAPI

from order_ingest.api import (
    catalogue,
    clock,
    holds,
    idempotency,
    orders,
    problems,
    transfers,
    warehouse,
)
from order_ingest.api.bodies import Limits
from order_ingest.api.reading import KeyRing
from order_ingest.api.schema import describe
from order_ingest.handlers import Answers, Door

__all__ = ["Limits", "create_api"]


def create_api(
    door: Door, shops_by_key: Mapping[str, str], answers: Answers, limits: Limits
) -> FastAPI:
    """Return the API; `POST /v1/clock` is there only where time is a replay's.

    Args:
        door: What decides and publishes.
        shops_by_key: The shop that each API key stands for.
        answers: Remembers what was answered under an idempotency key.
        limits: What is borne of bodies.
    """
    api = FastAPI(
        title="Restock order-ingest",
        summary="Orders, carts, goods, transfers and master data: accepted once they are durable.",
        version="1",
        # Requests are traced by their routes (`DoorRoute`), under the names that Kafka carries on.
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    problems.install(api)
    keys = KeyRing(shops_by_key)
    limits.install(api)
    idempotency.install(api, answers, keys.shop)
    routers = [
        orders.router(door, keys),
        holds.router(door, keys),
        warehouse.router(door),
        transfers.router(door),
        catalogue.router(door),
    ]
    if door.clock.replay:
        routers.append(clock.router(door))
    for router in routers:
        api.include_router(router, dependencies=[Depends(keys.shop)])
    describe(api)
    return api
