"""Loads the working set of a batch and saves what changed: a few statements, whatever its size."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from dispatcher.handlers import (
    Board,
    DelayReported,
    DeliveryReported,
    FailureReported,
    PartitionTime,
    PlanSolved,
    VehicleAbsent,
    VehicleBack,
)
from dispatcher.store.rows import absence_of, plan_of, route_of, shipment_of, wave_of
from dispatcher.store.saving import partition_of_location, save
from restock_common.contracts.envelope import Message
from restock_common.contracts.event import Event
from restock_common.contracts.fulfilment import AllocationCancelRequested, OrderAllocated
from restock_common.contracts.topics import FULFILMENT
from restock_common.postgres import Connection

__all__ = ["load", "partition_of_location", "save"]

_NEVER = datetime.min.replace(tzinfo=UTC)
_OF_ALLOCATIONS = OrderAllocated | AllocationCancelRequested | DeliveryReported | FailureReported


@dataclass(slots=True)
class _Wanted:
    """What the messages of one batch are about.

    Attributes:
        allocations: The shipments.
        locations: The warehouses: all their waves without a plan.
        reported: Of the shipments those that drivers report about: with all of their route.
        routes: Of drivers that are late.
        vehicles: That come and go: with what is planned for them.
        waves: That were solved: all that waits in them.
        days: That were solved: all their routes.
        times: The time told on each partition.
    """

    allocations: set[str] = field(default_factory=set)
    locations: set[str] = field(default_factory=set)
    reported: set[str] = field(default_factory=set)
    routes: set[str] = field(default_factory=set)
    vehicles: set[str] = field(default_factory=set)
    waves: set[str] = field(default_factory=set)
    days: set[tuple[str, datetime]] = field(default_factory=set)
    times: dict[int, datetime] = field(default_factory=dict)

    def add(self, event: Event) -> None:
        """Take in what one message is about."""
        if isinstance(event, PartitionTime):
            told = self.times.get(event.partition, event.until)
            self.times[event.partition] = max(event.until, told)
            return
        if isinstance(event, _OF_ALLOCATIONS):
            self.allocations.add(event.allocation)
            self.locations.add(event.location)
            if isinstance(event, DeliveryReported | FailureReported):
                self.reported.add(event.allocation)
        elif isinstance(event, PlanSolved):
            self.locations.add(event.location)
            self.waves.add(event.wave)
            self.days.add((event.location, event.day))
        elif isinstance(event, DelayReported):
            self.locations.add(event.location)
            self.routes.add(event.route)
        elif isinstance(event, VehicleAbsent | VehicleBack):
            self.locations.add(event.location)
            self.vehicles.add(event.vehicle)

    def partition(self) -> int:
        """Return the one partition that all of this is on."""
        partitions = set(self.times) | {partition_of_location(one) for one in self.locations}
        assert len(partitions) == 1, f"a batch of partitions {sorted(partitions)}"
        return partitions.pop()


async def load(connection: Connection, messages: Sequence[Message[Event]]) -> Board:
    """Return what these messages of one partition need."""
    board, wanted = Board(), _Wanted()
    for message in messages:
        wanted.add(message.event)
    partition = wanted.partition()
    await _load_marks(connection, board, partition)
    await _load_waves(connection, board, partition, wanted.locations, whole=bool(wanted.times))
    await _load_routes(connection, board, partition, wanted)
    await _load_plans(connection, board, wanted.days)
    await _load_shipments(connection, board, wanted)
    if wanted.vehicles:
        for row in await connection.fetch(
            "SELECT * FROM absences WHERE vehicle = ANY($1)", list(wanted.vehicles)
        ):
            board.absences[row["vehicle"]] = absence_of(row)
    return board


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
    connection: Connection, board: Board, partition: int, wanted: _Wanted
) -> None:
    """Load the routes that may leave, those of these shipments, vehicles and days."""
    locations, days = [one[0] for one in wanted.days], [one[1] for one in wanted.days]
    for row in await connection.fetch(
        "SELECT * FROM routes WHERE partition = $1 AND state = 'planned' AND departs_at <= $2"
        " UNION ALL SELECT routes.* FROM routes JOIN shipments USING (route)"
        " WHERE allocation = ANY($3)"
        " UNION ALL SELECT * FROM routes WHERE route = ANY($4)"
        " UNION ALL SELECT * FROM routes WHERE location = ANY($5) AND vehicle = ANY($6)"
        " AND state = 'planned'"
        " UNION ALL SELECT * FROM routes WHERE vehicle = ANY($6) AND route IN"
        " (SELECT route FROM shipments WHERE status = 'departed' AND location = ANY($5))"
        " UNION ALL SELECT routes.* FROM routes JOIN plans USING (plan)"
        " JOIN unnest($7::text[], $8::timestamptz[]) AS solved (location, day)"
        " ON plans.location = solved.location AND plans.day = solved.day",
        partition,
        wanted.times.get(partition, _NEVER),
        list(wanted.allocations),
        list(wanted.routes),
        list(wanted.locations) if wanted.vehicles else [],
        list(wanted.vehicles),
        locations,
        days,
    ):
        board.routes[row["route"]] = route_of(row)


async def _load_plans(
    connection: Connection, board: Board, days: Collection[tuple[str, datetime]]
) -> None:
    """Load the plans of these routes and days."""
    for row in await connection.fetch(
        "SELECT * FROM plans WHERE plan = ANY($1) OR (location, day) IN"
        " (SELECT * FROM unnest($2::text[], $3::timestamptz[]))",
        list({route.plan for route in board.routes.values()}),
        [one[0] for one in days],
        [one[1] for one in days],
    ):
        board.plans[row["plan"]] = plan_of(row)


async def _load_shipments(connection: Connection, board: Board, wanted: _Wanted) -> None:
    """Load these shipments, what is still to leave on the routes, and what waits in the waves.

    What has left is needed where a driver reports: the stops ahead are late with the one told of.
    """
    vehicles = wanted.vehicles
    on_the_road = [
        route.route
        for route in board.routes.values()
        if route.route in wanted.routes or route.vehicle in vehicles
    ]
    for row in await connection.fetch(
        "SELECT * FROM shipments WHERE allocation = ANY($1) UNION ALL "
        "SELECT * FROM shipments WHERE route = ANY($2) AND status = 'planned' UNION ALL "
        "SELECT * FROM shipments WHERE wave = ANY($3) AND status = 'waiting' UNION ALL "
        "SELECT * FROM shipments WHERE status = 'departed' AND (route = ANY($4) OR route IN"
        " (SELECT route FROM shipments WHERE allocation = ANY($5)))",
        list(wanted.allocations),
        list(board.routes),
        list(wanted.waves),
        on_the_road,
        list(wanted.reported),
    ):
        board.shipments[row["allocation"]] = shipment_of(row)
