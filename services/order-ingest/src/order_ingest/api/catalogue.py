"""Master data: each kind has the same two routes, for one entity and for up to 5,000."""

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse

from order_ingest.api.problems import acceptance, accepted
from order_ingest.api.reading import Body, CatalogueBody, DoorRoute
from order_ingest.api.schema import KINDS, body_of
from order_ingest.domain.requests import EntityBatch, parse_entities, parse_entity
from order_ingest.handlers import Door
from restock_common.contracts.catalogue import CatalogueEntity


def router(door: Door) -> APIRouter:
    """Return the routes of master data."""
    routes = APIRouter(prefix="/v1", tags=["master data"], route_class=DoorRoute)
    for name, kind in KINDS.items():
        _add(routes, door, name, kind)
    return routes


def _add(routes: APIRouter, door: Door, name: str, kind: type[CatalogueEntity]) -> None:
    @routes.put(
        f"/{name}/{{entity:path}}",
        status_code=202,
        name=f"put one of {name}",
        openapi_extra=body_of(kind),
    )
    async def put_one(entity: str, body: Body) -> Response:
        """Write one entity; its id stands in the address, and may stand in the body."""
        [answer] = await door.entities.put([parse_entity(kind, body, entity)])
        return acceptance(answer)

    @routes.put(
        f"/{name}:batch",
        status_code=202,
        name=f"put many {name}",
        openapi_extra=body_of(EntityBatch[kind]),  # type: ignore[valid-type]
    )
    async def put_many(body: CatalogueBody) -> Response:
        """Write up to 5,000 entities, all or none."""
        answers = await door.entities.put(parse_entities(kind, body), at="items.{}.")
        return JSONResponse({"items": [accepted(answer) for answer in answers]}, 202)
