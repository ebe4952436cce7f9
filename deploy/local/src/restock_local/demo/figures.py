"""The figures: from the ledger's tables and the topics read back, never from the sender."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from restock_local.demo.plan import Plan
from restock_local.demo.readback import Tally

MUST_BE_NONE = ("orders_lost", "duplicates_applied", "units_oversold", "balances_differing")
_NOT_BUSINESS = frozenset({"duplicates_sent", "wall_s", "replay_s", "orders_per_s", "platform"})
"""How long it took, on what, and how often something was delivered again."""


@dataclass(frozen=True, slots=True)
class LedgerTotals:
    """What the ledger's own tables say, as its `GET /v1/figures` answers.

    Attributes:
        orders: Orders booked.
        orders_applied_twice: Orders that were booked more than once.
        lines_reserved: Order lines with units reserved when they were decided.
        lines_backordered: Order lines with units that had to wait.
        lines_served_by_another_pool: Order lines that another pool than home took over.
        units_oversold: Units promised that are not there.
        balances_differing: Balances that are not the sum of their movements.
        receipts: Deliveries booked.
    """

    orders: int
    orders_applied_twice: int
    lines_reserved: int
    lines_backordered: int
    lines_served_by_another_pool: int
    units_oversold: int
    balances_differing: int
    receipts: int

    @classmethod
    def read(cls, answer: Mapping[str, Any]) -> "LedgerTotals":
        """Return the totals in an answer; other fields are passed over."""
        return cls(**{field.name: int(answer[field.name]) for field in fields(cls)})


@dataclass(frozen=True, slots=True)
class Figures:
    """What one demo did.

    Attributes:
        orders_sent: Orders of the plan, each counted once.
        orders_ledgered: Those of them that the ledger has booked.
        orders_lost: Those that it has not, whether they never reached its topic or its tables.
        duplicates_sent: OrderPlaced records on the ledger's topic beyond the first of an order.
        duplicates_applied: Orders booked twice, and order lines whose demand was observed twice.
        demand_events: DemandObserved events.
        forecasts: DemandForecast events.
        purchase_orders: Purchase orders placed.
        routes: Tours planned.
        shipments_delivered: Parcels that carriers confirmed.
        shipments_unserved: Parcels that had to wait for another day's routes at least once.
        dead_letters: Records that a service could not handle.
        wall_s: From the command to the figures, the platform's start included, in seconds.
        replay_s: From the first order's way out to the last event, in seconds.
        orders_per_s: Orders sent over `replay_s`.
        platform: Which broker and which database, with versions.
    """

    days: int
    seed: int
    orders_sent: int
    orders_ledgered: int
    orders_lost: int
    duplicates_sent: int
    duplicates_applied: int
    lines_reserved: int
    lines_backordered: int
    lines_served_by_another_pool: int
    units_oversold: int
    balances_differing: int
    demand_events: int
    forecasts: int
    purchase_orders: int
    receipts: int
    routes: int
    shipments_delivered: int
    shipments_unserved: int
    dead_letters: int
    wall_s: float
    replay_s: float
    orders_per_s: float
    platform: dict[str, str]

    @property
    def sound(self) -> bool:
        """Whether nothing was lost, counted twice or oversold, and the ledger's books add up."""
        return not self.faults

    @property
    def faults(self) -> dict[str, int]:
        """The figures that must be none and are not."""
        must_be_none = {name: int(getattr(self, name)) for name in MUST_BE_NONE}
        return {name: count for name, count in must_be_none.items() if count}

    def as_json(self) -> dict[str, Any]:
        """Return all of them."""
        return asdict(self)

    def business(self) -> dict[str, Any]:
        """Return those that follow from the data and the seed alone."""
        return {name: value for name, value in asdict(self).items() if name not in _NOT_BUSINESS}


@dataclass(frozen=True, slots=True)
class Run:
    """What ran and how long it took.

    Attributes:
        days: Event days.
        seed: Chance's seed.
        shop: The storefront's name, which starts its global order ids.
        platform: Broker and database.
        wall_s: How long all of it took.
        replay_s: How long the replay took, > 0.
    """

    days: int
    seed: int
    shop: str
    platform: dict[str, str]
    wall_s: float
    replay_s: float


def figures(run: Run, plan: Plan, ledger: LedgerTotals, tally: Tally) -> Figures:
    """Return the figures of a demo that has come to rest.

    Args:
        run: What ran.
        plan: What was to be sent.
        ledger: The ledger's tables.
        tally: The topics read back.
    """
    sent = {f"{run.shop}:{order}" for order in plan.orders}
    on_topic = sent & tally.order_records.keys()
    observed_twice = sum(count - 1 for count in tally.demand_lines.values())
    ledgered = min(len(on_topic), ledger.orders)
    return Figures(
        days=run.days,
        seed=run.seed,
        orders_sent=len(sent),
        orders_ledgered=ledgered,
        orders_lost=len(sent) - ledgered,
        duplicates_sent=sum(count - 1 for count in tally.order_records.values()),
        duplicates_applied=ledger.orders_applied_twice + observed_twice,
        lines_reserved=ledger.lines_reserved,
        lines_backordered=ledger.lines_backordered,
        lines_served_by_another_pool=ledger.lines_served_by_another_pool,
        units_oversold=ledger.units_oversold,
        balances_differing=ledger.balances_differing,
        demand_events=tally.demand_events,
        forecasts=len(tally.forecasts),
        purchase_orders=len(tally.purchase_orders),
        receipts=ledger.receipts,
        routes=len(tally.routes),
        shipments_delivered=len(tally.delivered),
        shipments_unserved=len(tally.unserved),
        dead_letters=len(tally.dead_letters),
        wall_s=round(run.wall_s, 2),
        replay_s=round(run.replay_s, 2),
        orders_per_s=round(len(sent) / run.replay_s, 1),
        platform=run.platform,
    )
