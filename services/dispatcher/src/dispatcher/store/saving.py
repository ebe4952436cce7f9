"""Writes what a batch has changed: a few statements, whatever its size."""

from collections.abc import Sequence

from dispatcher.domain.model import Absence, DayPlan, Shipment, Wave
from dispatcher.domain.route import Route
from dispatcher.handlers import Board
from dispatcher.store.rows import stop_row
from restock_common.contracts.topics import FULFILMENT
from restock_common.errors import InvariantBroken
from restock_common.kafka import partition_of
from restock_common.postgres import Connection


def partition_of_location(location: str) -> int:
    """Return the partition that a warehouse's work is decided on."""
    return partition_of(FULFILMENT.name, location.encode())


async def save(connection: Connection, board: Board) -> None:
    """Write what changed."""
    await _save_plans(connection, [board.plans[name] for name in board.changed["plans"]])
    await _save_waves(connection, [board.waves[name] for name in board.changed["waves"]])
    await _save_routes(connection, [board.routes[name] for name in board.changed["routes"]])
    await _save_shipments(
        connection, [board.shipments[name] for name in board.changed["shipments"]]
    )
    await _save_absences(connection, [board.absences[name] for name in board.changed["absences"]])


async def _save_plans(connection: Connection, plans: Sequence[DayPlan]) -> None:
    """Write plans, each of which must have moved on."""
    if not plans:
        return
    written = await connection.execute(
        "INSERT INTO plans (plan, location, partition, day, version)"
        " SELECT * FROM unnest($1::text[], $2::text[], $3::int[], $4::timestamptz[], $5::int[])"
        " ON CONFLICT (plan) DO UPDATE SET version = excluded.version"
        " WHERE plans.version < excluded.version",
        [plan.plan for plan in plans],
        [plan.location for plan in plans],
        [partition_of_location(plan.location) for plan in plans],
        [plan.day for plan in plans],
        [plan.version for plan in plans],
    )
    if written != f"INSERT 0 {len(plans)}":
        names = sorted(plan.plan for plan in plans)
        raise InvariantBroken(f"one of the plans {names} has moved on meanwhile: {written}")


async def _save_waves(connection: Connection, waves: Sequence[Wave]) -> None:
    if not waves:
        return
    written = await connection.execute(
        "INSERT INTO waves (wave, location, partition, source, cut_off, day, kind, number, size,"
        " version, closed_at, planned) SELECT * FROM unnest($1::text[], $2::text[], $3::int[],"
        " $4::text[], $5::timestamptz[], $6::timestamptz[], $7::text[], $8::int[], $9::int[],"
        " $10::int[], $11::timestamptz[], $12::bool[])"
        " ON CONFLICT (wave) DO UPDATE SET source = excluded.source, version = excluded.version,"
        " size = excluded.size, closed_at = excluded.closed_at, planned = excluded.planned"
        " WHERE NOT waves.planned",
        [wave.wave for wave in waves],
        [wave.location for wave in waves],
        [partition_of_location(wave.location) for wave in waves],
        [wave.source for wave in waves],
        [wave.cut_off for wave in waves],
        [wave.day for wave in waves],
        [wave.kind.value for wave in waves],
        [wave.number for wave in waves],
        [wave.size for wave in waves],
        [wave.version for wave in waves],
        [wave.closed_at for wave in waves],
        [wave.planned for wave in waves],
    )
    if written != f"INSERT 0 {len(waves)}":
        names = sorted(wave.wave for wave in waves)
        raise InvariantBroken(f"one of the waves {names} was planned before: {written}")


async def _save_routes(connection: Connection, routes: Sequence[Route]) -> None:
    """Write row by row: few they are, and asyncpg takes lists of lists for matrices."""
    await connection.executemany(
        "INSERT INTO routes (route, wave, location, partition, source, vehicle, latitude,"
        " longitude, departs_at, returns_at, metres, stops, plan_version, state, plan, trip,"
        " late_s)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)"
        " ON CONFLICT (route) DO UPDATE SET wave = excluded.wave, source = excluded.source,"
        " departs_at = excluded.departs_at, returns_at = excluded.returns_at,"
        " metres = excluded.metres, stops = excluded.stops,"
        " plan_version = excluded.plan_version, state = excluded.state,"
        " late_s = excluded.late_s",
        [
            (
                route.route,
                route.wave,
                route.location,
                partition_of_location(route.location),
                route.source,
                route.vehicle,
                route.depot.latitude,
                route.depot.longitude,
                route.departs_at,
                route.returns_at,
                route.metres,
                [stop_row(stop) for stop in route.stops],
                route.plan_version,
                route.state.value,
                route.plan,
                route.trip,
                route.late_s,
            )
            for route in routes
        ],
    )


async def _save_shipments(connection: Connection, shipments: Sequence[Shipment]) -> None:
    if not shipments:
        return
    await connection.execute(
        'INSERT INTO shipments (allocation, "order", location, shard, latitude, longitude,'
        " earliest, latest, units, allocated_at, traceparent, status, wave, route, missed, reason,"
        " delivered_at, attempts, failed_at)"
        " SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::int[],"
        " $5::float8[], $6::float8[], $7::timestamptz[], $8::timestamptz[], $9::jsonb[],"
        " $10::timestamptz[], $11::text[], $12::text[], $13::text[], $14::text[], $15::int[],"
        " $16::text[], $17::timestamptz[], $18::int[], $19::timestamptz[])"
        " ON CONFLICT (allocation) DO UPDATE SET status = excluded.status, wave = excluded.wave,"
        " route = excluded.route, missed = excluded.missed, reason = excluded.reason,"
        " delivered_at = excluded.delivered_at, attempts = excluded.attempts,"
        " failed_at = excluded.failed_at",
        [one.allocation for one in shipments],
        [one.order for one in shipments],
        [one.location for one in shipments],
        [one.shard for one in shipments],
        [one.destination.latitude for one in shipments],
        [one.destination.longitude for one in shipments],
        [one.window.earliest if one.window else None for one in shipments],
        [one.window.latest if one.window else None for one in shipments],
        [one.units for one in shipments],
        [one.allocated_at for one in shipments],
        [one.traceparent for one in shipments],
        [one.status.value for one in shipments],
        [one.wave for one in shipments],
        [one.route for one in shipments],
        [one.missed for one in shipments],
        [one.reason for one in shipments],
        [one.delivered_at for one in shipments],
        [one.attempts for one in shipments],
        [one.failed_at for one in shipments],
    )


async def _save_absences(connection: Connection, absences: Sequence[Absence]) -> None:
    await connection.executemany(
        "INSERT INTO absences (vehicle, location, since, until, reason)"
        " VALUES ($1, $2, $3, $4, $5) ON CONFLICT (vehicle) DO UPDATE SET"
        " location = excluded.location, since = excluded.since, until = excluded.until,"
        " reason = excluded.reason",
        [(one.vehicle, one.location, one.since, one.until, one.reason) for one in absences],
    )
