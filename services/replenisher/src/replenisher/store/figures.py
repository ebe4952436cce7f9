"""What the gauges tell of the whole shop, read from the tables.

Late is by the time of the last review, which the log tells, so that a replay of old orders is not.
"""

from replenisher import telemetry
from restock_common.postgres import Database

_POSITIONS = """
    SELECT sum(greatest(free, 0)) FILTER (WHERE daily > 0) / nullif(sum(daily), 0) AS cover_days,
        count(*) FILTER (WHERE daily > 0 AND free < daily) AS short,
        count(*) FILTER (WHERE need_state = 'open') AS open,
        count(*) FILTER (WHERE need_state = 'deferred') AS deferred,
        coalesce(sum(on_order), 0) AS on_order
    FROM positions CROSS JOIN LATERAL (
        SELECT (on_hand - unsellable - reserved)::float8 AS free,
            coalesce((horizons->'mean'->>0)::float8 / (horizons->'days'->>0)::float8, 0) AS daily
    ) AS at
"""
_ORDERS = """
    SELECT count(*) AS open, count(*) FILTER (WHERE over_days > 1) AS late,
        greatest(coalesce(max(over_days), 0), 0) AS latest_days
    FROM purchase_orders LEFT JOIN lead_times USING (supplier)
    CROSS JOIN (SELECT max(cut_at) AS now FROM reviews) AS last
    CROSS JOIN LATERAL (
        SELECT extract(epoch FROM now - placed_at)::float8 / 86400
            - total_minutes::float8 / nullif(observations, 0) / 1440 AS over_days
    ) AS by
    WHERE closed_at IS NULL
"""


class PostgresFigures:
    """The gauges of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def tell(self) -> None:
        """Set the gauges. Raises Transient."""
        async with self._database.connection() as connection:
            positions = await connection.fetchrow(_POSITIONS)
            orders = await connection.fetchrow(_ORDERS)
        assert positions is not None, "an aggregate is one row"
        assert orders is not None, "an aggregate is one row"
        telemetry.STOCK_COVER.set(positions["cover_days"] or 0)
        telemetry.SHORT_PLACES.set(positions["short"])
        for state in ("open", "deferred"):
            telemetry.NEEDS.labels(state).set(positions[state])
        telemetry.ON_ORDER.set(positions["on_order"])
        telemetry.OPEN_ORDERS.set(orders["open"])
        telemetry.LATE_ORDERS.set(orders["late"])
        telemetry.LATEST_DAYS.set(orders["latest_days"])
