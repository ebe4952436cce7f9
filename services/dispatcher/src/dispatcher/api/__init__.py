"""The HTTP doors, under /v1; every error is an RFC 9457 problem."""

from fastapi import FastAPI

from dispatcher.api import deliveries, reads
from dispatcher.api.deliveries import Deliveries
from restock_common.runtime import problems

__all__ = ["Deliveries", "create_api"]


def create_api(door: Deliveries, dispatches: reads.Dispatches) -> FastAPI:
    """Return the API.

    Args:
        door: Takes the carriers' confirmations.
        dispatches: What is shown of waves, routes and shipments.
    """
    api = FastAPI(
        title="Restock dispatcher",
        summary="Waves, routes and shipments; carriers confirm deliveries here.",
        version="1",
    )
    problems.install(api)
    api.include_router(deliveries.router(door), prefix="/v1")
    api.include_router(reads.router(dispatches), prefix="/v1")
    return api
