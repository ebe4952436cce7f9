"""Counts what plans have committed, from the journal, and the waves that wait for one."""

from collections.abc import Awaitable, Callable, Sequence

from dispatcher import telemetry
from restock_common.contracts.catalogue import Catalogue
from restock_common.contracts.dispatch import RoutePlanned, ShipmentUnserved
from restock_common.transact import JournalEntry

_ROUTE, _UNSERVED = RoutePlanned.type_name(), ShipmentUnserved.type_name()


class Planned:
    """Told of what is committed.

    Args:
        catalogue: What vehicles cost.
        driver_cost_per_hour: In the currency of the vehicles' costs.
    """

    def __init__(self, catalogue: Catalogue, driver_cost_per_hour: float) -> None:
        self._catalogue = catalogue
        self._driver_cost_per_hour = driver_cost_per_hour

    def __call__(self, journal: Sequence[JournalEntry]) -> None:
        """Count the routes of one commit, and the parcels left out."""
        for entry in journal:
            if entry.type == _ROUTE:
                self._count(RoutePlanned.model_validate_json(entry.body))
            elif entry.type == _UNSERVED:
                telemetry.UNSERVED.inc()

    def _count(self, route: RoutePlanned) -> None:
        telemetry.ROUTES.inc()
        telemetry.ROUTE_STOPS.inc(len(route.stops))
        telemetry.ROUTE_KM.inc(route.distance_km)
        hours = (route.returns_at - route.departs_at).total_seconds() / 3600
        cost = hours * self._driver_cost_per_hour
        vehicle = self._catalogue.vehicles.get(route.vehicle)
        if vehicle is not None:
            cost += vehicle.fixed_cost + route.distance_km * vehicle.cost_per_km
        telemetry.ROUTE_COST.inc(cost)


def waves_due(unplanned: Callable[[], Awaitable[int]]) -> Callable[[], Awaitable[None]]:
    """Return what sets the gauge of the waves that wait for a plan."""

    async def look() -> None:
        telemetry.WAVES_DUE.set(await unplanned())

    return look
