"""Loads the working set of a batch and saves what changed: a few statements, whatever its size."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from dispatcher.domain.model import Route, Shipment, Wave
from dispatcher.handlers import Board, DeliveryReported, PartitionTime, PlanSolved
from dispatcher.store.rows import route_of, shipment_of, stop_row, wave_of
from restock_common.contracts.envelope import Message
from restock_common.contracts.event import Event
from restock_common.contracts.fulfilment import AllocationCancelRequested, OrderAllocated
from restock_common.contracts.topics import FULFILMENT
from restock_common.errors import InvariantBroken
from restock_common.kafka import partition_of
from restock_common.postgres import Connection

_NEVER = datetime.min.replace(tzinfo=UTC)


async def load(connection: Connection, messages: Sequence[Message[Event]]) -> Board:
    """Return what these messages of one partition need."""
    board = Board()
    allocations: set[str] = set()
    locations: set[str] = set()
    solved: set[str] = set()
    times: dict[int, datetime] = {}
    for message in messages:
        event = message.event
        if isinstance(event, OrderAllocated | AllocationCancelRequested):
            allocations.add(event.allocation)
            locations.add(event.location)
        elif isinstance(event, PartitionTime):
            times[event.partition] = max(event.until, times.get(event.partition, event.until))
        elif isinstance(event, PlanSolved):
            locations.add(event.location)
            solved.add(event.wave)
        elif isinstance(event, DeliveryReported):
            allocations.add(event.allocation)
            locations.add(event.location)
    partitions = set(times) | {partition_of_location(location) for location in locations}
    assert len(partitions) == 1, f"a batch of partitions {sorted(partitions)}"
    partition = partitions.pop()
    until = times.get(partition, _NEVER)

    await _load_marks(connection, board, partition)
    await _load_waves(connection, board, partition, locations, whole=bool(times))
    await _load_routes(connection, board, partition, until, allocations)
    for row in await connection.fetch(
        "SELECT * FROM shipments WHERE allocation = ANY($1) UNION ALL "
        "SELECT * FROM shipments WHERE route = ANY($2) AND status = 'planned' UNION ALL "
        "SELECT * FROM shipments WHERE wave = ANY($3) AND status = 'waiting'",
        list(allocations),
        list(board.routes),
        list(solved),
    ):
        board.shipments[row["allocation"]] = shipment_of(row)
    return board


def partition_of_location(location: str) -> int:
    """Return the partition that a warehouse's work is decided on."""
    return partition_of(FULFILMENT.name, location.encode())


async def save(connection: Connection, board: Board) -> None:
    """Write what changed."""
    await _save_waves(connection, [board.waves[name] for name in board.changed["waves"]])
    await _save_routes(connection, [board.routes[name] for name in board.changed["routes"]])
    await _save_shipments(
        connection, [board.shipments[name] for name in board.changed["shipments"]]
    )


async def _load_marks(connection: Connection, board: Board, partition: int) -> None:
    marks = await connection.fetchval(
        "SELECT watermarks FROM cursors WHERE topic = $1 AND partition = $2",
        FULFILMENT.name,
        partition,
    )
    for source, until in (marks or {}).items():
        board.marks[source] = datetime.fromisoformat(until)


async def _load_waves(
    connection: Connection, board: Board, partition: int, locations: Iterable[str], *, whole: bool
) -> None:
    """Load the waves not planned yet: of these warehouses, or of the whole partition."""
    for row in await connection.fetch(
        "SELECT * FROM waves WHERE NOT planned AND partition = $1 AND ($2 OR location = ANY($3))",
        partition,
        whole,
        list(locations),
    ):
        board.waves[row["wave"]] = wave_of(row)


async def _load_routes(
    connection: Connection, board: Board, partition: int, until: datetime, allocations: set[str]
) -> None:
    """Load the routes that may leave by then, and those that these allocations are on."""
    for row in await connection.fetch(
        "SELECT * FROM routes WHERE partition = $1 AND state = 'planned' AND departs_at <= $2"
        " UNION ALL SELECT routes.* FROM routes JOIN shipments USING (route)"
        " WHERE allocation = ANY($3)",
        partition,
        until,
        list(allocations),
    ):
        board.routes[row["route"]] = route_of(row)


async def _save_waves(connection: Connection, waves: Sequence[Wave]) -> None:
    if not waves:
        return
    written = await connection.execute(
        "INSERT INTO waves (wave, location, partition, source, cut_off, version, closed_at,"
        " planned) SELECT * FROM unnest($1::text[], $2::text[], $3::int[], $4::text[],"
        " $5::timestamptz[], $6::int[], $7::timestamptz[], $8::bool[])"
        " ON CONFLICT (wave) DO UPDATE SET source = excluded.source, version = excluded.version,"
        " closed_at = excluded.closed_at, planned = excluded.planned WHERE NOT waves.planned",
        [wave.wave for wave in waves],
        [wave.location for wave in waves],
        [partition_of_location(wave.location) for wave in waves],
        [wave.source for wave in waves],
        [wave.cut_off for wave in waves],
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
        " longitude, departs_at, returns_at, metres, stops, plan_version, state)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)"
        " ON CONFLICT (route) DO UPDATE SET metres = excluded.metres, stops = excluded.stops,"
        " plan_version = excluded.plan_version, state = excluded.state",
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
        " delivered_at) SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::int[],"
        " $5::float8[], $6::float8[], $7::timestamptz[], $8::timestamptz[], $9::jsonb[],"
        " $10::timestamptz[], $11::text[], $12::text[], $13::text[], $14::text[], $15::int[],"
        " $16::text[], $17::timestamptz[])"
        " ON CONFLICT (allocation) DO UPDATE SET status = excluded.status, wave = excluded.wave,"
        " route = excluded.route, missed = excluded.missed, reason = excluded.reason,"
        " delivered_at = excluded.delivered_at",
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
    )
