"""Problems, shipments and waves to decide on."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from dispatcher.domain.model import Shipment, Status, Wave
from dispatcher.domain.problem import Parcel, Problem, Van
from dispatcher.domain.rules import MICRO, Rules
from dispatcher.domain.waves import new_wave
from restock_common.contracts.ledger import Place

HOUR = 3600
DAY = datetime(2017, 1, 2, tzinfo=UTC)
DEPOT = Place(latitude=40.0, longitude=-83.0)
SOURCE = "/test/shard/2"
WHOLE_DAY = (0, 24 * HOUR)


def at(hours: float) -> datetime:
    """Return an instant, in hours after the cut-off."""
    return DAY + timedelta(hours=hours)


def parcel(
    name: str,
    north_km: float = 1.0,
    east_km: float = 0.0,
    *,
    grams: int = 1000,
    window_s: tuple[int, int] = WHOLE_DAY,
    penalty: int = 1000 * MICRO,
) -> Parcel:
    """Return a parcel at an offset from the depot (great circle, about)."""
    place = Place(latitude=40.0 + north_km / 111.2, longitude=-83.0 + east_km / 85.2)
    return Parcel(name, place, grams, *window_s, penalty)


def van(name: str = "v1", *, capacity_grams: int = 100_000, shift_s: int = 9 * HOUR) -> Van:
    """Return a van that leaves from 8 o'clock on: 36 km/h, 0.40 a km, 30 a day."""
    start_s = 8 * HOUR
    return Van(
        name, capacity_grams, start_s, start_s + shift_s, 36_000, 4 * MICRO // 10, 30 * MICRO
    )


def problem(
    *parcels: Parcel, vans: tuple[Van, ...] = (van(),), rules: Rules | None = None
) -> Problem:
    """Return the problem of one wave."""
    return Problem(DAY, DEPOT, parcels, vans, rules or Rules())


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
        destination=parcel(name).destination,
        window=None,
        units={"brick": 1},
        allocated_at=at(-5),
        traceparent=f"trace-of-{name}",
        status=status,
        wave=wave().wave,
        route=route,
    )
