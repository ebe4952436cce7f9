"""Time in a replay: whoever sends the events says how far they have been sent."""

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse

from order_ingest.api.answers import ClockAnswer, accepts
from order_ingest.api.reading import Body, DoorRoute
from order_ingest.api.schema import body_of
from order_ingest.domain.requests import ClockRequest, parse
from order_ingest.handlers import Door


def router(door: Door) -> APIRouter:
    """Return the clock's route."""
    routes = APIRouter(prefix="/v1", tags=["clock"], route_class=DoorRoute)

    @routes.post(
        "/clock",
        status_code=202,
        responses=accepts(ClockAnswer, 409),
        openapi_extra=body_of(ClockRequest),
    )
    async def advance(body: Body) -> Response:
        """Say on every shard that everything before `until` has been sent."""
        until = parse(ClockRequest, body).until
        await door.advance(until)
        return JSONResponse({"until": until.isoformat()}, 202)

    return routes
