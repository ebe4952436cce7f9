"""API keys over HTTP: a shop makes, rotates and ends its own."""

from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Response
from fastapi.responses import JSONResponse

from order_ingest.api.answers import HolderAnswer, KeysAnswer, NewKeyAnswer, answers
from order_ingest.api.reading import Body, DoorRoute, KeyRing, OptionalBody
from order_ingest.api.schema import body_of
from order_ingest.domain.keys import Action, ApiKey, Holder
from order_ingest.domain.requests import KeyRequest, RotationRequest, parse
from order_ingest.handlers import Keys

KeyId = Annotated[str, Path(pattern=r"^[0-9a-f]{16}$")]


def router(keys: Keys, ring: KeyRing) -> APIRouter:
    """Return the routes of keys; whose they are follows from the key that asks."""
    routes = APIRouter(prefix="/v1", tags=["keys"], route_class=DoorRoute)
    allowed = Depends(ring.may(Action.KEYS))

    @routes.post(
        "/keys",
        status_code=201,
        responses=answers(NewKeyAnswer, 201),
        openapi_extra=body_of(KeyRequest),
    )
    async def issue(body: Body, by: Annotated[Holder, allowed]) -> Response:
        """Make a key for less, or as much, as the key that asks is good for.

        `key` is the key itself: it is told here and never again.
        """
        text, key = await keys.issue(by.shop, parse(KeyRequest, body), by=by)
        return _secret(text, key)

    @routes.get("/keys", responses=answers(KeysAnswer, 200))
    async def show(by: Annotated[Holder, allowed]) -> Response:
        """Show the shop's keys without their secrets, those that have ended too."""
        return JSONResponse({"keys": [described(key) for key in await keys.all(by.shop)]})

    @routes.post(
        "/keys/{key_id}/rotate",
        status_code=201,
        responses=answers(NewKeyAnswer, 201, 409),
        openapi_extra=body_of(RotationRequest, required=False),
    )
    async def rotate(key_id: KeyId, body: OptionalBody, by: Annotated[Holder, allowed]) -> Response:
        """Make the key that follows another one; the old one ends after the overlap."""
        overlap = timedelta(seconds=parse(RotationRequest, body).overlap_s)
        text, key = await keys.rotate(key_id, overlap, by=by)
        return _secret(text, key)

    @routes.delete("/keys/{key_id}", status_code=204, responses=answers(None, 204))
    async def revoke(key_id: KeyId, by: Annotated[Holder, allowed]) -> Response:
        """End a key now: all replicas know within some seconds."""
        await keys.revoke(key_id, by=by)
        return Response(status_code=204)

    return routes


def whoami_router(ring: KeyRing) -> APIRouter:
    """Return the route that any good key may ask."""
    routes = APIRouter(prefix="/v1", tags=["keys"], route_class=DoorRoute)

    @routes.get("/whoami", responses=answers(HolderAnswer, 200))
    async def whoami(by: Annotated[Holder, Depends(ring.anybody)]) -> Response:
        """Tell whose the key is that asks, and what it is good for."""
        return JSONResponse({"shop": by.shop, "actions": sorted(by.actions)})

    return routes


def described(key: ApiKey) -> dict[str, Any]:
    """Return what may be told of a key."""
    return {
        "id": key.id,
        "shop": key.shop,
        "name": key.name,
        "actions": sorted(key.actions),
        "created_at": key.created_at.isoformat(),
        "ends_at": None if key.ends_at is None else key.ends_at.isoformat(),
        "replaces": key.replaces,
        "last_used_at": None if key.last_used_at is None else key.last_used_at.isoformat(),
    }


def _secret(text: str, key: ApiKey) -> Response:
    return JSONResponse({"key": text, **described(key)}, 201, {"Cache-Control": "no-store"})
