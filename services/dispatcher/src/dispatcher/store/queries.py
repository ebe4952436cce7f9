"""What the planner and the API read, outside the batches' transactions."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from dispatcher.domain.model import Absence, DayPlan, Shipment, Wave
from dispatcher.domain.route import Route
from dispatcher.store.rows import absence_of, plan_of, route_of, shipment_of, wave_of
from dispatcher.store.saving import partition_of_location
from restock_common.contracts.topics import FULFILMENT
from restock_common.postgres import Database


class PostgresDispatches:
    """Reads of the dispatcher's own database.

    Args:
        database: The service's own.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def due_waves(self, partitions: Sequence[int]) -> list[Wave]:
        """Return each warehouse's first closed wave without a plan, the oldest cut-off first.

        Waves of one warehouse are planned in their order, since what one leaves out goes with
        the next.
        """
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                "SELECT DISTINCT ON (location) * FROM waves WHERE NOT planned"
                " AND closed_at IS NOT NULL AND partition = ANY($1)"
                " ORDER BY location, cut_off, number, wave",
                list(partitions),
            )
        return sorted(map(wave_of, rows), key=lambda wave: (wave.cut_off, wave.location))

    async def waiting(self, wave: str) -> list[Shipment]:
        """Return what waits in a wave.

        Read after the wave itself: where something has left since, its version has moved, and
        the plan will be found stale.
        """
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                "SELECT * FROM shipments WHERE wave = $1 AND status = 'waiting'", wave
            )
        return [shipment_of(row) for row in rows]

    async def day(self, location: str, day: datetime) -> tuple[DayPlan | None, list[Route]]:
        """Return the plan of a warehouse's day, and its routes.

        The plan is read first: where something has changed since, its version has moved.
        """
        async with self._database.connection() as connection:
            row = await connection.fetchrow(
                "SELECT * FROM plans WHERE location = $1 AND day = $2", location, day
            )
            if row is None:
                return None, []
            rows = await connection.fetch(
                "SELECT * FROM routes WHERE plan = $1 AND state <> 'cancelled'", row["plan"]
            )
        return plan_of(row), [route_of(one) for one in rows]

    async def on_routes(self, routes: Sequence[str]) -> list[Shipment]:
        """Return what is planned on routes."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                "SELECT * FROM shipments WHERE route = ANY($1) AND status = 'planned'",
                list(routes),
            )
        return [shipment_of(row) for row in rows]

    async def absences(self, location: str) -> list[Absence]:
        """Return which of a warehouse's vehicles are away, or were."""
        async with self._database.connection() as connection:
            rows = await connection.fetch("SELECT * FROM absences WHERE location = $1", location)
        return [absence_of(row) for row in rows]

    async def unplanned(self) -> int:
        """Return how many waves are due and not planned."""
        async with self._database.connection() as connection:
            count: int = await connection.fetchval(
                "SELECT count(*) FROM waves WHERE NOT planned AND closed_at IS NOT NULL"
            )
        return count

    async def shipments(self, allocations: Sequence[str]) -> dict[str, Shipment]:
        """Return the shipments that are known, by allocation."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                "SELECT * FROM shipments WHERE allocation = ANY($1)", list(allocations)
            )
        return {row["allocation"]: shipment_of(row) for row in rows}

    async def routes_by_id(self, routes: Sequence[str]) -> dict[str, Route]:
        """Return routes by their ids."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                "SELECT * FROM routes WHERE route = ANY($1)", list(routes)
            )
        return {row["route"]: route_of(row) for row in rows}

    async def marks(self, locations: Sequence[str]) -> dict[str, dict[str, datetime]]:
        """Return the time that each writer has told, for each of these warehouses."""
        partitions = {location: partition_of_location(location) for location in locations}
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                "SELECT partition, watermarks FROM cursors WHERE topic = $1",
                FULFILMENT.name,
            )
        told = {
            row["partition"]: {
                source: datetime.fromisoformat(until) for source, until in row["watermarks"].items()
            }
            for row in rows
        }
        return {location: told.get(number, {}) for location, number in partitions.items()}

    async def waves(self, location: str | None, limit: int) -> list[Mapping[str, Any]]:
        """Return waves, how much waits in each and how many routes it has, the latest first."""
        async with self._database.connection() as connection:
            return await connection.fetch(
                "SELECT waves.wave, waves.location, waves.kind, waves.cut_off, waves.day,"
                " waves.version, waves.closed_at, waves.planned, waves.size AS waiting,"
                " (SELECT count(*) FROM routes WHERE routes.wave = waves.wave"
                " AND state <> 'cancelled') AS routes"
                " FROM waves WHERE $1::text IS NULL OR location = $1"
                " ORDER BY cut_off DESC, location LIMIT $2",
                location,
                limit,
            )

    async def plans(self, location: str | None, limit: int) -> list[DayPlan]:
        """Return plans, the latest day first."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                "SELECT * FROM plans WHERE $1::text IS NULL OR location = $1"
                " ORDER BY day DESC, location LIMIT $2",
                location,
                limit,
            )
        return [plan_of(row) for row in rows]

    async def plan(self, plan: str) -> tuple[DayPlan, list[Route]] | None:
        """Return a plan and its routes that were not cancelled, as they stood at one moment."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                "SELECT plans.day, plans.version, routes.*, plans.plan AS of_plan,"
                " plans.location AS of_location FROM plans LEFT JOIN routes"
                " ON routes.plan = plans.plan AND routes.state <> 'cancelled'"
                " WHERE plans.plan = $1 ORDER BY routes.departs_at, routes.route",
                plan,
            )
        if not rows:
            return None
        first = rows[0]
        found = DayPlan(first["of_plan"], first["of_location"], first["day"], first["version"])
        return found, [route_of(row) for row in rows if row["route"] is not None]

    async def routes(self, location: str, limit: int) -> list[Route]:
        """Return a warehouse's routes, the latest departure first."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                "SELECT * FROM routes WHERE location = $1 ORDER BY departs_at DESC, route LIMIT $2",
                location,
                limit,
            )
        return [route_of(row) for row in rows]
