"""Drivers and yards report on routes and vehicles: who is late, who cannot drive, who is back."""

from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Protocol

from fastapi import APIRouter, Depends
from pydantic import Field, SecretStr

from dispatcher.api.deliveries import Body, Deciding, Shipments
from dispatcher.domain.delivery import CLOCKS_DIFFER_BY
from dispatcher.domain.route import Route, RouteState
from dispatcher.handlers import DelayReported, VehicleAbsent, VehicleBack
from restock_common.contracts.catalogue import Catalogue
from restock_common.contracts.envelope import Message, derive_id
from restock_common.contracts.event import Event
from restock_common.contracts.topics import FULFILMENT
from restock_common.kafka import partition_of
from restock_common.runtime.admin import admins_only
from restock_common.runtime.problems import Problem
from restock_common.transact import Partition
from restock_common.units import Identifier, Text, Timestamp

_SOURCE = "/restock/dispatcher/drivers"


class Late(Body):
    """How late a route is, against what was planned; the same told again changes nothing."""

    late_minutes: Annotated[float, Field(ge=0, le=24 * 60)]
    reported_at: Timestamp


class Out(Body):
    """From when on a vehicle cannot drive, until when where that is known, and why."""

    since: Timestamp
    until: Timestamp | None = None
    reason: Annotated[Text, Field(min_length=1)]


class Back(Body):
    """From when on a vehicle can drive again."""

    at: Timestamp


class MasterData(Protocol):
    """Where the catalogue is looked up; the implementation is `runtime.CatalogueReader`."""

    catalogue: Catalogue


class Drivers:
    """Takes reports on routes and vehicles, and has them decided.

    Args:
        stream: Decides them on the partition of their warehouse.
        known: The routes.
        master_data: The vehicles.
    """

    def __init__(self, stream: Deciding, known: Shipments, master_data: MasterData) -> None:
        self._stream = stream
        self._known = known
        self._master_data = master_data

    async def late(self, name: str, told: Late) -> None:
        """Note that a route is late: on the road it arrives later, else its vehicle leaves later.

        Raises:
            Problem: The route is not known, or was cancelled; or the time is in the future.
        """
        route = (await self._known.routes_by_id([name])).get(name)
        if route is None:
            raise Problem(HTTPStatus.NOT_FOUND, f"route {name!r} is not known")
        if route.state is RouteState.CANCELLED:
            raise Problem(HTTPStatus.CONFLICT, f"route {name!r} was cancelled")
        await self._check_time(route.location, told.reported_at, "reported_at")
        if route.state is RouteState.DEPARTED:
            late_s = round(told.late_minutes * 60)
            event: Event = DelayReported(route=name, location=route.location, late_s=late_s)
        else:
            event = _leaves_later(route, told)
        await self._decide(route.location, event, told.reported_at)

    async def out(self, vehicle: str, told: Out) -> None:
        """Take a vehicle out. Raises Problem where it is not known, or the times are not times."""
        location = self._home_of(vehicle)
        if told.until is not None and told.until <= told.since:
            reason = f"until {told.until.isoformat()} is not after since {told.since.isoformat()}"
            raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, reason)
        event = VehicleAbsent(
            vehicle=vehicle,
            location=location,
            since=told.since,
            until=told.until,
            reason=told.reason,
        )
        await self._decide(location, event, told.since)

    async def back(self, vehicle: str, told: Back) -> None:
        """Let a vehicle drive again. Raises Problem where it is not known."""
        location = self._home_of(vehicle)
        event = VehicleBack(vehicle=vehicle, location=location, at=told.at)
        await self._decide(location, event, told.at)

    def _home_of(self, vehicle: str) -> str:
        found = self._master_data.catalogue.vehicles.get(vehicle)
        if found is None:
            raise Problem(HTTPStatus.NOT_FOUND, f"vehicle {vehicle!r} is not in the catalogue")
        return found.location

    async def _check_time(self, location: str, at: datetime, name: str) -> None:
        marks = (await self._known.marks([location]))[location]
        latest = max(marks.values(), default=None)
        if latest is not None and at > latest + CLOCKS_DIFFER_BY:
            reason = f"{name} {at.isoformat()} is in the future: it is {latest.isoformat()}"
            raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, reason)

    async def _decide(self, location: str, event: Event, at: datetime) -> None:
        number = partition_of(FULFILMENT.name, location.encode())
        cause = derive_id(type(event).__name__, event.model_dump_json())
        message = Message(id=cause, source=_SOURCE, time=at, event=event)
        await self._stream.act(Partition(FULFILMENT.name, number), [message])


def router(door: Drivers, admin_key: SecretStr | None) -> APIRouter:
    """Return the routes on which drivers and yards tell of delays and vehicles."""
    guard = Depends(admins_only(admin_key, "reports of drivers"))
    routes = APIRouter(tags=["drivers"], dependencies=[guard])

    @routes.post("/routes/{route}/late", status_code=HTTPStatus.ACCEPTED)
    async def late(route: Identifier, body: Late) -> dict[str, str]:
        """Tell that a route is late: customers are expected later, and see it."""
        await door.late(route, body)
        return {"route": route}

    @routes.post("/vehicles/{vehicle}/out", status_code=HTTPStatus.ACCEPTED)
    async def out(vehicle: Identifier, body: Out) -> dict[str, str]:
        """Tell that a vehicle cannot drive: its stops are planned again at once."""
        await door.out(vehicle, body)
        return {"vehicle": vehicle}

    @routes.post("/vehicles/{vehicle}/back", status_code=HTTPStatus.ACCEPTED)
    async def back(vehicle: Identifier, body: Back) -> dict[str, str]:
        """Tell that a vehicle can drive again."""
        await door.back(vehicle, body)
        return {"vehicle": vehicle}

    return routes


def _leaves_later(route: Route, told: Late) -> VehicleAbsent:
    """Return what a late start is: the vehicle is away until then, and others may help out."""
    until = route.departs_at + timedelta(minutes=told.late_minutes)
    since = min(told.reported_at, route.departs_at)
    return VehicleAbsent(
        vehicle=route.vehicle,
        location=route.location,
        since=since,
        until=max(until, since + timedelta(seconds=1)),
        reason=f"starts {told.late_minutes:g} minutes late",
    )
