"""Problems, shipments and waves to decide on."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from dispatcher.domain.model import Shipment, Status, Wave
from dispatcher.domain.proposal import LeftOut, Proposal, ProposedStop, ProposedTour
from dispatcher.domain.waves import new_wave
from restock_common.contracts.ledger import Place

HOUR = 3600
DAY = datetime(2017, 1, 2, tzinfo=UTC)
DEPOT = Place(latitude=40.0, longitude=-83.0)
SOURCE = "/test/shard/2"


def at(hours: float) -> datetime:
    """Return an instant, in hours after the cut-off."""
    return DAY + timedelta(hours=hours)


def place(north_km: float = 1.0, east_km: float = 0.0) -> Place:
    """Return a place at an offset from the depot (great circle, about)."""
    return Place(latitude=40.0 + north_km / 111.2, longitude=-83.0 + east_km / 85.2)


def tour(*names: str, vehicle: str = "v1", leaves: float = 8) -> ProposedTour:
    """Return a tour that calls at these every ten minutes, a kilometre apart."""
    stops = tuple(
        ProposedStop(name, at(leaves) + timedelta(minutes=10 * (n + 1)), 0, 1000, 1000)
        for n, name in enumerate(names)
    )
    back = at(leaves) + timedelta(minutes=10 * (len(names) + 1))
    return ProposedTour(vehicle, at(leaves), back, 1000 * (len(names) + 1), stops)


def proposal(*tours: ProposedTour, unserved: tuple[str, ...] = ()) -> Proposal:
    """Return a proposal of tours."""
    return Proposal(DEPOT, tours, tuple(LeftOut(name, "no room") for name in unserved))


def wave(*, version: int = 1, closed: bool = False) -> Wave:
    """Return the wave that closes at DAY."""
    gathering = replace(new_wave("L", SOURCE, DAY), version=version)
    return replace(gathering, closed_at=DAY) if closed else gathering


def shipment(name: str, *, status: Status = Status.WAITING, route: str | None = None) -> Shipment:
    """Return a shipment of one brick in that wave."""
    return Shipment(
        allocation=name,
        order=f"shop:{name}",
        location="L",
        shard=2,
        destination=place(),
        window=None,
        units={"brick": 1},
        allocated_at=at(-5),
        traceparent=f"trace-of-{name}",
        status=status,
        wave=wave().wave,
        route=route,
    )
