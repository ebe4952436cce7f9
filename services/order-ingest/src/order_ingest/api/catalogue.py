"""Master data: two routes for each kind, for one entity and up to 5,000; one for all kinds."""

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse

from order_ingest.api.answers import Acceptance, CatalogueAnswer, EntitiesAnswer, accepts
from order_ingest.api.problems import acceptance, accepted
from order_ingest.api.reading import Body, CatalogueBody, DoorRoute, WholeCatalogueBody
from order_ingest.api.schema import body_of
from order_ingest.domain.requests import (
    KINDS,
    CatalogueRequest,
    EntityBatch,
    parse,
    parse_entities,
    parse_entity,
)
from order_ingest.handlers import Door
from restock_common.contracts.catalogue import CatalogueEntity


def router(door: Door) -> APIRouter:
    """Return the routes of master data."""
    routes = APIRouter(prefix="/v1", tags=["master data"], route_class=DoorRoute)
    for name, kind in KINDS.items():
        _add(routes, door, name, kind)

    @routes.put(
        "/catalogue",
        status_code=202,
        responses=accepts(CatalogueAnswer, 409),
        openapi_extra=body_of(CatalogueRequest),
    )
    async def put_all(body: WholeCatalogueBody) -> Response:
        """Write entities of several kinds, all or none; they may refer to each other."""
        request = parse(CatalogueRequest, body)
        told = {name: getattr(request, name) for name in KINDS}
        entities = [entity for some in told.values() for entity in some]
        places = [f"{name}.{index}." for name, some in told.items() for index in range(len(some))]
        await door.entities.put(entities, places=places)
        return JSONResponse({"accepted": {name: len(some) for name, some in told.items()}}, 202)

    return routes


def _add(routes: APIRouter, door: Door, name: str, kind: type[CatalogueEntity]) -> None:
    @routes.put(
        f"/{name}/{{entity:path}}",
        status_code=202,
        responses=accepts(Acceptance, 409),
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
        responses=accepts(EntitiesAnswer, 409),
        name=f"put many {name}",
        openapi_extra=body_of(EntityBatch[kind]),  # type: ignore[valid-type]
    )
    async def put_many(body: CatalogueBody) -> Response:
        """Write up to 5,000 entities, all or none."""
        entities = parse_entities(kind, body)
        places = [f"items.{index}." for index in range(len(entities))]
        answers = await door.entities.put(entities, places=places)
        return JSONResponse({"items": [accepted(answer) for answer in answers]}, 202)
