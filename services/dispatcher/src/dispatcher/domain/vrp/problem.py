"""The routing problem of one day, as pure data: whole numbers throughout.

Times are seconds since a midnight (UTC) of the caller's choice, lengths metres, weights grams,
volumes cubic centimetres, and costs micro-units of the currency.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Point:
    """A place on the map, in degrees; `bounds.checked` tells whether it is one."""

    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True)
class Size:
    """What a shipment takes up, or a vehicle can carry."""

    grams: int
    cubic_cm: int = 0
    parcels: int = 1

    def as_tuple(self) -> tuple[int, int, int]:
        """Return grams, cubic centimetres and parcels."""
        return self.grams, self.cubic_cm, self.parcels


LEFT_OUT_WAIT_H = 24
"""Who is left out is taken to wait for so long."""

UNBOUNDED = 10**15
"""A capacity that no wave fills."""


@dataclass(frozen=True, slots=True)
class Warehouse:
    """Where vehicles start and end."""

    warehouse: str
    place: Point


@dataclass(frozen=True, slots=True)
class Break:
    """A driver's break: begun at a stop or on leaving the depot, between two instants."""

    earliest_s: int
    latest_s: int
    duration_s: int


@dataclass(frozen=True, slots=True)
class Vehicle:
    """One vehicle in its shift, based at its home warehouse.

    Attributes:
        vehicle: Its id.
        warehouse: Where it starts and ends.
        capacity: What it can carry.
        start_s: It cannot leave before.
        end_s: It must be back by then.
        metres_per_hour: Its speed where traffic is free, or by each of 24 hours.
        cost_per_km: In micro-units.
        cost_per_hour: In micro-units, from leaving to returning.
        fixed_cost: Of using it at all, in micro-units.
        route_s_max: The longest route in time; None where the shift alone bounds it.
        route_metres_max: The longest route in length (an electric van's range).
        pause: The break of the shift.
        skills: What it has, such as "cold" or "tail-lift".
    """

    vehicle: str
    warehouse: str
    capacity: Size
    start_s: int
    end_s: int
    metres_per_hour: tuple[int, ...]
    cost_per_km: int
    cost_per_hour: int
    fixed_cost: int
    route_s_max: int | None = None
    route_metres_max: int | None = None
    pause: Break | None = None
    skills: frozenset[str] = frozenset()

    @property
    def longest_s(self) -> int:
        """The longest that its route may take."""
        shift_s = self.end_s - self.start_s
        return shift_s if self.route_s_max is None else min(self.route_s_max, shift_s)


@dataclass(frozen=True, slots=True)
class Shipment:
    """One shipment to be delivered.

    Attributes:
        shipment: Its id.
        destination: Where it goes.
        size: What it takes up.
        earliest_s: Service may begin from here on.
        latest_s: Service must have begun by then.
        service_s: How long the stop takes.
        penalty: The cost in money of leaving it out where no carrier takes it; with priority.
        carrier_price: What a parcel carrier asks for it; None where none takes it. The cheaper
            of penalty and price is the cost of leaving it out, and says who has it then.
        promised_s: Later than this costs `Prices.late_per_hour`, by priority; None for no promise.
        priority: 0 is ordinary; each step doubles the penalty and what lateness costs.
        skills: What its vehicle must have.
        warehouse: Where its goods lie; None where any warehouse has them.
    """

    shipment: str
    destination: Point
    size: Size
    earliest_s: int
    latest_s: int
    service_s: int
    penalty: int
    carrier_price: int | None = None
    promised_s: int | None = None
    priority: int = 0
    skills: frozenset[str] = frozenset()
    warehouse: str | None = None

    @property
    def weight(self) -> int:
        """How much dearer than an ordinary one its penalty and its lateness are."""
        return 1 << self.priority

    @property
    def left_out_cost(self) -> int:
        """What leaving it to a carrier, or out, costs: micro-units."""
        penalty = self.penalty * self.weight
        return penalty if self.carrier_price is None else min(self.carrier_price, penalty)


@dataclass(frozen=True, slots=True)
class Prices:
    """What the objective adds to the vehicles' own costs.

    Attributes:
        late_per_hour: The cost of an hour after the promise, in micro-units.
        dial: From 0, the cheapest plan, to 1, the fastest. What the dial buys is time: the wait
            of every customer, from the start of the first shift to the begin of service, costs
            `dial * wait_per_hour` beside the money; whoever is left out waits for a day.
        wait_per_hour: What an hour of one customer's waiting is worth at dial 1, in micro-units.
    """

    late_per_hour: int = 20_000_000
    dial: float = 0.0
    wait_per_hour: int = 10_000_000

    @property
    def customer_hour(self) -> int:
        """What an hour of a customer's waiting costs: micro-units."""
        return round(self.dial * self.wait_per_hour)

    @property
    def left_out_wait(self) -> int:
        """What the wait of a customer who is left out costs: micro-units."""
        return LEFT_OUT_WAIT_H * self.customer_hour


@dataclass(frozen=True, slots=True)
class Matrices:
    """Road lengths and travel times between all nodes of a problem: (n, n) each.

    Attributes:
        metres: Whole metres, zero on the diagonal.
        seconds: Whole seconds, one matrix per profile of speed.
    """

    metres: IntArray
    seconds: tuple[IntArray, ...]


@dataclass(frozen=True, slots=True)
class Profile:
    """A speed: one number, or one per hour of the day, and the shift that it is driven in."""

    metres_per_hour: tuple[int, ...]
    start_s: int
    end_s: int


class Travel(Protocol):
    """Where lengths and times come from: coordinates, given tables, or a provider's roads."""

    def matrices(self, places: Sequence[Point], profiles: Sequence[Profile]) -> Matrices:
        """Return the tables between places, in their order, for each profile."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What is to be delivered, with what, from where.

    The order of shipments and vehicles matters: it makes the answer one.
    """

    warehouses: tuple[Warehouse, ...]
    vehicles: tuple[Vehicle, ...]
    shipments: tuple[Shipment, ...]
    travel: Travel
    prices: Prices = Prices()
