"""The HTTP doors, under /v1; every error is an RFC 9457 problem."""

from typing import Protocol

from fastapi import FastAPI
from pydantic import SecretStr

from dispatcher.api import deliveries, drivers, plans, reads
from dispatcher.api.deliveries import Deliveries
from dispatcher.api.drivers import Drivers
from restock_common.runtime import problems

__all__ = ["Deliveries", "Drivers", "create_api"]


class Shown(reads.Dispatches, plans.Plans, Protocol):
    """What is shown; the implementation is `store.PostgresDispatches`."""


def create_api(
    door: Deliveries,
    yard: Drivers,
    dispatches: Shown,
    *,
    admin_key: SecretStr | None = None,
) -> FastAPI:
    """Return the API.

    Args:
        door: Takes reports on shipments.
        yard: Takes reports on routes and vehicles.
        dispatches: What is shown of waves, plans, routes and shipments.
        admin_key: What X-API-Key must be to report anything; None turns that off.
    """
    api = FastAPI(
        title="Restock dispatcher",
        summary="Waves, plans, routes and shipments; drivers and carriers report here.",
        version="1",
    )
    problems.install(api)
    api.include_router(deliveries.router(door, admin_key), prefix="/v1")
    api.include_router(drivers.router(yard, admin_key), prefix="/v1")
    api.include_router(plans.router(dispatches), prefix="/v1")
    api.include_router(reads.router(dispatches), prefix="/v1")
    return api
